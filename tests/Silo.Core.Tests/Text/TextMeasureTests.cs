using FsCheck;
using FsCheck.Fluent;
using Silo.Core.Text;

namespace Silo.Core.Tests.Text;

public class TextMeasureTests
{
    private static readonly Arbitrary<(int[] A, int[] B)> s_sequences =
        Gen.Choose(0, 5).ArrayOf().Resize(200).Two().Select(p => (p.Item1, p.Item2)).ToArbitrary();

    [Fact]
    public void Golden_sets()
    {
        foreach (var set in Golden.Load("texts.json").Items("sets"))
        {
            string name = set.Text("name");
            string[] texts = [.. set.Items("texts").Select(t => t.GetString()!)];
            var words = Words.Encode(texts);
            Assert.Equal(set.Numbers("token_counts"), words.Select(w => (double)w.Length));
            Assert.Equal(words.Select(w => w.Length), texts.Select(t => Words.Count(t)));

            foreach (var (text, expected) in words.Zip(set.Items("per_text")))
                Check(expected, DistinctN.OfText(text), name);
            Check(set.GetProperty("pooled"), DistinctN.Pooled(words), name + " pooled");

            double sum = 0;
            var pairs = set.Items("pairs").ToList();
            foreach (var pair in pairs)
            {
                int i = pair.Whole("i"), j = pair.Whole("j");
                double rouge = RougeL.F1(words[i], words[j]);
                Golden.Close(pair.Number("rouge_l_f1"), rouge, $"{name} rouge {i} {j}");
                Check(pair, Levenshtein.Compute(texts[i], texts[j]), $"{name} {i} {j}");
                sum += rouge;
            }
            Golden.Close(set.Number("mean_pairwise_rouge_l_f1"), sum / pairs.Count, name + " mean rouge");
        }
    }

    [Fact]
    public void Golden_edit_distances()
    {
        foreach (var pair in Golden.Load("texts.json").Items("levenshtein"))
            Check(pair, Levenshtein.Compute(pair.Text("a"), pair.Text("b")), pair.Text("a"));
    }

    [Fact]
    public void LAMP_texts_have_the_expected_words()
    {
        using var document = System.Text.Json.JsonDocument.Parse(File.ReadAllBytes(Shared.Path("data/lamp_rankings_200x3x3.json")));
        var expected = Golden.Load("lamp_expected.json");
        var kinds = expected.Items("kinds_order").Select(k => k.GetString()!).ToArray();
        foreach (var (prompt, golden) in document.RootElement.EnumerateArray().Zip(expected.Items("prompts")))
        {
            foreach (var (kind, text) in kinds.Zip(golden.Items("texts")))
            {
                var words = Words.Encode([prompt.GetProperty("texts").Text(kind)])[0];
                Assert.Equal(text.Whole("words"), words.Length);
                Golden.Close(text.Number("distinct_1"), DistinctN.OfText(words).Distinct1, "distinct_1");
            }
        }
    }

    [Fact]
    public void The_edit_distance_is_that_of_the_quadratic_table() => Prop.ForAll(s_sequences, pair =>
        Levenshtein.Distance(pair.A, pair.B) == EditTable(pair.A, pair.B)).QuickCheckThrowOnFailure();

    [Fact]
    public void The_longest_common_subsequence_is_that_of_the_quadratic_table() => Prop.ForAll(s_sequences, pair =>
        RougeL.LongestCommonSubsequence(pair.A, pair.B) == CommonTable(pair.A, pair.B)).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData(63)]
    [InlineData(64)]
    [InlineData(65)]
    [InlineData(128)]
    [InlineData(129)]
    public void Block_boundaries_are_crossed(int length)
    {
        int[] a = [.. Enumerable.Range(0, length).Select(i => i * i % 7)], b = [.. Enumerable.Range(0, length + 3).Select(i => i * i % 5)];
        Assert.Equal(EditTable(a, b), Levenshtein.Distance(a, b));
        Assert.Equal(CommonTable(a, b), RougeL.LongestCommonSubsequence(a, b));
    }

    [Fact]
    public void Long_texts()
    {
        // Two texts of 10,000 characters that share nothing but every fourth.
        string a = string.Concat(Enumerable.Range(0, 10_000).Select(i => i % 4 == 0 ? '.' : 'a'));
        string b = string.Concat(Enumerable.Range(0, 10_000).Select(i => i % 4 == 0 ? '.' : 'b'));
        Assert.Equal(7500, Levenshtein.Compute(a, b).Distance);
    }

    [Fact]
    public void A_lone_surrogate_is_a_symbol_of_its_own() =>
        Assert.Equal(new EditDistance(1, 0.5, 1, 0.5), Levenshtein.Compute("\ud83ea", "a\ud83e"[..1] + "a"));

    [Fact]
    public void White_space_of_any_kind_divides_words_and_case_does_not() =>
        Assert.Equal([[0, 1, 0], []], Words.Encode(["\u3000Été\u00a0x\u2028\tÉTÉ\n", " \u2003\r\n"]));

    private static void Check(System.Text.Json.JsonElement expected, DistinctRatios actual, string what)
    {
        Golden.Close(expected.Numbers("distinct"), [actual.Distinct1, actual.Distinct2, actual.Distinct3, actual.Distinct4], what + " distinct");
        Golden.Close(expected.Number("distinct_sum"), actual.Sum, what + " distinct_sum");
    }

    private static void Check(System.Text.Json.JsonElement expected, EditDistance actual, string what)
    {
        Assert.Equal((expected.Whole("distance"), expected.Whole("distance_utf16")), (actual.Distance, actual.DistanceUtf16));
        Golden.Close(expected.Number("normalised"), actual.Normalised, what + " normalised");
        Golden.Close(expected.Number("normalised_utf16"), actual.NormalisedUtf16, what + " normalised_utf16");
    }

    private static int EditTable(int[] a, int[] b)
    {
        var d = new int[a.Length + 1, b.Length + 1];
        for (int i = 0; i <= a.Length; i++)
            for (int j = 0; j <= b.Length; j++)
                d[i, j] = i == 0 || j == 0 ? i + j
                    : Math.Min(Math.Min(d[i - 1, j], d[i, j - 1]) + 1, d[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1));
        return d[a.Length, b.Length];
    }

    private static int CommonTable(int[] a, int[] b)
    {
        var l = new int[a.Length + 1, b.Length + 1];
        for (int i = 1; i <= a.Length; i++)
            for (int j = 1; j <= b.Length; j++)
                l[i, j] = a[i - 1] == b[j - 1] ? l[i - 1, j - 1] + 1 : Math.Max(l[i - 1, j], l[i, j - 1]);
        return l[a.Length, b.Length];
    }
}
