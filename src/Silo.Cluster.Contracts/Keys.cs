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

    /// <summary>Longest prompt id as it stands in a key: Azure tables take keys of 512 characters, with the service's id and the experiment's.</summary>
    private const int MaxEscapedLength = 384;

    /// <summary>
    /// Checks an experiment id: 1 to 64 of a-z, 0-9, '-', '_', '.', starting with a letter or digit; hexadecimal digits
    /// alone do not start with 0, for such a key is a number to ADO.NET stores, and 01 would be 1.
    /// </summary>
    /// <exception cref="SiloException">It is anything else.</exception>
    public static string Experiment(string id)
    {
        if (id is null || !ExperimentPattern().IsMatch(id))
            throw new SiloException($"experiment id '{Shown(id)}': expected 1 to {MaxExperimentIdLength} of a-z, 0-9, '-', '_', '.', starting with a letter or digit");
        if (id.Length > 1 && id[0] == '0' && id.All(char.IsAsciiHexDigit))
            throw new SiloException($"experiment id '{id}': digits and a-f alone cannot start with 0, put another character somewhere");
        return id;
    }

    /// <summary>The key of a prompt's grain.</summary>
    /// <exception cref="SiloException">The experiment id is not valid, or the prompt id is not (<see cref="PromptRefusal"/>).</exception>
    public static string Prompt(string experiment, string promptId) =>
        PromptRefusal(promptId) is { } reason ? throw new SiloException(reason) : $"{Experiment(experiment)}/{Escaped(promptId)}";

    /// <summary>Why a prompt cannot have an id, or null: it is empty, too long, or no Unicode text.</summary>
    public static string? PromptRefusal(string? promptId)
    {
        if (string.IsNullOrEmpty(promptId) || promptId.Length > MaxPromptIdLength)
            return $"prompt id '{Shown(promptId)}': expected 1 to {MaxPromptIdLength} characters";
        var escaped = Escaped(promptId);
        if (Uri.UnescapeDataString(escaped) != promptId) return $"prompt id '{Shown(promptId)}' is no Unicode text";
        return escaped.Length <= MaxEscapedLength ? null
            : $"prompt id '{Shown(promptId)}' takes {escaped.Length} characters in a key, at most {MaxEscapedLength} fit: other characters than a-z, A-Z, 0-9, '-', '.', '~' take three a byte";
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

    // Stores write '/' as '_' (Azure tables), and experiments may have '_' in their ids: prompts may not, or a/b_c and a_b/c were one.
    private static string Escaped(string promptId) => Uri.EscapeDataString(promptId).Replace("_", "%5F", StringComparison.Ordinal);

    private static string Shown(string? id) => id is null ? "" : id.Length <= 80 ? id : id[..80] + "...";

    [GeneratedRegex("^[a-z0-9][a-z0-9._-]{0,63}$", RegexOptions.CultureInvariant)]
    private static partial Regex ExperimentPattern();
}
