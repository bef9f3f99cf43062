using System.CommandLine;
using Silo.Cli.Results;
using Silo.Models;

namespace Silo.Cli.Commands;

/// <summary><c>silo model info</c>: what a model says of itself.</summary>
internal static class ModelCommand
{
    public static Command Create()
    {
        var path = Common.Path("MODEL", "A GGUF file, or a folder of ONNX Runtime GenAI.");
        var info = new Command("info", "Architecture, size, numeric profile, metadata and tensors of a model.") { path }
            .WithExamples("silo model info model.gguf", "silo model info llama-3.1-8b-cuda", "silo model info model.gguf --json")
            .Does((result, terminal) =>
            {
                var facts = Read(result.GetRequiredValue(path));
                if (terminal.Json) terminal.WriteJson(facts, CliJson.Readable.ModelInfoResult);
                else Show(terminal, facts);
            });
        return new Command("model", "Look at a model.") { info };
    }

    private static ModelInfoResult Read(string path)
    {
        var description = ModelDescription.Read(path);
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
            Engine = model.Info.Engine,
            NumericProfile = model.Info.NumericProfile,
            Metadata = description.Metadata,
            Tensors = [.. description.Tensors.Select(tensor => new TensorFacts(tensor.Name, tensor.Type, tensor.Shape, tensor.Bytes))],
        };
    }

    private static void Show(Terminal terminal, ModelInfoResult facts)
    {
        terminal.WriteTable(["", "value"],
        [
            ["name", facts.Name], ["architecture", facts.Architecture], ["parameters", Numbers.Count(facts.Parameters)],
            ["vocabulary", Numbers.Count(facts.VocabularySize)], ["context", Numbers.Count(facts.ContextLength)],
            ["layers", $"{facts.Layers}"], ["width", $"{facts.Width}"], ["sha256", facts.Sha256], ["engine", facts.Engine], ["numeric profile", facts.NumericProfile],
            .. facts.Metadata.Select(pair => new[] { pair.Key, pair.Value }),
        ]);
        terminal.WriteLine("");
        terminal.WriteTable(["tensor", "type", "shape", "#bytes"],
            [.. facts.Tensors.Select(tensor => new[] { tensor.Name, tensor.Type, string.Join(" x ", tensor.Shape), Numbers.Count(tensor.Bytes) })]);
    }
}
