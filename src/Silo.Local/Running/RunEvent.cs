using Silo.Experiments.Board;
using Silo.Experiments.Generation;

namespace Silo.Local.Running;

/// <summary>Something a run tells of itself, in the order it happened.</summary>
public abstract record RunEvent
{
    private RunEvent() { }

    /// <summary>The run begins or goes on.</summary>
    /// <param name="Run">Its directory.</param>
    /// <param name="Name">The experiment's name.</param>
    /// <param name="Prompts">Number of prompts.</param>
    /// <param name="Generations">Number of texts planned.</param>
    /// <param name="Kept">Texts already there.</param>
    /// <param name="Failed">Texts already failed for good.</param>
    /// <param name="Engine">Fingerprint of the engine.</param>
    public sealed record Started(string Run, string Name, int Prompts, long Generations, long Kept, long Failed, string Engine) : RunEvent;

    /// <summary>A text is on the disk.</summary>
    /// <param name="Key">Its key.</param>
    /// <param name="Tokens">Its length in tokens.</param>
    /// <param name="Progress">How far the run is.</param>
    public sealed record GenerationFinished(GenerationKey Key, int Tokens, RunSpeed Progress) : RunEvent;

    /// <summary>An attempt at a text failed.</summary>
    /// <param name="Key">Its key.</param>
    /// <param name="Attempt">Which attempt, from 1.</param>
    /// <param name="Reason">Why, one line.</param>
    /// <param name="Final">Whether the text is given up.</param>
    public sealed record GenerationFailed(GenerationKey Key, int Attempt, string Reason, bool Final) : RunEvent;

    /// <summary>A prompt's texts are deleted and made anew, since the engine that made some of them is not this one.</summary>
    /// <param name="Prompt">The prompt's id.</param>
    /// <param name="Engine">Fingerprint of what had made them.</param>
    public sealed record PromptMadeAnew(string Prompt, string Engine) : RunEvent;

    /// <summary>A prompt has come to its end.</summary>
    /// <param name="Prompt">The prompt's id.</param>
    /// <param name="Kept">Texts kept.</param>
    /// <param name="Failed">Texts failed.</param>
    public sealed record PromptFinished(string Prompt, int Kept, int Failed) : RunEvent;

    /// <summary>The table has changed.</summary>
    /// <param name="Table">The board as it is now.</param>
    /// <param name="Final">Whether the run is finished: nothing but new ranks will change it.</param>
    public sealed record BoardChanged(BoardTable Table, bool Final) : RunEvent;

    /// <summary>The run stopped as it was told to; the same command goes on.</summary>
    /// <param name="Run">Its directory.</param>
    /// <param name="Kept">Texts kept.</param>
    /// <param name="Generations">Number of texts planned.</param>
    public sealed record Stopped(string Run, long Kept, long Generations) : RunEvent;

    /// <summary>Every text is kept or failed. Always the last event of a run that comes to its end.</summary>
    /// <param name="Run">Its directory.</param>
    /// <param name="Generations">Texts kept.</param>
    /// <param name="Failed">Texts failed.</param>
    /// <param name="Tokens">Tokens of the kept texts.</param>
    /// <param name="Seconds">Seconds spent generating, over all sittings.</param>
    /// <param name="Digest">SHA-256 over keys, tokens and feature bits, lower-case hex.</param>
    /// <param name="Engines">Fingerprints of what made the texts.</param>
    /// <param name="Report">The report, or null where none was written.</param>
    public sealed record Done(
        string Run, long Generations, long Failed, long Tokens, double Seconds, string Digest, IReadOnlyList<string> Engines, string? Report) : RunEvent;
}

/// <summary>How far a run is and how fast.</summary>
/// <param name="Kept">Texts kept.</param>
/// <param name="Generations">Texts planned.</param>
/// <param name="TokensPerSecond">Tokens of finished texts per second of this sitting.</param>
/// <param name="Left">Time left at this speed, or null where it is not known yet.</param>
public sealed record RunSpeed(long Kept, long Generations, double TokensPerSecond, TimeSpan? Left);
