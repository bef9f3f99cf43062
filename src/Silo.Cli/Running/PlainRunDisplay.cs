using System.Diagnostics;
using Silo.Experiments.Board;
using Silo.Local.Running;

namespace Silo.Cli.Running;

/// <summary>Lines: for logs, and where nothing can be redrawn. Progress comes every few seconds, the table at the end.</summary>
internal sealed class PlainRunDisplay(Terminal terminal) : IRunDisplay
{
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(5);

    public async Task<RunEvent> ShowAsync(IAsyncEnumerable<RunEvent> events)
    {
        var since = Stopwatch.StartNew();
        BoardTable? table = null;
        RunEvent? last = null;
        await foreach (var happened in events)
        {
            last = happened;
            switch (happened)
            {
                case RunEvent.Started e:
                    terminal.WriteLine(RunText.Started(e));
                    break;
                case RunEvent.GenerationFinished e when since.Elapsed > s_pause || e.Progress.Kept == e.Progress.Generations:
                    terminal.WriteLine(RunText.Progress(e.Progress));
                    since.Restart();
                    break;
                case RunEvent.GenerationFailed e:
                    terminal.WriteLine(RunText.Failure(e));
                    break;
                case RunEvent.PromptMadeAnew e:
                    terminal.WriteLine(RunText.Anew(e));
                    break;
                case RunEvent.BoardChanged e:
                    table = e.Table;
                    break;
            }
            terminal.Flush();
        }
        if (table is not null) BoardDisplay.ShowLeading(terminal, table);
        terminal.WriteLine("");
        foreach (var line in RunText.End(last!)) terminal.WriteLine(line);
        return last!;
    }
}
