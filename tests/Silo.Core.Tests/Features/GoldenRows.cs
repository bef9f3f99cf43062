using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text.Json;
using Silo.Core.Features;

namespace Silo.Core.Tests.Features;

/// <summary>Reads the golden logits rows and token features (SCHEMA sections 1, 2 and 4).</summary>
internal static class GoldenRows
{
    /// <summary>One expected feature row, captured where <paramref name="K"/> is given.</summary>
    internal sealed record Case(
        string Row, double T, int X, int? K, IReadOnlyDictionary<string, double> Expected,
        IReadOnlyDictionary<string, double[]> Sensitive)
    {
        public override string ToString() => $"{Row}, T = {T}, x = {X}, K = {K?.ToString() ?? "V"}";
    }

    private static readonly Lazy<Dictionary<string, float[]>> s_allRows = new(() =>
        Read("logits_rows.json").GetProperty("rows").EnumerateArray()
            .ToDictionary(row => row.GetProperty("row").GetString()!, Logits));

    public static IReadOnlyDictionary<string, float[]> Rows => s_allRows.Value;

    /// <summary>All cases: full rows, captured rows with K = 200, captured rows with a small K.</summary>
    public static IEnumerable<Case> Cases()
    {
        var file = Read("token_features.json");
        var k = file.GetProperty("K").GetInt32();
        foreach (var c in file.GetProperty("cases").EnumerateArray())
        {
            yield return ToCase(c, null, "full");
            yield return ToCase(c, k, "captured");
        }
        foreach (var c in file.GetProperty("small_k_cases").EnumerateArray())
            yield return ToCase(c, c.GetProperty("K").GetInt32(), "captured");
    }

    /// <summary>Every column of a case against its expectation; the message names case and column.</summary>
    public static void Check(Case expected, ReadOnlySpan<double> actual, double tolerance)
    {
        Assert.Equal(expected.Expected.Count, actual.Length);
        for (var column = 0; column < actual.Length; column++)
        {
            var name = TokenFeatures.Names[column];
            var want = expected.Expected[name];
            double[] accepted = [want, .. expected.Sensitive.GetValueOrDefault(name, [])];
            var got = actual[column];
            var fits = name switch
            {
                // SCHEMA 2.1: the squares are what is compared.
                "hellinger" => Math.Abs(got * got - want * want) <= 1e-12 || Math.Abs(got - want) <= tolerance,
                _ when IsInteger(name) => accepted.Contains(got),
                _ => accepted.Any(a => Math.Abs(got - a) <= tolerance * Math.Max(1, Math.Abs(a))),
            };
            Assert.True(fits, $"{expected}: {name} is {got:R}, expected {string.Join(" or ", accepted.Distinct())}");
        }
    }

    /// <summary>Whether a column holds whole numbers, which are compared exactly.</summary>
    public static bool IsInteger(string name) =>
        name.StartsWith("width_", StringComparison.Ordinal) || name is "n95_q" or "rank_x" or "outside_x" or "captured_size" or "appended";

    /// <summary>The logits of a row or a step: listed, or made by the generator; checked against its hash where it has one.</summary>
    public static float[] Logits(JsonElement row)
    {
        var z = row.TryGetProperty("z", out var listed)
            ? listed.EnumerateArray().Select(v => v.ValueKind == JsonValueKind.String ? float.NegativeInfinity : (float)v.GetDouble()).ToArray()
            : Generate(row.GetProperty("generator"));
        if (row.TryGetProperty("sha256", out var hash))
        {
            var bytes = new byte[4 * z.Length];
            for (var i = 0; i < z.Length; i++) BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(4 * i), z[i]);
            Assert.Equal(hash.GetString(), Convert.ToHexStringLower(SHA256.HashData(bytes)));
        }
        return z;
    }

    public static JsonElement Read(string file) =>
        JsonDocument.Parse(File.ReadAllBytes(Shared.Path("golden/" + file))).RootElement;

    private static float[] Generate(JsonElement g)
    {
        double a = g.GetProperty("a").GetDouble(), b = g.GetProperty("b").GetDouble(), quantum = g.GetProperty("quantum").GetDouble();
        var offset = g.GetProperty("offset").GetUInt64();
        var exact = new double[g.GetProperty("V").GetInt32()];
        for (var i = 0; i < exact.Length; i++)
        {
            var h = ((ulong)i * 2654435761 + offset) % (1UL << 32);
            exact[i] = h / 4294967296.0 * a - b;
            if (quantum > 0) exact[i] = Math.Floor(exact[i] / quantum) * quantum;
        }
        foreach (var bump in g.GetProperty("bumps").EnumerateArray()) exact[bump[0].GetInt32()] += bump[1].GetDouble();
        var z = Array.ConvertAll(exact, v => (float)v);
        foreach (var range in g.GetProperty("masked_ranges").EnumerateArray())
            z.AsSpan(range[0].GetInt32()..range[1].GetInt32()).Fill(float.NegativeInfinity);
        return z;
    }

    private static Case ToCase(JsonElement c, int? k, string key) => new(
        c.GetProperty("row").GetString()!, c.GetProperty("T").GetDouble(), c.GetProperty("x").GetInt32(), k,
        c.GetProperty(key).EnumerateObject().ToDictionary(p => p.Name, p => p.Value.GetDouble()),
        c.GetProperty(key + "_sensitive").EnumerateObject()
            .ToDictionary(p => p.Name, p => p.Value.EnumerateArray().Select(v => v.GetDouble()).ToArray()));
}
