using System.CommandLine;
using Silo.Cli.Results;
using Silo.Models;

namespace Silo.Cli.Commands;

/// <summary><c>silo tokenize</c>: the token ids of a text.</summary>
internal static class TokenizeCommand
{
    public static Command Create()
    {
        var model = Common.Model();
        var text = new Option<string>("--text") { Description = "The text: any string; --text= is the empty one.", HelpName = "TEXT", Required = true };
        return new Command("tokenize", "The token ids that a model makes of a text, with the beginning-of-text token.") { model, text }
            .WithExamples("silo tokenize --model model.gguf --text='Once upon a time'", "silo tokenize --model model.gguf --text= --json")
            .Does((result, terminal) =>
            {
                using var opened = LanguageModels.Open(result.GetRequiredValue(model));
                var ids = opened.Tokenizer.Encode(result.GetRequiredValue(text));
                if (terminal.Json) terminal.WriteJson(new TokenizeResult([.. ids]), CliJson.Readable.TokenizeResult);
                else terminal.WriteLine(string.Join(' ', ids));
            });
    }
}
