using System.CommandLine;
using Silo.Cli.Commands;
using Silo.Core;
using Silo.Models;

namespace Silo.Cli;

/// <summary>The command <c>silo</c>: parses a command line, runs it, and turns every failure into one line and an exit code.</summary>
internal static class CommandLine
{
    private static readonly ParserConfiguration s_parsing = new() { ResponseFileTokenReplacer = null, EnablePosixBundling = false };

    /// <summary>Runs a command line and returns its exit code.</summary>
    public static async Task<int> RunAsync(string[] args)
    {
        try
        {
            var parsed = Root().Parse(FreeText.Protect(args), s_parsing);
            if (parsed.Errors.Count > 0 && !Help.IsAsked(parsed))
            {
                // What is not known says more than what is missing because of it.
                var error = parsed.Errors.FirstOrDefault(e => e.Message.StartsWith("Unrecognized", StringComparison.Ordinal)) ?? parsed.Errors[0];
                // The parser's own lists come indented on several lines.
                var message = string.Join(' ', error.Message.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)).TrimEnd('.');
                Terminal.WriteError($"{message} (see {Help.CommandFor(parsed)})");
                return ExitCode.WrongUsage;
            }
            return await parsed.InvokeAsync(new InvocationConfiguration
            {
                EnableDefaultExceptionHandler = false,
                // Ctrl-C: a command that has something to finish listens itself; all others leave at once.
                ProcessTerminationTimeout = null,
            });
        }
        catch (Exception e)
        {
            Terminal.WriteError(Describe(e));
            return ExitCode.Failed;
        }
    }

    /// <summary>An exception in one line. What a user's input caused says so itself; the rest names its kind.</summary>
    public static string Describe(Exception exception) => exception switch
    {
        SiloException or DeviceMemoryException => exception.Message,
        AggregateException { InnerExceptions.Count: 1 } e => Describe(e.InnerException!),
        OperationCanceledException => "interrupted",
        OutOfMemoryException => "not enough memory",
        IOException or UnauthorizedAccessException => exception.Message,
        _ => $"internal error ({exception.GetType().Name}): {exception.Message}",
    };

    /// <summary>The whole grammar.</summary>
    internal static RootCommand Root()
    {
        var root = new RootCommand("""
            Which measures of a language model's token distribution go along with the ranking of its texts, and which of
            them only tell the temperature? Silo generates texts at several temperatures, reads the whole distribution
            before and after temperature at every step, and correlates every measure with the rankings you give it.
            """.ReplaceLineEndings(" "))
        {
            RunCommand.Create(),
            NewCommand.Create(),
            SchemaCommand.Create(),
            RankCommand.Create(),
            RemeasureCommand.Create(),
            ReportCommand.Create(),
            CompareCommand.Create(),
            ExportCommand.Create(),
            FeaturesCommand.Create(),
            AgreementCommand.Create(),
            MeasuresCommand.Create(),
            ModelCommand.Create(),
            CorrelateCommand.Create(),
            ScoreCommand.Create(),
            GenerateCommand.Create(),
            TokenizeCommand.Create(),
            PerplexityCommand.Create(),
            BenchCommand.Create(),
        };
        root.Directives.Clear();
        root.Options.Add(Common.Json);
        root.Options.Add(Common.Plain);
        Help.Install(root);
        return root;
    }
}
