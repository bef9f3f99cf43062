using System.CommandLine;
using Silo.Cli.Results;
using Silo.Models;
using Silo.Models.Gguf;

namespace Silo.Cli.Commands;

/// <summary><c>silo model info</c>: what a model's file says of itself.</summary>
internal static class ModelCommand
{
    public static Command Create()
    {
        var path = Common.Path("FILE", "The GGUF file.");
        var info = new Command("info", "Architecture, size, numeric profile, metadata and tensors of a GGUF file.") { path }
            .WithExamples("silo model info model.gguf", "silo model info model.gguf --json")
            .Does((result, terminal) =>
            {
                var facts = Read(result.GetRequiredValue(path));
                if (terminal.Json) terminal.WriteJson(facts, CliJson.Readable.ModelInfoResult);
                else Show(terminal, facts);
            });
        return new Command("model", "Look at a model's file.") { info };
    }

    private static ModelInfoResult Read(string path)
    {
        using var file = GgufFile.Open(path);
        using var model = LanguageModels.Open(path);
        return new ModelInfoResult
        {
            File = path,
            Name = model.Info.Name,
            Architecture = model.Info.Architecture,
            Parameters = model.Info.Parameters,
            VocabularySize = model.Info.VocabularySize,
            ContextLength = model.Info.ContextLength,
            Layers = model.Info.Layers,
            Width = model.Info.Width,
            Sha256 = model.Info.WeightsDigest,
            NumericProfile = model.Info.NumericProfile,
            Metadata = file.Metadata.Values.ToDictionary(pair => pair.Key, pair => GgufMetadata.Show(pair.Value)),
            Tensors = [.. file.Tensors.Values.OrderBy(tensor => tensor.Offset).Select(tensor => new TensorFacts(tensor.Name, tensor.Type.ToString(), tensor.Dimensions, tensor.Bytes))],
        };
    }

    private static void Show(Terminal terminal, ModelInfoResult facts)
    {
        terminal.WriteTable(["", "value"],
        [
            ["name", facts.Name], ["architecture", facts.Architecture], ["parameters", Numbers.Count(facts.Parameters)],
            ["vocabulary", Numbers.Count(facts.VocabularySize)], ["context", Numbers.Count(facts.ContextLength)],
            ["layers", $"{facts.Layers}"], ["width", $"{facts.Width}"], ["sha256", facts.Sha256], ["numeric profile", facts.NumericProfile],
            .. facts.Metadata.Select(pair => new[] { pair.Key, pair.Value }),
        ]);
        terminal.WriteLine("");
        terminal.WriteTable(["tensor", "type", "shape", "#bytes"],
            [.. facts.Tensors.Select(tensor => new[] { tensor.Name, tensor.Type, string.Join(" x ", tensor.Shape), Numbers.Count(tensor.Bytes) })]);
    }
}
