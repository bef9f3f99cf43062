using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text.Json;
using Silo.Experiments.Campaign;
using Silo.Experiments.Generation;

namespace Silo.Experiments.Tests.Campaign;

/// <summary>
/// Drives a campaign and its prompt runs as a host would, in a world in which messages are delayed, doubled, lost and
/// reordered, processes lose their memory, and engines fail, are busy, or go for good. What goes wrong is chosen by a
/// list of numbers; when it is used up, everything goes well, so that the campaign must come to its end.
/// </summary>
internal sealed class FaultyWorld
{
    private readonly PromptRunOptions _options;
    private readonly int _rows;
    private readonly Queue<int> _choices;
    private readonly List<(int Prompt, PromptEvent Event)> _toPrompts = [];
    private readonly List<CampaignEvent> _toCampaign = [];
    private readonly List<(int Prompt, PromptCommand.Ask Ask)> _asks = [];
    private readonly HashSet<string> _gone = [];
    private readonly PromptRunState[] _prompts;
    private readonly Dictionary<(int Prompt, int Row), string> _kept = [];
    private CampaignState _campaign;
    private long _now;

    public FaultyWorld(int prompts, int rows, int window, PromptRunOptions options, IEnumerable<int> choices)
    {
        (_rows, _options, _choices) = (rows, options, new Queue<int>(choices));
        _prompts = [.. Enumerable.Repeat(PromptRunState.Create(rows), prompts)];
        _campaign = CampaignState.Create(prompts, window);
        Window = window;
    }

    public CampaignState Campaign => _campaign;

    public IReadOnlyList<PromptRunState> Prompts => _prompts;

    public IReadOnlyDictionary<(int Prompt, int Row), string> Kept => _kept;

    public Dictionary<(int Prompt, int Row), int> TimesKept { get; } = [];

    public List<(int Prompt, PromptCommand.Fail Failure)> Failures { get; } = [];

    public int Ends { get; private set; }

    public int Window { get; private set; }

    public bool EngineFails { get; init; }

    public void Run()
    {
        Tell(new CampaignEvent.Begin());
        while (_choices.TryDequeue(out var choice)) Misfortune(choice & 0x7FFFFFFF);
        if (_campaign.Status == CampaignStatus.Paused) Tell(new CampaignEvent.Continue());
        for (var round = 0; round < 10_000 && _campaign.Status is not (CampaignStatus.Finished or CampaignStatus.Cancelled); round++)
        {
            // As a host with a reminder does: everything is told again now and then, and time passes.
            Tell(new CampaignEvent.Remind());
            for (var prompt = 0; prompt < _prompts.Length; prompt++) Tell(prompt, new PromptEvent.Tick());
            for (var served = 0; _asks.Count > 0; served++)
            {
                Assert.True(served < 1_000, "asks without end");
                Serve(0, all: true);
            }
            while (_toPrompts.Count > 0) Deliver(0, twice: false);
            while (_toCampaign.Count > 0) DeliverToCampaign(0, twice: false);
            _now += 1_000;
        }
    }

    public string Digest() => RunDigest.OfRun(
        Enumerable.Range(0, _prompts.Length).Select(prompt => RunDigest.OfPrompt(Enumerable.Range(0, _rows).Select(row =>
        {
            var key = new GenerationKey($"p{prompt}", 0.5 + row, 0);
            return _kept.ContainsKey((prompt, row))
                ? new RunDigest.Part(key, new[] { prompt, row }, SHA256.HashData([(byte)prompt, (byte)row]))
                : new RunDigest.Part(key, default, null);
        }))), []).Hex;

    private void Misfortune(int choice)
    {
        var which = choice / 16;
        switch (choice % 16)
        {
            case 0 or 1 or 2: if (_toPrompts.Count > 0) Deliver(which % _toPrompts.Count, twice: false); break;
            case 3: if (_toPrompts.Count > 0) Deliver(which % _toPrompts.Count, twice: true); break;
            case 4: if (_toPrompts.Count > 0) _toPrompts.RemoveAt(which % _toPrompts.Count); break;
            case 5: if (_toCampaign.Count > 0) DeliverToCampaign(which % _toCampaign.Count, which % 2 == 0); break;
            case 6: if (_toCampaign.Count > 0) _toCampaign.RemoveAt(which % _toCampaign.Count); break;
            case 7 or 8: if (_asks.Count > 0) Serve(which % _asks.Count, all: which % 3 == 0); break;
            case 9: if (_asks.Count > 0) Refuse(which % _asks.Count, which / 7); break;
            case 10: LosePrompt(which % _prompts.Length); break;
            case 11: LoseCampaign(); break;
            case 12:
                _now += which % 2_000;
                Tell(which % _prompts.Length, new PromptEvent.Tick());
                break;
            case 13: Tell(which % 2 == 0 ? new CampaignEvent.Pause() : new CampaignEvent.Continue()); break;
            case 14:
                Window = Math.Max(Window, 1 + which % 5);
                Tell(new CampaignEvent.SetWindow(1 + which % 5));
                break;
            default:
                // One of the two engines goes for good; the other stays.
                if (_gone.Count == 0 && which % 4 == 0) _gone.Add(Engine(which / 4));
                break;
        }
        Assert.True(_campaign.InFlight.Length <= Window);
        Assert.Equal(_campaign.Next, _campaign.Ended + _campaign.InFlight.Length);
    }

