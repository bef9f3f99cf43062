using System.Globalization;
using System.Text.RegularExpressions;
using Silo.Core;

namespace Silo.Cluster.Contracts;

/// <summary>
/// Grain keys. The experiment's id is the first segment of each, so that one look at a key tells which experiment a
/// call belongs to (tokens are issued per experiment).
/// </summary>
public static partial class Keys
{
    /// <summary>Longest experiment id.</summary>
    public const int MaxExperimentIdLength = 64;

    /// <summary>Longest prompt id, in UTF-16 units.</summary>
    public const int MaxPromptIdLength = 200;

    /// <summary>Longest prompt id as it stands in a key, escaped: stores have limits for keys (PostgreSQL 512, Azure tables 512 characters).</summary>
    public const int MaxEscapedIdLength = 400;

    /// <summary>Checks an experiment id: 1 to 64 of a-z, 0-9, '-', '_', '.', starting with a letter or digit.</summary>
    /// <exception cref="SiloException">It is anything else.</exception>
    public static string Experiment(string id) =>
        id is not null && ExperimentPattern().IsMatch(id)
            ? id
            : throw new SiloException($"experiment id '{Shown(id)}': expected 1 to {MaxExperimentIdLength} of a-z, 0-9, '-', '_', '.', starting with a letter or digit");

    /// <summary>The key of a prompt's grain.</summary>
    /// <exception cref="SiloException">The experiment id is not valid, or the prompt id is empty or too long.</exception>
    public static string Prompt(string experiment, string promptId)
    {
        if (string.IsNullOrEmpty(promptId) || promptId.Length > MaxPromptIdLength)
            throw new SiloException($"prompt id '{Shown(promptId)}': expected 1 to {MaxPromptIdLength} characters");
        var escaped = Uri.EscapeDataString(promptId);
        return escaped.Length <= MaxEscapedIdLength
            ? $"{Experiment(experiment)}/{escaped}"
            : throw new SiloException($"prompt id '{Shown(promptId)}': {escaped.Length} characters when escaped, at most {MaxEscapedIdLength} are taken (3 for each byte that is no letter, digit or '-._~')");
    }

    /// <summary>The key of a numbered part of an experiment: a page of prompts, a correlation shard.</summary>
    public static string Part(string experiment, int number) => $"{Experiment(experiment)}/{number:D6}";

    /// <summary>The number in the key of a numbered part.</summary>
    /// <exception cref="SiloException">It is no such key, or spelled in another way.</exception>
    public static int PartOf(string key) =>
        int.TryParse(key.AsSpan(key.IndexOf('/', StringComparison.Ordinal) + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
        && Part(ExperimentOf(key), number) == key ? number : throw new SiloException($"'{Shown(key)}' is no key of a page or shard");

    /// <summary>The experiment that a grain key belongs to: its first segment.</summary>
    public static string ExperimentOf(string key)
    {
        var slash = key.IndexOf('/', StringComparison.Ordinal);
        return slash < 0 ? key : key[..slash];
    }

    /// <summary>The prompt id in a prompt grain's key.</summary>
    public static string PromptIdOf(string key) => Uri.UnescapeDataString(key[(key.IndexOf('/', StringComparison.Ordinal) + 1)..]);

    private static string Shown(string? id) => id is null ? "" : id.Length <= 80 ? id : id[..80] + "...";

    [GeneratedRegex("^[a-z0-9][a-z0-9._-]{0,63}$", RegexOptions.CultureInvariant)]
    private static partial Regex ExperimentPattern();
}
