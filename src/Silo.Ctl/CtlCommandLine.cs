using System.CommandLine;
using Silo.Core;

namespace Silo.Ctl;

/// <summary>The command line of <c>siloctl</c>: a campaign in a cluster, from submission to export.</summary>
internal static class CtlCommandLine
{
    public static async Task<int> RunAsync(string[] args)
    {
        var root = new RootCommand("siloctl drives experiments in a Silo cluster: submit them, follow them, send ranks, fetch the result.\n\n"
            + "It finds the cluster by --gateway (or SILO_GATEWAY), shows the token in --token-file (or SILO_TOKEN_FILE) and, outside of development,\n"
            + "a certificate (--cert, --key, --ca or SILO_CERT, SILO_KEY, SILO_CA). Exit codes: 0 done, 1 failed, 2 wrong usage.");
        var connection = new ConnectionOptions();
        connection.AddTo(root);
        foreach (var command in CampaignCommands.All(connection)) root.Add(command);
        foreach (var command in ResultCommands.All(connection)) root.Add(command);
        root.Add(TokenCommand.Create());
        var parsed = root.Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (parsed.Errors.Count > 0)
        {
            // What is not known says more than what is missing because of it.
            var error = parsed.Errors.FirstOrDefault(e => e.Message.StartsWith("Unrecognized", StringComparison.Ordinal)) ?? parsed.Errors[0];
            // The parser's own lists come indented on several lines.
            var message = string.Join(' ', error.Message.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)).TrimEnd('.');
            Output.Note($"{message} (see siloctl {(parsed.CommandResult.Command is RootCommand ? "" : parsed.CommandResult.Command.Name + " ")}--help)");
            return 2;
        }
        using var interrupted = new CancellationTokenSource();
        Console.CancelKeyPress += (_, e) =>
        {
            // The first Ctrl-C ends the command in order, a second one at once.
            e.Cancel = !interrupted.IsCancellationRequested;
            interrupted.Cancel();
        };
        try
        {
            return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false }, interrupted.Token);
        }
        catch (OperationCanceledException)
        {
            Output.Note("interrupted; the campaign goes on in the cluster");
            return 1;
        }
        catch (SiloException e)
        {
            Output.Note(e.Message);
            return 1;
        }
        catch (Exception e)
        {
            Output.Note($"{e.GetType().Name}: {e.Message}");
            return 1;
        }
    }
}
