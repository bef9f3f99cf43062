using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Silo.Local.Experiments;

namespace Silo.Cli;

/// <summary>Options that several commands share, and how options and handlers are made.</summary>
internal static class Common
{
    /// <summary>For programs.</summary>
    public static Option<bool> Json { get; } = new("--json")
    {
        Description = "For programs: the last line of standard output is one JSON object.",
        Recursive = true,
    };

    /// <summary>For logs and screen readers.</summary>
    public static Option<bool> Plain { get; } = new("--plain")
    {
        Description = "Plain lines: no colour, no frames, no progress bar. Also what you get without a terminal.",
        Recursive = true,
    };

    /// <summary>A file that must be named.</summary>
    public static Option<string> File(string name, string description, bool required = true) =>
        new(name) { Description = description, HelpName = "FILE", Required = required };

    /// <summary>A file or folder to write to.</summary>
    public static Option<string> Out(string description, string helpName)
    {
        var option = new Option<string>("--out") { Description = description, HelpName = helpName };
        option.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: "" }]) result.AddError("--out is empty; a path is expected");
        });
        return option;
    }

    /// <summary>The model; the one that comes with Silo where none is named.</summary>
    public static Option<string> Model() => new("--model")
    {
        Description = "The model: a GGUF file, or a folder of ONNX Runtime GenAI. Default: the small model that comes with Silo.",
        HelpName = "MODEL",
        DefaultValueFactory = _ => ExperimentFile.EmbeddedModel,
    };

    /// <summary>A whole number within bounds.</summary>
    public static Option<int> Whole(string name, int @default, int least, int most, string description) => new(name)
    {
        Description = description,
        HelpName = "N",
        DefaultValueFactory = _ => @default,
        CustomParser = result =>
        {
            var given = result.Tokens[0].Value;
            if (int.TryParse(given, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) && value >= least && value <= most)
                return value;
            result.AddError(most == int.MaxValue
                ? $"{name} is {given}; a whole number of at least {least} is expected"
                : $"{name} is {given}; a whole number from {least} to {most} is expected");
            return @default;
        },
    };

    /// <summary>A finite number of at least <paramref name="least"/>.</summary>
    public static Option<double> Number(string name, double @default, double least, string description) => new(name)
    {
        Description = description,
        HelpName = "X",
        DefaultValueFactory = _ => @default,
        CustomParser = result =>
        {
            var given = result.Tokens[0].Value;
            if (double.TryParse(given, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && double.IsFinite(value) && value >= least)
                return value;
            result.AddError($"{name} is {given}; a number {(least is double.Epsilon ? "above 0" : $"of at least {least}")} is expected");
            return @default;
        },
    };

    /// <summary>A seed: a whole number from 0 to 2^64 - 1.</summary>
    public static Option<ulong> Seed(string description) => new("--seed")
    {
        Description = description,
        HelpName = "N",
        DefaultValueFactory = _ => 0,
        CustomParser = result =>
        {
            var given = result.Tokens[0].Value;
            if (ulong.TryParse(given, NumberStyles.None, CultureInfo.InvariantCulture, out var value)) return value;
            result.AddError($"--seed is {given}; a whole number from 0 to {ulong.MaxValue} is expected");
            return 0;
        },
    };

    /// <summary>An argument that is a path; what looks like an option is a mistake.</summary>
    public static Argument<string> Path(string name, string description, bool required = true)
    {
        var argument = new Argument<string>(name)
        {
            Description = description,
            Arity = required ? ArgumentArity.ExactlyOne : ArgumentArity.ZeroOrOne,
        };
        argument.Validators.Add(RefuseOptions);
        return argument;
    }

    /// <summary>Says what a command does.</summary>
    public static Command Does(this Command command, Action<ParseResult, Terminal> handler)
    {
        command.SetAction(result =>
        {
            using var terminal = new Terminal(result.GetValue(Json), result.GetValue(Plain));
            handler(result, terminal);
            return ExitCode.Done;
        });
        return command;
    }

    /// <summary>Says what a command does that takes its time.</summary>
    public static Command Does(this Command command, Func<ParseResult, Terminal, Task<int>> handler)
    {
        command.SetAction(async (result, _) =>
        {
            using var terminal = new Terminal(result.GetValue(Json), result.GetValue(Plain));
            return await handler(result, terminal);
        });
        return command;
    }

    private static void RefuseOptions(ArgumentResult result)
    {
        if (result.Tokens is [{ Value: ['-', '-', _, ..] value }, ..]) result.AddError($"Unknown option '{value}'");
    }
}
