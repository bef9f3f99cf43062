using Silo.Core.Numerics;

namespace Silo.Experiments.Board;

/// <summary>
/// What is drawn from the seed for a prompt before anything is seen of it: its place in the order of the confidence
/// sequence, and its half. Each depends on the seed and the prompt's id alone, so shards
/// agree without talking.
/// </summary>
public static class PromptOrder
{
    /// <summary>The prompt's stream.</summary>
    internal static CounterRandom Stream(ulong seed, string prompt) => CounterRandom.Create(seed, "board/" + prompt);

    /// <summary>Prompts are taken in ascending order of this (then of their ids).</summary>
    public static ulong Place(ulong seed, string prompt) => Stream(seed, prompt).At(0);

    /// <summary>The prompt's half, 0 or 1.</summary>
    public static int Half(ulong seed, string prompt) => (int)(Stream(seed, prompt).At(1) >> 63);
}
