using Silo.Core;
using Silo.Experiments.Spec;
using Silo.Local.Experiments;

namespace Silo.Local.Tests.Experiments;

public sealed class ExperimentFileTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Paths_in_the_file_are_relative_to_it_and_another_model_can_be_given()
    {
        Directory.CreateDirectory(_folder["sub"]);
        File.WriteAllText(_folder["sub/p.txt"], "one\ntwo\n");
        File.WriteAllText(_folder["e.json"], """{"prompts":"sub/p.txt","model":"m.gguf","name":"mine","gold":{"ranks":["sub/r.csv"]}}""");
        var experiment = ExperimentFile.Load(_folder["e.json"]);
        Assert.Equal([new Prompt("p1", "one"), new Prompt("p2", "two")], experiment.Spec.Prompts);
        Assert.Equal(_folder["m.gguf"], experiment.ModelPath);
        Assert.Equal([_folder[Path.Combine("sub", "r.csv")]], experiment.RankFiles);
        Assert.Equal(Path.Combine("runs", "mine"), experiment.DefaultDirectory);
        Assert.Equal("other.gguf", ExperimentFile.Load(_folder["e.json"], "other.gguf").ModelPath);
    }

    [Fact]
    public void What_is_wrong_is_said_with_the_file_it_is_in()
    {
        string Error(string name, byte[]? content)
        {
            if (content is not null) File.WriteAllBytes(_folder[name], content);
            return Assert.Throws<SiloException>(() => ExperimentFile.Load(_folder[name])).Message;
        }
        Assert.Equal($"{_folder["none.json"]}: no such file", Error("none.json", null));
        Assert.Equal($"{_folder["latin.json"]}: is not valid UTF-8 text", Error("latin.json", [(byte)'"', 0xE9, (byte)'"']));
        Assert.Equal($"{_folder["p.txt"]}: no such file", Error("a.json", """{"prompts":"p.txt"}"""u8.ToArray()));
        var unknown = Error("b.json", """{"prompts":["a"],"primary_measures":["leak"]}"""u8.ToArray());
        Assert.StartsWith($"{_folder["b.json"]}: primary measure 'leak': there is no such measure", unknown, StringComparison.Ordinal);
        Directory.CreateDirectory(_folder["d.json"]);
        Assert.Equal($"{_folder["d.json"]}: is a directory, not a file", Error("d.json", null));
    }
}
