namespace Silo.Cli.Results;

/// <summary>Ranks taken into a run.</summary>
internal sealed record RankResult(int Read, int Added, string? Report);

/// <summary>Where the report is.</summary>
internal sealed record ReportResult(string? Report);

/// <summary>Texts measured at another reference temperature.</summary>
internal sealed record RemeasureResult(int Texts, string? Report);

/// <summary>The files written.</summary>
internal sealed record ExportResult(IReadOnlyList<string> Files);
