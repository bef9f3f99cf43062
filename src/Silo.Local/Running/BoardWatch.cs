using System.Threading.Channels;
using Silo.Experiments.Ranking;
using Silo.Experiments.Spec;
using Silo.Local.Boards;
using Silo.Storage.Runs;

namespace Silo.Local.Running;

/// <summary>
/// The running table: beside the generation, from what is on the disk, as often as it costs little. The heuristic judge
/// compares texts across prompts, so its ranks change as prompts come in; only those at the end are stored.
/// </summary>
internal sealed class BoardWatch : IDisposable
{
    /// <summary>At most this share of one processor goes into running tables.</summary>
    private const double Share = 0.1;

    private static readonly TimeSpan s_shortest = TimeSpan.FromSeconds(1);

    private readonly RunRequest _request;
    private readonly RunBoard _board;
    private readonly string[] _names;
    private readonly bool _judges;
    private readonly ChannelWriter<RunEvent> _events;
    private readonly Channel<int> _finished = Channel.CreateUnbounded<int>(new UnboundedChannelOptions { SingleReader = true });
    private readonly List<JudgedText> _texts = [];
    private readonly CancellationTokenSource _over = new();
    // Of its own: a source that is disposed gives no token any more, and the work may outlast it by a table.
    private readonly CancellationToken _isOver;
    private readonly Task _work;

    public BoardWatch(RunRequest request, ExperimentSpec spec, ChannelWriter<RunEvent> events)
    {
        (_request, _events, _judges) = (request, events, spec.Gold.HeuristicJudge);
        _board = RunBoard.Create(spec, spec.ReferenceTemperatures);
        _names = [.. _board.Catalog.Measures.Select(m => m.Name)];
        _isOver = _over.Token;
        _work = Task.Run(WatchAsync);
    }

    /// <summary>A prompt has come to its end, and is on the disk.</summary>
    public void Add(int prompt) => _finished.Writer.TryWrite(prompt);

    /// <summary>Ends, without a last table.</summary>
    public async Task StopAsync()
    {
        await _over.CancelAsync();
        await _work;
    }

    public void Dispose()
    {
        _over.Cancel();
        _over.Dispose();
    }

    private async Task WatchAsync()
    {
        try
        {
            long revision = 0;
            while (await _finished.Reader.WaitToReadAsync(_isOver))
            {
                var start = _request.Time.GetTimestamp();
                Take(++revision);
                _events.TryWrite(new RunEvent.BoardChanged(_board.Board.Read(exploratory: false), Final: false));
                var spent = _request.Time.GetElapsedTime(start);
                var rest = spent * (1 / Share - 1);
                await Task.Delay(rest > s_shortest ? rest : s_shortest, _request.Time, _isOver);
            }
        }
        catch (OperationCanceledException)
        {
            // Stopped.
        }
    }

    private void Take(long revision)
    {
        using var run = RunReader.Open(_request.Directory);
        while (_finished.Reader.TryRead(out var prompt))
        {
            _isOver.ThrowIfCancellationRequested();
            var records = run.RecordsOf(prompt, _names);
            if (records.Count == 0) continue;
            _board.SetTexts(records);
            _texts.AddRange(records.Select(r => new JudgedText(r.Key.Prompt, r.Key.Item, r.Text)));
        }
        foreach (var rank in run.Ranks())
            if (rank.Panel != HeuristicJudge.Name) _board.Board.Apply(Stored.Event(rank));
        if (_judges)
            foreach (var rank in new HeuristicJudge(_texts).RankAll(revision)) _board.Board.Apply(rank);
    }
}
