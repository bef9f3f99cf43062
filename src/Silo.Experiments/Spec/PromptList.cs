using System.Globalization;
using System.Text.Json;
using Silo.Core;

namespace Silo.Experiments.Spec;

/// <summary>
/// Reads lists of prompts: an inline array, a .txt file (one prompt a line, blank lines skipped), or a .jsonl file (a
/// string or <c>{"id","text"}</c> a line). A prompt without an id is named by its place: <c>p1</c>, <c>p2</c>, ...
/// </summary>
public static class PromptList
{
    /// <summary>Whether a file's name says that it is a list of prompts.</summary>
    public static bool Knows(string path) => IsText(path) || path.EndsWith(".jsonl", StringComparison.OrdinalIgnoreCase);

    /// <summary>Reads the content of a prompts file; its name decides how.</summary>
    /// <param name="content">The file's text.</param>
    /// <param name="file">The file's name, for the format and for errors.</param>
    /// <exception cref="SiloException">A line is no prompt, an id is given twice, or there is no prompt.</exception>
    public static IReadOnlyList<Prompt> Parse(string content, string file)
    {
        var prompts = new List<Prompt>();
        var ids = new HashSet<string>(StringComparer.Ordinal);
        var number = 0;
        foreach (var line in content.AsSpan().TrimStart('\uFEFF').EnumerateLines())
        {
            number++;
            if (line.IsWhiteSpace()) continue;
            var place = string.Create(CultureInfo.InvariantCulture, $"{file}: line {number}");
            if (IsText(file))
            {
                Add(prompts, ids, new Prompt(DefaultId(prompts.Count), line.ToString()), () => new SiloException(place));
                continue;
            }
            using var json = SpecReader.ParseJson(line.ToString(), file, number);
            var value = new JsonPlace(place, "", json.RootElement);
            Add(prompts, ids, One(value, prompts.Count), () => value.Wrong("this id is given twice"));
        }
        return prompts.Count > 0 ? prompts : throw new SiloException($"{file}: expected at least one prompt, found none");
    }

    internal static IReadOnlyList<Prompt> FromJson(JsonPlace array)
    {
        var prompts = new List<Prompt>();
        var ids = new HashSet<string>(StringComparer.Ordinal);
        foreach (var item in array.Items("an array of prompts or the path of a .txt or .jsonl file"))
            Add(prompts, ids, One(item, prompts.Count), () => item.Wrong("this id is given twice"));
        return prompts.Count > 0 ? prompts : throw array.Wrong("expected at least one prompt, found none");
    }

    private static Prompt One(JsonPlace value, int index)
    {
        const string Expected = "a string or an object with id and text";
        if (value.Kind == JsonValueKind.String) return new Prompt(DefaultId(index), value.Text(Expected));
        if (value.Kind != JsonValueKind.Object) throw value.Expected(Expected);
        var members = value.Members("id", "text");
        if (!members.TryGetValue("text", out var text)) throw value.Wrong("text: missing; expected the prompt's text");
        var id = DefaultId(index);
        if (members.TryGetValue("id", out var given) && (id = given.Text("an id: a string that is not empty")).Length == 0)
            throw given.Expected("an id: a string that is not empty");
        return new Prompt(id, text.Text("the prompt's text"));
    }

    private static void Add(List<Prompt> prompts, HashSet<string> ids, Prompt prompt, Func<SiloException> twice)
    {
        if (!ids.Add(prompt.Id)) throw twice();
        prompts.Add(prompt);
    }

    private static string DefaultId(int index) => string.Create(CultureInfo.InvariantCulture, $"p{index + 1}");

    private static bool IsText(string path) => path.EndsWith(".txt", StringComparison.OrdinalIgnoreCase);
}
