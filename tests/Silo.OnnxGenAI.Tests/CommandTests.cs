using System.Text.Json;
using Silo.EndToEnd;
using Silo.Models.OnnxGenAI.Native;

namespace Silo.OnnxGenAI.Tests;

/// <summary>The command <c>silo</c> with a model folder in the place of a GGUF file.</summary>
public sealed class CommandTests
{
    private const string NativesVariable = "SILO_ONNX_GENAI";

    public CommandTests()
    {
        Folders.Need();
        // The command itself is built without the package.
        Environment.SetEnvironmentVariable(NativesVariable, NativeLibraries.Use().Folder);
    }

    [Fact]
    public async Task Texts_ids_and_perplexity_are_those_of_the_gguf_file()
    {
        var text = Path.GetTempFileName();
        await File.WriteAllTextAsync(text, "The old lamp sang over a river.\n\nWe slept under its light.\n", TestContext.Current.CancellationToken);
        foreach (var command in (string[][])
        [
            ["tokenize", "--text", "On day 1 of 1999, \"we're\" off"],
            ["generate", "--prompt", "Once upon a time", "--temperature", "0", "--max-tokens", "30"],
            ["generate", "--prompt", "Once upon a time", "--temperature", "0.8", "--max-tokens", "30", "--seed", "3"],
        ])
        {
            var (folder, gguf) = ((await SiloProcess.RunAsync([.. command, "--model", Folders.Trained()])), await SiloProcess.RunAsync([.. command, "--model", Folders.Storyteller]));
            Assert.Equal((0, gguf.Out), (folder.ExitCode, folder.Out));
        }
        string[] perplexity = ["perplexity", "--file", text, "--json", "--model"];
        var (ofFolder, ofGguf) = ((await SiloProcess.RunAsync([.. perplexity, Folders.Trained()])).Json, (await SiloProcess.RunAsync([.. perplexity, Folders.Storyteller])).Json);
        Assert.Equal(ofGguf.GetProperty("tokens").GetInt64(), ofFolder.GetProperty("tokens").GetInt64());
        Assert.Equal(ofGguf.GetProperty("bits_per_byte").GetDouble(), ofFolder.GetProperty("bits_per_byte").GetDouble(), 1e-4);
        File.Delete(text);
    }

    [Fact]
    public async Task An_experiment_runs_to_its_end_and_says_which_engine_made_it()
    {
        var directory = Directory.CreateTempSubdirectory("silo-genai-run-").FullName;
        var spec = Path.Combine(directory, "e.json");
        await File.WriteAllTextAsync(spec, """{"name":"e","prompts":[{"id":"a","text":"Once upon a time"},{"id":"b","text":"The sea was grey and"}],"temperatures":[0.3,0.8,1.5],"max_tokens":12}""", TestContext.Current.CancellationToken);
        string[] command = ["run", spec, "--model", Folders.Trained(), "--out", Path.Combine(directory, "run"), "--json"];
        var first = (await SiloProcess.RunAsync(command)).Json;
        Assert.Equal(6, first.GetProperty("generations").GetInt32());
        Assert.Equal(first.GetProperty("digest").GetString(), (await SiloProcess.RunAsync(command)).Json.GetProperty("digest").GetString());
        // The folder's stamp is enough to find the model again.
        Assert.Equal(0, (await SiloProcess.RunAsync("remeasure", Path.Combine(directory, "run"), "--reference-temperature", "1.1", "--json")).ExitCode);
        var exported = await SiloProcess.RunAsync("export", Path.Combine(directory, "run"), "--out", Path.Combine(directory, "export"));
        Assert.Equal(0, exported.ExitCode);
        Assert.Contains(Directory.GetFiles(Path.Combine(directory, "export")), file => File.ReadAllText(file).Contains("silo-genai/1; onnxruntime-genai sha256:", StringComparison.Ordinal));
        Directory.Delete(directory, recursive: true);
    }

    [Fact]
    public async Task A_folder_tells_its_settings_and_weights()
    {
        var (_, folder) = Folders.Random("agreement");
        var info = (await SiloProcess.RunAsync("model", "info", folder, "--json")).Json;
        Assert.StartsWith("silo-genai/1", info.GetProperty("engine").GetString());
        Assert.Equal("true", info.GetProperty("metadata").GetProperty("search.past_present_share_buffer").GetString());
        Assert.Equal("2", info.GetProperty("metadata").GetProperty("operator GroupQueryAttention").GetString());
        Assert.Contains(info.GetProperty("tensors").EnumerateArray(), t => t.GetProperty("name").GetString() == "lm_head" && t.GetProperty("bytes").GetInt64() == 4100 * 64 * 4);
    }

    [Fact]
    public async Task The_benchmark_of_an_engine_tells_steps_copies_and_sampling()
    {
        var (_, folder) = Folders.Random("agreement");
        var rows = (await SiloProcess.RunAsync("bench", "engine", "--model", folder, "--steps", "3", "--rounds", "1", "--json")).Json.GetProperty("rows");
        Assert.Equal([1, 8, 32], rows.EnumerateArray().Select(r => r.GetProperty("rows").GetInt32()));
        foreach (var row in rows.EnumerateArray())
            foreach (var name in (string[])["tokens_per_second", "milliseconds", "milliseconds_with_features", "copied_bytes", "copy_milliseconds", "sampling_milliseconds", "runtime_sampling_milliseconds"])
                Assert.True(row.GetProperty(name).GetDouble() > 0, name);
        var managed = (await SiloProcess.RunAsync("bench", "engine", "--steps", "2", "--rounds", "1", "--json")).Json.GetProperty("rows")[0];
        Assert.Equal(JsonValueKind.Null, managed.GetProperty("copy_milliseconds").ValueKind);
    }

    [Fact]
    public async Task Without_natives_one_line_says_what_is_missing()
    {
        var process = SiloProcess.Start(SiloProcess.Executable, Environment.CurrentDirectory, (NativesVariable, "/nowhere"), ["tokenize", "--model", Folders.Trained(), "--text", "a"]);
        var error = await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        new Outcome(process.ExitCode, "", error).Refuses("ONNX Runtime GenAI is not here", "/nowhere", NativesVariable);
    }
}
