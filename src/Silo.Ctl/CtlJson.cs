using System.Text.Json.Serialization;
using Silo.Cluster.Contracts.Campaigns;
using Silo.Cluster.Contracts.Correlations;

namespace Silo.Ctl;

internal sealed record SubmitResult(string Experiment, string Outcome, int Prompts, string Hash);

internal sealed record ListResult(IReadOnlyList<string> Experiments);

internal sealed record RankResult(int New, int Corrected, int Withdrawn, int Repeated);

internal sealed record ExportResult(string Experiment, string Run, string Digest);

internal sealed record TextLine(string Item, string Text, int Tokens, string Finish);

internal sealed record FailureLine(string Item, int Attempts, string Reason);

internal sealed record TextsResult(IReadOnlyList<TextLine> Texts, IReadOnlyList<FailureLine> Failures);

internal sealed record BoardLine(string Feature, string Gold, double? RhoWithin, double?[]? Ci, double? RhoUntied, long NDefined, long NUndefined, long NUnrated);

internal sealed record BoardResult(int Prompts, int Texts, IReadOnlyList<BoardLine> Results)
{
    public static BoardResult Of(RunningBoard board, IEnumerable<RunningLine> lines) => new(board.Prompts, board.Texts,
        [.. lines.Select(l => new BoardLine(l.Measure, l.Gold, l.Rho, l.Lower is null ? null : [l.Lower, l.Upper], l.RhoUntied, l.Defined, l.Undefined, l.Unrated))]);
}

internal sealed record StatusResult(
    long Sequence, string Status, int Prompts, int Ended, int InFlight, long Kept, long Failed, int Window, int Open, long Tokens, string? Digest, IReadOnlyList<string> Engines)
{
    public static StatusResult Of(CampaignStatusReply s) =>
        new(s.Sequence, s.Status, s.Prompts, s.Ended, s.InFlight, s.Kept, s.Failed, s.Window, s.Open, s.Tokens, s.Digest, s.Engines);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(SubmitResult))]
[JsonSerializable(typeof(ListResult))]
[JsonSerializable(typeof(RankResult))]
[JsonSerializable(typeof(ExportResult))]
[JsonSerializable(typeof(TextsResult))]
[JsonSerializable(typeof(BoardResult))]
[JsonSerializable(typeof(StatusResult))]
internal sealed partial class CtlJson : JsonSerializerContext;
