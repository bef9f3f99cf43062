using Silo.Cli.Results;
using Silo.Experiments.Board;
using Silo.Local.Running;

namespace Silo.Cli.Running;

/// <summary>One JSON event a line, each with the key <c>event</c>; the last is <c>done</c> or <c>stopped</c>.</summary>
internal sealed class JsonRunDisplay(Terminal terminal) : IRunDisplay
{
    public async Task<RunEvent> ShowAsync(IAsyncEnumerable<RunEvent> events)
    {
        RunEvent? last = null;
        await foreach (var happened in events)
        {
            last = happened;
            Write(happened);
            terminal.Flush();
        }
        return last!;
    }

    private void Write(RunEvent happened)
    {
        var json = CliJson.Readable;
        switch (happened)
        {
            case RunEvent.Started e:
                terminal.WriteJson(new StartedLine("started", e.Run, e.Name, e.Prompts, e.Generations, e.Kept, e.Failed, e.Engine), json.StartedLine);
                break;
            case RunEvent.GenerationFinished e:
                terminal.WriteJson(new GenerationLine("generation", e.Key.Prompt, e.Key.Item, e.Tokens, e.Progress.Kept, e.Progress.Generations,
                    e.Progress.TokensPerSecond, e.Progress.Left?.TotalSeconds), json.GenerationLine);
                break;
            case RunEvent.GenerationFailed e:
                terminal.WriteJson(new FailureLine("failure", e.Key.Prompt, e.Key.Item, e.Attempt, e.Reason, e.Final), json.FailureLine);
                break;
            case RunEvent.PromptMadeAnew e:
                terminal.WriteJson(new AnewLine("prompt_made_anew", e.Prompt, e.Engine), json.AnewLine);
                break;
            case RunEvent.PromptFinished e:
                terminal.WriteJson(new PromptLine("prompt", e.Prompt, e.Kept, e.Failed), json.PromptLine);
                break;
            case RunEvent.BoardChanged e:
                terminal.WriteJson(Board(e), json.BoardLine);
                break;
            case RunEvent.Stopped e:
                terminal.WriteJson(new StoppedLine("stopped", e.Run, e.Kept, e.Generations), json.StoppedLine);
                break;
            case RunEvent.Done e:
                terminal.WriteJson(new DoneLine("done", e.Run, e.Generations, e.Failed, e.Tokens, e.Seconds, e.Digest, e.Engines, e.Report), json.DoneLine);
                break;
        }
    }

    private static BoardLine Board(RunEvent.BoardChanged e) => new("board", e.Final, e.Table.Prompts, e.Table.Texts, [.. e.Table.Golds.SelectMany(gold =>
        BoardDisplay.Leading(e.Table, gold.Name).Select(line => new LeadingLine(
            line.Feature, line.Gold, gold.Heuristic, line.Kind == MeasureKind.Control, line.RhoWithin, line.NDefined, BoardDisplay.Word(line.Verdict))))]);
}