    private static string Engine(int which) => which % 2 == 0 ? "engine a" : "engine b";

    private void Serve(int index, bool all)
    {
        var (prompt, ask) = _asks[index];
        _asks.RemoveAt(index);
        var engine = ask.Engine ?? (_gone.Count > 0 ? Engine(_gone.Contains(Engine(0)) ? 1 : 0) : Engine(prompt));
        if (_gone.Contains(engine))
        {
            Tell(prompt, new PromptEvent.EngineGone(engine));
            return;
        }
        foreach (var row in ask.Rows.Take(all ? ask.Rows.Length : ask.Rows.Length / 2))
            _toPrompts.Add((prompt, new PromptEvent.Answer(row, engine)));
        _toPrompts.Add((prompt, new PromptEvent.AskEnded(ask.Number)));
    }

    private void Refuse(int index, int how)
    {
        var (prompt, ask) = _asks[index];
        _asks.RemoveAt(index);
        if (how % 2 == 0)
        {
            _toPrompts.Add((prompt, new PromptEvent.EngineBusy(ask.Number)));
            _toCampaign.Add(new CampaignEvent.EnginesBusy());
        }
        else _toPrompts.Add((prompt, new PromptEvent.AskFailed(ask.Number, "it broke", Final: EngineFails && how % 8 == 1)));
    }

    private void Deliver(int index, bool twice)
    {
        var (prompt, happened) = _toPrompts[index];
        if (!twice) _toPrompts.RemoveAt(index);
        Tell(prompt, happened);
    }

    private void DeliverToCampaign(int index, bool twice)
    {
        var happened = _toCampaign[index];
        if (!twice) _toCampaign.RemoveAt(index);
        Tell(happened);
    }

    private void LosePrompt(int prompt)
    {
        _asks.RemoveAll(a => a.Prompt == prompt);
        _toPrompts.RemoveAll(m => m.Prompt == prompt);
        _prompts[prompt] = JsonSerializer.Deserialize(
            JsonSerializer.Serialize(_prompts[prompt], CampaignJson.Default.PromptRunState), CampaignJson.Default.PromptRunState)!;
        Tell(prompt, new PromptEvent.Recover());
    }

    private void LoseCampaign()
    {
        _toCampaign.Clear();
        _campaign = JsonSerializer.Deserialize(
            JsonSerializer.Serialize(_campaign, CampaignJson.Default.CampaignState), CampaignJson.Default.CampaignState)!;
        Tell(new CampaignEvent.Remind());
    }

    private void Tell(CampaignEvent happened)
    {
        var step = CampaignRun.On(_campaign, happened);
        _campaign = step.State;
        foreach (var command in step.Commands)
            switch (command)
            {
                case CampaignCommand.BeginPrompt begin: _toPrompts.Add((begin.Prompt, new PromptEvent.Begin())); break;
                case CampaignCommand.PausePrompt pause: _toPrompts.Add((pause.Prompt, new PromptEvent.Pause())); break;
                case CampaignCommand.ContinuePrompt go: _toPrompts.Add((go.Prompt, new PromptEvent.Continue())); break;
                case CampaignCommand.CancelPrompt cancel: _toPrompts.Add((cancel.Prompt, new PromptEvent.Cancel())); break;
                case CampaignCommand.Finish: Ends++; break;
                default: throw new InvalidOperationException();
            }
    }

    private void Tell(int prompt, PromptEvent happened)
    {
        var step = PromptRun.On(_prompts[prompt], happened, _now, _options);
        _prompts[prompt] = step.State;
        foreach (var command in step.Commands)
            switch (command)
            {
                case PromptCommand.Ask ask: _asks.Add((prompt, ask)); break;
                case PromptCommand.Keep keep:
                    _kept.Add((prompt, keep.Row), ((PromptEvent.Answer)happened).Engine);
                    TimesKept[(prompt, keep.Row)] = TimesKept.GetValueOrDefault((prompt, keep.Row)) + 1;
                    break;
                case PromptCommand.Discard:
                    for (var row = 0; row < _rows; row++) _kept.Remove((prompt, row));
                    break;
                case PromptCommand.Fail fail: Failures.Add((prompt, fail)); break;
                case PromptCommand.CancelAsk cancel: _asks.RemoveAll(a => a.Prompt == prompt && a.Ask.Number == cancel.Number); break;
                case PromptCommand.Finish end: _toCampaign.Add(new CampaignEvent.PromptEnded(prompt, end.Kept, end.Failed)); break;
                case PromptCommand.Drop or PromptCommand.WakeAt: break;
                default: throw new InvalidOperationException();
            }
        var engines = Enumerable.Range(0, _rows).Where(row => _kept.ContainsKey((prompt, row))).Select(row => _kept[(prompt, row)]).ToImmutableHashSet();
        Assert.True(engines.Count <= 1, "a prompt mixes engines");
    }
}
