using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Silo.Cli;

/// <summary>Help with examples: what a command is for, its options, and lines to start from.</summary>
internal static class Help
{
    private static readonly Dictionary<Command, string[]> s_examples = [];

    /// <summary>Adds example lines to a command's help.</summary>
    public static Command WithExamples(this Command command, params string[] lines)
    {
        s_examples[command] = lines;
        return command;
    }

    /// <summary>Makes the help of a command and all below it end with their examples.</summary>
    public static void Install(RootCommand root)
    {
        foreach (var option in root.Options.OfType<HelpOption>())
        {
            option.Description = "Show help and usage.";
            if (option.Action is HelpAction action) option.Action = new WithExamplesAction(action);
        }
    }

    /// <summary>Whether help was asked for, which mends all other errors.</summary>
    public static bool IsAsked(ParseResult result) => result.Action is WithExamplesAction;

    /// <summary>The command line that shows the help of what was asked for.</summary>
    public static string CommandFor(ParseResult result)
    {
        var names = new List<string>();
        for (var at = result.CommandResult; at is not null; at = at.Parent as System.CommandLine.Parsing.CommandResult)
            names.Insert(0, at.Command is RootCommand ? "silo" : at.Command.Name);
        return $"{string.Join(' ', names)} --help";
    }

    private sealed class WithExamplesAction(HelpAction inner) : SynchronousCommandLineAction
    {
        public override bool ClearsParseErrors => true;

        public override int Invoke(ParseResult parseResult)
        {
            var code = inner.Invoke(parseResult);
            if (s_examples.TryGetValue(parseResult.CommandResult.Command, out var lines))
            {
                var output = parseResult.InvocationConfiguration.Output;
                output.WriteLine("Examples:");
                foreach (var line in lines) output.WriteLine($"  {line}");
                output.WriteLine();
            }
            return code;
        }
    }
}
