using System.Globalization;
using System.Text.Json;
using Silo.Core;

namespace Silo.Experiments.Spec;

/// <summary>A JSON value and where it stands, so that every error names the place and what was expected there.</summary>
internal readonly struct JsonPlace(string file, string path, JsonElement value)
{
    public JsonValueKind Kind => value.ValueKind;

    public SiloException Expected(string expected) => new($"{Where}expected {expected}, found {Shown()}");

    public SiloException Wrong(string what) => new($"{Where}{what}");

    /// <summary>The members of an object, each key among the known ones and given once.</summary>
    public Dictionary<string, JsonPlace> Members(params ReadOnlySpan<string> known)
    {
        if (Kind != JsonValueKind.Object) throw Expected("an object");
        var members = new Dictionary<string, JsonPlace>(StringComparer.Ordinal);
        foreach (var member in value.EnumerateObject())
        {
            var name = Name(member);
            if (!known.Contains(name))
                throw Wrong($"unknown key {Quote(name)}; known are {string.Join(", ", known.ToArray())}");
            var place = new JsonPlace(file, path.Length == 0 ? name : $"{path}.{name}", member.Value);
            if (!members.TryAdd(name, place)) throw place.Wrong("given twice");
        }
        return members;
    }

    public IEnumerable<JsonPlace> Items(string expected)
    {
        if (Kind != JsonValueKind.Array) throw Expected(expected);
        return Walk(file, path, value);

        static IEnumerable<JsonPlace> Walk(string file, string path, JsonElement array)
        {
            var index = 0;
            foreach (var item in array.EnumerateArray())
                yield return new JsonPlace(file, string.Create(CultureInfo.InvariantCulture, $"{path}[{index++}]"), item);
        }
    }

    public string Text(string expected)
    {
        if (Kind != JsonValueKind.String) throw Expected(expected);
        try
        {
            return value.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw Wrong("holds half of a surrogate pair, which is no text");
        }
    }

    public double Number(string expected, Func<double, bool> fits)
    {
        if (Kind != JsonValueKind.Number) throw Expected(expected);
        var number = value.GetDouble();
        return double.IsFinite(number) && fits(number) ? number : throw Expected(expected);
    }

    public int Integer(int least, int most) => (int)Whole(least, most);

    public ulong Seed() => (ulong)Whole(0, ulong.MaxValue);

    public decimal Whole(decimal least, decimal most) =>
        Kind == JsonValueKind.Number && value.TryGetDecimal(out var number) && number == decimal.Truncate(number) && number >= least && number <= most
            ? number : throw Expected(string.Create(CultureInfo.InvariantCulture, $"a whole number from {least} to {most}"));

    public bool Truth() => Kind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw Expected("true or false"),
    };

    /// <summary>One of some names.</summary>
    public T Choice<T>(params ReadOnlySpan<(string Name, T Value)> choices)
    {
        var names = new List<string>();
        foreach (var (name, choice) in choices)
        {
            if (Kind == JsonValueKind.String && value.ValueEquals(name)) return choice;
            names.Add($"\"{name}\"");
        }
        throw Expected(string.Join(" or ", names));
    }

    private string Where => path.Length == 0 ? $"{file}: " : $"{file}: {path}: ";

    private static string Name(JsonProperty member)
    {
        try
        {
            return member.Name;
        }
        catch (InvalidOperationException)
        {
            return "\uFFFD";
        }
    }

    private static string Quote(string text) => JsonSerializer.Serialize(Cut(text), SpecJson.Default.String);

    private static string Cut(string text) => text.Length <= 40 ? text : text[..40] + "…";

    private string Shown() => Kind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "an array",
        _ => Cut(value.GetRawText()),
    };
}
