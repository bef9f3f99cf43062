using System.Collections.Immutable;
using System.Text.Json;
using Silo.Cluster.Contracts;
using Silo.Cluster.Contracts.Campaigns;
using Silo.Cluster.Contracts.Correlations;
using Silo.Cluster.Contracts.Inference;
using Silo.Cluster.Contracts.Security;
using Silo.Cluster.Grains.Campaigns;
using Silo.Cluster.Grains.Correlations;
using Silo.Cluster.Grains.State;
using Silo.Experiments.Campaign;

namespace Silo.Cluster.Tests.Serialization;

/// <summary>One of each message and state, every member set.</summary>
internal static class Samples
{
    private static readonly RankMessage s_rank = new() { Item = "t0.3-0", Rater = "ann", Rank = 1.5, Panel = "humans", Revision = 2 };

    private static readonly TextMessage s_text = new()
    {
        Row = 1,
        Tokens = [3, 1, 4],
        Text = "über",
        Stopped = true,
        Measures = [0.5, -2, 1e-300],
        FeatureHash = [1, 2],
        Engine = "engine/1",
        Trace = [9, 8],
    };

    private static readonly PromptEnd s_end = new() { Prompt = 7, Kept = 2, Failed = 1, Tokens = 30, Digest = [1, 2, 3], Engine = "engine/1" };

    private static readonly ShardText s_seen = new() { Item = "t0.3-0", Temperature = 0.3, Measures = [0.25] };

    private static readonly RunningLine s_line = new()
    {
        Gold = "mean_rank",
        Measure = "leak.mean",
        Declared = true,
        Rho = 0.5,
        Lower = 0.25,
        Upper = 0.75,
        RhoUntied = 0.5,
        Defined = 3,
        Undefined = 1,
        Unrated = 2,
    };

    private static readonly CampaignContext s_context = new() { Spec = "{}", Hash = "ab", Model = "m", Device = "cpu", Shards = 2, Prompts = 3 };

    // What was written of messages before they grew, oldest first.
    private static readonly Dictionary<string, object[]> s_earlier = new() { [nameof(CampaignContext)] = [s_context] };

