using System.Diagnostics;
using Silo.Experiments.Board;
using Silo.Local.Running;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Silo.Cli.Running;

/// <summary>On a terminal: a bar with speed and time left, and the running table of the leading measures beside the controls, redrawn as it grows.</summary>
internal sealed class LiveRunDisplay(Terminal terminal) : IRunDisplay
{
    private const int BarWidth = 32;
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(200);

    private RunSpeed? _speed;
    private BoardTable? _table;

    public async Task<RunEvent> ShowAsync(IAsyncEnumerable<RunEvent> events)
    {
        RunEvent? last = null;
        await terminal.Screen.Live(new Text("")).Overflow(VerticalOverflow.Crop).StartAsync(async screen =>
        {
            var since = Stopwatch.StartNew();
            await foreach (var happened in events)
            {
                last = happened;
                switch (happened)
                {
                    case RunEvent.Started e:
                        terminal.Screen.WriteLine(RunText.Started(e));
                        _speed = new RunSpeed(e.Kept, e.Generations, 0, null);
                        break;
                    case RunEvent.GenerationFailed e:
                        terminal.Screen.WriteLine(RunText.Failure(e));
                        break;
                    case RunEvent.PromptMadeAnew e:
                        terminal.Screen.WriteLine(RunText.Anew(e));
                        break;
                    case RunEvent.GenerationFinished e:
                        _speed = e.Progress;
                        break;
                    case RunEvent.BoardChanged e:
                        _table = e.Table;
                        break;
                }
                if (since.Elapsed < s_pause && happened is not (RunEvent.Done or RunEvent.Stopped)) continue;
                since.Restart();
                screen.UpdateTarget(Draw());
                terminal.Flush();
            }
        });
        foreach (var line in RunText.End(last!)) terminal.Screen.WriteLine(line);
        return last!;
    }

    private Rows Draw()
    {
        var parts = new List<IRenderable>();
        if (_speed is { } speed)
        {
            var done = speed.Generations == 0 ? BarWidth : (int)(BarWidth * speed.Kept / speed.Generations);
            parts.Add(new Markup($"[green]{new string('█', done)}[/]{new string('░', BarWidth - done)}  {RunText.Progress(speed)}"));
        }
        if (_table is not null)
            foreach (var gold in _table.Golds) parts.Add(Table(_table, gold));
        return new Rows(parts);
    }

    private static Table Table(BoardTable table, GoldSummary gold)
    {
        var drawn = new Table().Border(TableBorder.Simple).Title(new TableTitle(Markup.Escape(BoardDisplay.Title(gold))));
        drawn.AddColumn("measure").AddColumn("better is");
        drawn.AddColumn(new TableColumn("rho").RightAligned()).AddColumn("95 % interval").AddColumn("any-time interval");
        drawn.AddColumn(new TableColumn("prompts").RightAligned()).AddColumn("verdict");
        foreach (var line in BoardDisplay.Leading(table, gold.Name))
        {
            var cells = BoardDisplay.ShortCells(line).Select(Markup.Escape);
            drawn.AddRow([.. line.Kind == MeasureKind.Control ? cells.Select(cell => $"[yellow]{cell}[/]") : cells]);
        }
        return drawn;
    }
}
