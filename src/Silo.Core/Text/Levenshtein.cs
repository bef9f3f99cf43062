namespace Silo.Core.Text;

/// <summary>The edit distance of two texts in both countings.</summary>
/// <param name="Distance">Over Unicode code points.</param>
/// <param name="Normalised">Distance over the longer text's length, in [0, 1]; 0 if both are empty.</param>
/// <param name="DistanceUtf16">Over UTF-16 code units: differs only where characters lie outside the BMP.</param>
/// <param name="NormalisedUtf16">The same normalised.</param>
public readonly record struct EditDistance(int Distance, double Normalised, int DistanceUtf16, double NormalisedUtf16);

/// <summary>
/// Levenshtein's distance with unit costs, 64 cells at a time (Myers 1999, "A fast bit-vector algorithm for approximate
/// string matching based on dynamic programming", JACM 46, section 4; Hyyrö 2003 for the distance of whole strings).
/// </summary>
public static class Levenshtein
{
    /// <summary>The distance over code points and over code units.</summary>
    public static EditDistance Compute(ReadOnlySpan<char> a, ReadOnlySpan<char> b)
    {
        int utf16 = Distance(Units(a), Units(b)), longerUtf16 = Math.Max(a.Length, b.Length);
        if (!HasSurrogates(a) && !HasSurrogates(b))
            return new(utf16, Normalise(utf16, longerUtf16), utf16, Normalise(utf16, longerUtf16));
        int[] pointsA = CodePoints(a), pointsB = CodePoints(b);
        int distance = Distance(pointsA, pointsB);
        return new(distance, Normalise(distance, Math.Max(pointsA.Length, pointsB.Length)), utf16, Normalise(utf16, longerUtf16));
    }

    /// <summary>The distance of two sequences of symbols.</summary>
    public static int Distance(ReadOnlySpan<int> a, ReadOnlySpan<int> b)
    {
        int prefix = a.CommonPrefixLength(b);
        int suffix = 0, most = Math.Min(a.Length, b.Length) - prefix;
        while (suffix < most && a[^(suffix + 1)] == b[^(suffix + 1)]) suffix++;
        a = a[prefix..^suffix];
        b = b[prefix..^suffix];
        var pattern = a.Length < b.Length ? a : b;
        var text = a.Length < b.Length ? b : a;
        return pattern.IsEmpty ? text.Length : Columns(pattern, text);
    }

    // Walks over the columns of the matrix D[pattern, text], keeping D[m, j] and the vertical differences of column j:
    // plus where a cell exceeds the one above by one, minus where it falls short by one.
    private static int Columns(ReadOnlySpan<int> pattern, ReadOnlySpan<int> text)
    {
        var masks = new PatternMasks(pattern);
        int distance = pattern.Length, bottom = (pattern.Length - 1) & 63;
        Span<ulong> plus = new ulong[masks.Blocks], minus = new ulong[masks.Blocks];
        plus.Fill(ulong.MaxValue);
        foreach (int symbol in text)
        {
            var matches = masks[symbol];
            // The horizontal difference that enters a block from above; row 0 grows by one with every column.
            ulong plusIn = 1, minusIn = 0, ph = 0, mh = 0;
            for (int block = 0; block < matches.Length && block < plus.Length && block < minus.Length; block++)
            {
                ulong pv = plus[block], mv = minus[block], eq = matches[block];
                ulong xv = eq | mv;
                eq |= minusIn;
                ulong xh = (((eq & pv) + pv) ^ pv) | eq;
                ph = mv | ~(xh | pv);
                mh = pv & xh;
                ulong phShifted = (ph << 1) | plusIn, mhShifted = (mh << 1) | minusIn;
                plus[block] = mhShifted | ~(xv | phShifted);
                minus[block] = phShifted & xv;
                (plusIn, minusIn) = (ph >> 63, mh >> 63);
            }
            // What is left are the horizontal differences of the last block.
            distance += (int)(ph >> bottom & 1) - (int)(mh >> bottom & 1);
        }
        return distance;
    }

    private static double Normalise(int distance, int longer) => longer == 0 ? 0 : (double)distance / longer;

    private static bool HasSurrogates(ReadOnlySpan<char> text) => text.ContainsAnyInRange('\uD800', '\uDFFF');

    private static int[] Units(ReadOnlySpan<char> text)
    {
        var units = new int[text.Length];
        for (int i = 0; i < units.Length; i++) units[i] = text[i];
        return units;
    }

    // A surrogate without its partner counts as a point of its own.
    private static int[] CodePoints(ReadOnlySpan<char> text)
    {
        var points = new List<int>(text.Length);
        for (int i = 0; i < text.Length; i++)
        {
            bool pair = i + 1 < text.Length && char.IsSurrogatePair(text[i], text[i + 1]);
            points.Add(pair ? char.ConvertToUtf32(text[i], text[++i]) : text[i]);
        }
        return [.. points];
    }
}
