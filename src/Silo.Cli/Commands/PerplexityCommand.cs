using System.CommandLine;
using Silo.Cli.Results;
using Silo.Core;
using Silo.Models;
using Silo.Storage.Files;

namespace Silo.Cli.Commands;

/// <summary><c>silo perplexity</c>: how well a model predicts a text.</summary>
internal static class PerplexityCommand
{
    public static Command Create()
    {
        var model = Common.Model();
        var file = Common.File("--file", $"A text in UTF-8; lines that are {Perplexity.EndOfText} divide it into documents and are not scored.");
        return new Command("perplexity", "How well a model predicts a text: bits per byte and perplexity, in windows of its context with a stride of half.") { model, file }
            .WithExamples("silo perplexity --file stories.txt", "silo perplexity --model model.gguf --file stories.txt --json")
            .Does((result, terminal) =>
            {
                var path = result.GetRequiredValue(file);
                var text = InputFile.ReadText(path);
                using var opened = LanguageModels.Open(result.GetRequiredValue(model));
                try
                {
                    var measured = Perplexity.Measure(opened, text, progress: null, CancellationToken.None);
                    if (terminal.Json) terminal.WriteJson(new PerplexityLine(measured.BitsPerByte, measured.TokenPerplexity, measured.Tokens, measured.Bytes), CliJson.Readable.PerplexityLine);
                    else terminal.WriteLine($"{Numbers.Show(measured.BitsPerByte, "0.0000")} bits per byte, perplexity {Numbers.Show(measured.TokenPerplexity, "0.000")} over {Numbers.Count(measured.Tokens)} tokens, {Numbers.Count(measured.Bytes)} bytes");
                }
                catch (SiloException e)
                {
                    throw InputFile.Error(path, e.Message);
                }
            });
    }
}
