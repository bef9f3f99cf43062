namespace Silo.Cli.Results;

/// <summary>The run begins or goes on.</summary>
internal sealed record StartedLine(string Event, string Run, string Name, int Prompts, long Generations, long Kept, long Failed, string Engine);

/// <summary>A text is stored.</summary>
internal sealed record GenerationLine(
    string Event, string Prompt, string Item, int Tokens, long Kept, long Generations, double TokensPerSecond, double? SecondsLeft);

/// <summary>An attempt failed.</summary>
internal sealed record FailureLine(string Event, string Prompt, string Item, int Attempt, string Reason, bool Final);

/// <summary>Another engine had made this prompt's texts: they are made again.</summary>
internal sealed record AnewLine(string Event, string Prompt, string Engine);

/// <summary>A prompt is finished.</summary>
internal sealed record PromptLine(string Event, string Prompt, int Kept, int Failed);

/// <summary>The table has changed: its leading lines beside the controls.</summary>
internal sealed record BoardLine(string Event, bool Final, int Prompts, int Texts, IReadOnlyList<LeadingLine> Leading);

/// <summary>One line of it.</summary>
internal sealed record LeadingLine(string Feature, string Gold, bool Heuristic, bool Control, double? RhoWithin, int NDefined, string Verdict);

/// <summary>The run stopped before its end.</summary>
internal sealed record StoppedLine(string Event, string Run, long Kept, long Generations);

/// <summary>The run is finished.</summary>
internal sealed record DoneLine(
    string Event, string Run, long Generations, long Failed, long Tokens, double Seconds, string Digest, IReadOnlyList<string> Engines, string? Report);

/// <summary>What a run would do.</summary>
internal sealed record PlanLine(
    string Event, string Name, string Run, int Prompts, long Generations, long Tokens, long Bytes, double? Seconds);
