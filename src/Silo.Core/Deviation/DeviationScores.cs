namespace Silo.Core.Deviation;

/// <summary>
/// How far each response to one prompt lies from the others ("Modifying Large Language Model Post-Training for Diverse
/// Creative Writing", arXiv 2503.17126).
/// </summary>
/// <param name="Deviation">d_i, in [0, 2]: mean cosine distance to the other responses; 0 where there are none.</param>
/// <param name="Unit">u_i, in [0, 1]: d min-max scaled over the prompt; all 1 where all are equal.</param>
/// <param name="AllEqual">Whether the largest d exceeds the smallest by less than 1e-12.</param>
public sealed record DeviationScores(IReadOnlyList<double> Deviation, IReadOnlyList<double> Unit, bool AllEqual)
{
    private const double EqualWithin = 1e-12;

    /// <summary>Weights of these responses by their own u, see <see cref="Weights"/>.</summary>
    public double[] OwnWeights => Weights(Unit);

    /// <summary>Mean of 1 - cos over all pairs of responses: the mean of d. Null with fewer than two responses.</summary>
    public double? MeanPairwiseDistance => Deviation.Count < 2 ? null : Deviation.Sum() / Deviation.Count;

    /// <summary>
    /// d_i = mean over j != i of (1 - cos(e_i, e_j)); u_i = (d_i - min d) / (max d - min d). Null where an embedding has norm 0.
    /// </summary>
    /// <param name="embeddings">One vector for each response, of equal lengths.</param>
    public static DeviationScores? Compute(IReadOnlyList<double[]> embeddings)
    {
        int n = embeddings.Count;
        var deviation = new double[n];
        for (int i = 0; i < n; i++)
        {
            for (int j = i + 1; j < n; j++)
            {
                if (Cosine.Similarity(embeddings[i], embeddings[j]) is not { } cosine) return null;
                deviation[i] += 1 - cosine;
                deviation[j] += 1 - cosine;
            }
        }
        for (int i = 0; i < n && n > 1; i++) deviation[i] /= n - 1;
        double smallest = deviation.DefaultIfEmpty().Min(), spread = deviation.DefaultIfEmpty().Max() - smallest;
        bool allEqual = spread < EqualWithin;
        return new(deviation, [.. deviation.Select(d => allEqual ? 1 : (d - smallest) / spread)], allEqual);
    }

    /// <summary>u_i = sqrt(u_sem,i * u_style,i): far in meaning and in style.</summary>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public static double[] Combine(IReadOnlyList<double> semantic, IReadOnlyList<double> style)
    {
        if (semantic.Count != style.Count) throw new ArgumentException($"{semantic.Count} values beside {style.Count}");
        return [.. semantic.Zip(style, (a, b) => Math.Sqrt(a * b))];
    }

    /// <summary>w_i = u_i N / sum u, with mean 1; all 1 if sum u = 0.</summary>
    public static double[] Weights(IReadOnlyList<double> unit)
    {
        double sum = unit.Sum();
        return [.. unit.Select(u => sum == 0 ? 1 : u * unit.Count / sum)];
    }
}
