namespace Silo.Cli.Results;

/// <summary>All measures, as declared.</summary>
internal sealed record MeasuresResult(IReadOnlyList<MeasureFacts> Measures);

/// <summary>What is declared of a measure before any rank is seen.</summary>
internal sealed record MeasureFacts(
    string Name, string Title, string Direction, string Unit, double Minimum, double Maximum,
    string Definition, string Source, IReadOnlyList<string> Needs, bool Primary, bool Baseline, string? SameOrderAs, string? TwinOf);