    public static IReadOnlyDictionary<string, object> Messages { get; } = new object[]
    {
        new PackedState { Format = 2, Data = [1, 2, 3] },
        new Submission { Spec = "{}", Hash = "ab", Prompts = 3, Model = "m", Device = "cuda", Window = 5 },
        new SubmitReply { Outcome = SubmitOutcome.Conflict, Reason = "why" },
        new CampaignStatusReply
        {
            Sequence = 4, Status = "finished", Prompts = 3, Ended = 3, InFlight = 1, Kept = 8, Failed = 1, Window = 5, Open = 4, Tokens = 99, Digest = "cd", Engines = ["engine/1"], Hash = "ab",
        },
        s_end,
        s_context with { Trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" },
        new PromptPage { Ids = ["p1", "p2"], Texts = ["one", "two"] },
        new PromptOrder(7, PromptOrderKind.Cancel),
        s_rank,
        new RankReply { New = 1, Corrected = 2, Withdrawn = 3, Repeated = 4, Refused = "why" },
        new PromptTexts { Texts = [s_text], Failures = [new FailureMessage(2, 3, "why")] },
        s_text,
        new FailureMessage(2, 3, "why"),
        new GenerateMessage { Spec = "{}", PromptId = "p1", Prompt = "one", Rows = [0, 2], Engine = "engine/1" },
        new GenerateReply { Outcome = GenerateOutcome.Refused, Texts = [s_text], Reason = "why", Engine = "engine/1" },
        new Counted(true, 3),
        new ShardUpdate { Prompt = "p1", From = default, To = new Counted(true, 3), Texts = [s_seen], Ranks = [s_rank] },
        s_seen,
        new ShardReply(new Counted(true, 3)),
        new RunningBoard { Prompts = 3, Texts = 9, Lines = [s_line] },
        s_line,
        new AccessDeniedException("refused"),
        new StateNotStoredException("not stored"),
        new SiloExceptionSurrogate("a line"),
    }.ToDictionary(sample => sample.GetType().Name);

    /// <summary>All releases of a message: the file that holds the bytes, and what is read from them.</summary>
    public static IEnumerable<(string File, object Sample)> ReleasesOf(string message) =>
        s_earlier.GetValueOrDefault(message, []).Append(Messages[message]).Select((sample, i) => ($"{message}{(i == 0 ? "" : $".{i + 1}")}.bin", sample));

    private static readonly PromptRunState s_run = new()
    {
        Rows = [new PromptRow(RowStatus.Kept), new PromptRow(RowStatus.Failed, 3, "why"), new PromptRow(RowStatus.Open, 1, "not yet")],
        Status = PromptRunStatus.Running,
        Engine = "engine/1",
        Gone = "engine/0",
        Ask = 3,
        Asking = true,
        Deadline = 1000,
        NextAsk = 2000,
        Busy = 2,
        Restarts = 1,
    };

    private static readonly CampaignState s_campaign = new() { Prompts = 9, Window = 4, Open = 3, Status = CampaignStatus.Paused, Next = 5, InFlight = [3, 4], Ended = 3, Kept = 8, Failed = 1 };

    /// <summary>Stored states by the name of what stores them (.2: as it has been since it grew), as the JSON that is packed.</summary>
    public static IReadOnlyDictionary<string, (byte[] Json, Func<byte[], byte[]> Again)> States { get; } = new Dictionary<string, (byte[], Func<byte[], byte[]>)>
    {
        ["experiment"] = Of(new ExperimentRecord
        {
            Spec = "{}",
            Hash = "ab",
            Prompts = 9,
            Shards = 2,
            Model = "m",
            Device = "cpu",
            Campaign = s_campaign,
            Started = true,
            Sequence = 4,
            Tokens = 99,
            Digest = "cd",
            Engines = ["engine/1"],
        }, Grains.Campaigns.CampaignJson.Default.ExperimentRecord),
        ["experiment.2"] = Of(new ExperimentRecord
        {
            Spec = "{}",
            Hash = "ab",
            Prompts = 9,
            Shards = 2,
            Campaign = s_campaign,
            Trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            Panels = ["humans", "judges"],
        }, Grains.Campaigns.CampaignJson.Default.ExperimentRecord),
        ["open-experiments"] = Of(new OpenExperiments(["a", "b"]), Grains.Campaigns.CampaignJson.Default.OpenExperiments),
        ["open-experiments.2"] = Of(
            new OpenExperiments(["a", "b"]) { Since = ImmutableSortedDictionary.Create<string, DateTimeOffset>().Add("b", new DateTimeOffset(2026, 11, 26, 3, 0, 0, TimeSpan.Zero)) }, Grains.Campaigns.CampaignJson.Default.OpenExperiments),
        ["prompt-page"] = Of(new PromptPage { Ids = ["p1"], Texts = ["one"] }, Grains.Campaigns.CampaignJson.Default.PromptPage),
        ["prompt-page-ends"] = Of(new PageRecord { Ends = [s_end] }, Grains.Campaigns.CampaignJson.Default.PageRecord),
        ["prompt"] = Of(new PromptRecord { Number = 7, Run = s_run, Ranks = [s_rank, s_rank with { Rank = null, Revision = 3 }], Counted = new Counted(true, 1) }, PromptJson.Default.PromptRecord),
        ["prompt-texts"] = Of(new PromptTextsRecord { Texts = [s_text with { Measures = [double.NaN, 0.1] }] }, PromptJson.Default.PromptTextsRecord),
        ["correlation-shard"] = Of(new ShardRecord { Sums = [1, 2], Counted = new() { ["p1"] = new Counted(true, 2) } }, ShardJson.Default.ShardRecord),
    };

    /// <summary>Those that are stored in a form of their own: its bytes, and the JSON of what is read from such bytes.</summary>
    public static IReadOnlyDictionary<string, (byte[] Bytes, Func<byte[], byte[]> ToJson)> Forms { get; } = new Dictionary<string, (byte[], Func<byte[], byte[]>)>
    {
        ["prompt-texts"] = Of("prompt-texts", PromptForms.Texts, PromptJson.Default.PromptTextsRecord),
        ["prompt-page-ends"] = Of("prompt-page-ends", PromptForms.Ends, Grains.Campaigns.CampaignJson.Default.PageRecord),
        ["correlation-shard"] = Of("correlation-shard", ShardRecord.Form, ShardJson.Default.ShardRecord),
    };

    private static (byte[], Func<byte[], byte[]>) Of<T>(string name, StateForm<T> form, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type) =>
        (form.ToBytes(JsonSerializer.Deserialize(States[name].Json, type)!), bytes => JsonSerializer.SerializeToUtf8Bytes(form.FromBytes(bytes), type));

    private static (byte[], Func<byte[], byte[]>) Of<T>(T value, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type) =>
        (JsonSerializer.SerializeToUtf8Bytes(value, type), stored => JsonSerializer.SerializeToUtf8Bytes(JsonSerializer.Deserialize(stored, type)!, type));
}
