using System.CommandLine;
using Silo.Cli.Results;
using Silo.Experiments.Generation;
using Silo.Models;

namespace Silo.Cli.Commands;

/// <summary><c>silo generate</c>: one text of a model.</summary>
internal static class GenerateCommand
{
    public static Command Create()
    {
        var model = Common.Model();
        var prompt = new Option<string>("--prompt") { Description = "The beginning of the text: any string.", HelpName = "TEXT", Required = true };
        var temperature = Common.Number("--temperature", 1, 0, "Sampling temperature; 0 takes the most probable token at every step.");
        var maxTokens = Common.Whole("--max-tokens", 256, 1, int.MaxValue, "Most tokens to make.");
        var seed = Common.Seed("The same seed gives the same text.");
        return new Command("generate", "One text of a model, continuing a prompt.") { model, prompt, temperature, maxTokens, seed }
            .WithExamples(
                "silo generate --model model.gguf --prompt 'The door was open' --temperature 0.8",
                "silo generate --model model.gguf --prompt 'The door was open' --temperature 0 --max-tokens 64 --json")
            .Does(async (result, terminal) =>
            {
                using var opened = LanguageModels.Open(result.GetRequiredValue(model));
                await using var engine = new GenerationEngine(opened, new GenerationEngineOptions { RowLimit = 1, Features = false });
                var key = new GenerationKey("prompt", result.GetValue(temperature), 0);
                var texts = await engine.GenerateAsync(new GenerationRequest
                {
                    Prompt = result.GetRequiredValue(prompt),
                    Rows = [new GenerationRow(key, key.StreamKey("generate", result.GetValue(seed)))],
                    MaxTokens = result.GetValue(maxTokens),
                }, onResult: null, CancellationToken.None);
                if (terminal.Json) terminal.WriteJson(new GenerateResult(texts[0].Tokens, texts[0].Text, texts[0].Finish == FinishReason.Stop ? "stop" : "length"), CliJson.Readable.GenerateResult);
                else terminal.WriteLine(texts[0].Text);
                return ExitCode.Done;
            });
    }
}
