using System.Text.Json;
using Xunit;

namespace Silo.TestKit;

/// <summary>Reads golden files and compares numbers as <c>shared/golden/SCHEMA.md</c>, section 0, asks.</summary>
public static class Golden
{
    /// <summary>The root of a golden file; skips the running test, by name, where it is absent.</summary>
    /// <param name="file">File name below <c>shared/golden</c>.</param>
    public static JsonElement Load(string file)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(Shared.Path("golden/" + file)));
        return document.RootElement.Clone();
    }

    /// <summary>The elements of an array property.</summary>
    public static IEnumerable<JsonElement> Items(this JsonElement element, string property) =>
        element.GetProperty(property).EnumerateArray();

    /// <summary>A property's text.</summary>
    public static string Text(this JsonElement element, string property) => element.GetProperty(property).GetString()!;

    /// <summary>A property's whole number.</summary>
    public static int Whole(this JsonElement element, string property) => element.GetProperty(property).GetInt32();

    /// <summary>A property's number; null means undefined.</summary>
    public static double? Number(this JsonElement element, string property) => ToNumber(element.GetProperty(property));

    /// <summary>A property's numbers; undefined ones are NaN.</summary>
    public static double[] Numbers(this JsonElement element, string property) => element.GetProperty(property).Numbers();

    /// <summary>An array's numbers; undefined ones are NaN.</summary>
    public static double[] Numbers(this JsonElement element) =>
        [.. element.EnumerateArray().Select(e => ToNumber(e) ?? double.NaN)];

    /// <summary>Asserts that |actual - expected| is at most tolerance * max(1, |expected|), and undefined where null is expected.</summary>
    public static void Close(double? expected, double? actual, string what, double tolerance = 1e-9)
    {
        if (expected is not { } e || actual is not { } a)
            Assert.True(expected == actual, $"{what}: expected {Show(expected)}, got {Show(actual)}");
        else
            Assert.True(Math.Abs(a - e) <= tolerance * Math.Max(1, Math.Abs(e)) || (double.IsNaN(a) && double.IsNaN(e)),
                $"{what}: expected {e:R}, got {a:R}");
    }

    /// <summary>The same for arrays, NaN being undefined.</summary>
    public static void Close(ReadOnlySpan<double> expected, ReadOnlySpan<double> actual, string what, double tolerance = 1e-9)
    {
        Assert.True(expected.Length == actual.Length, $"{what}: expected {expected.Length} values, got {actual.Length}");
        for (int i = 0; i < expected.Length; i++) Close(expected[i], actual[i], $"{what}[{i}]", tolerance);
    }

    private static double? ToNumber(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Null => null,
        JsonValueKind.String when element.GetString() == "-Infinity" => double.NegativeInfinity,
        _ => element.GetDouble(),
    };

    private static string Show(double? value) => value is { } v ? v.ToString("R") : "undefined";
}
