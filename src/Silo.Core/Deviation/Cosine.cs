using Silo.Core.Numerics;

namespace Silo.Core.Deviation;

/// <summary>Cosine similarity of embeddings.</summary>
public static class Cosine
{
    /// <summary>a·b / (|a||b|) in [-1, 1]; undefined (null) if either norm is 0.</summary>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public static double? Similarity(ReadOnlySpan<double> a, ReadOnlySpan<double> b)
    {
        double normA = Math.Sqrt(FixedDot.Product(a, a)), normB = Math.Sqrt(FixedDot.Product(b, b));
        double product = FixedDot.Product(a, b);
        return normA == 0 || normB == 0 ? null : Math.Clamp(product / (normA * normB), -1, 1);
    }
}
