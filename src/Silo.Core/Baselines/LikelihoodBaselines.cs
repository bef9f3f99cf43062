using Silo.Core.Numerics;

namespace Silo.Core.Baselines;

/// <summary>
/// What a model says of its own text, averaged over the steps: the baselines of "Before and After Temperature" (arXiv
/// 2606.01451). p is the distribution at T = 1, q the one at the sampling temperature.
/// </summary>
/// <param name="SelfPerplexity">exp(-mean log p[x_t]), at least 1.</param>
/// <param name="SelfPerplexityQ">exp(-mean log q[x_t]), at least 1.</param>
/// <param name="MeanEntropy">Mean H(p) in nats.</param>
/// <param name="MeanMargin">Mean of the first less the second probability of p, in [0, 1].</param>
public readonly record struct LikelihoodBaselines(double SelfPerplexity, double SelfPerplexityQ, double MeanEntropy, double MeanMargin)
{
    /// <summary>The baselines of one generation, or null for one without steps.</summary>
    /// <param name="logP">log p[x_t] of each step, in nats.</param>
    /// <param name="logQ">log q[x_t] of each step, in nats.</param>
    /// <param name="entropyP">H(p) of each step, in nats.</param>
    /// <param name="marginP">Top-1 margin of p of each step.</param>
    /// <exception cref="ArgumentException">The series differ in length.</exception>
    public static LikelihoodBaselines? Compute(
        ReadOnlySpan<double> logP, ReadOnlySpan<double> logQ, ReadOnlySpan<double> entropyP, ReadOnlySpan<double> marginP)
    {
        if (logQ.Length != logP.Length || entropyP.Length != logP.Length || marginP.Length != logP.Length)
            throw new ArgumentException("the series differ in length");
        return logP.IsEmpty ? null : new(
            DeterministicMath.Exp(-Mean(logP)), DeterministicMath.Exp(-Mean(logQ)), Mean(entropyP), Mean(marginP));
    }

    private static double Mean(ReadOnlySpan<double> values)
    {
        double sum = 0;
        foreach (double value in values) sum += value;
        return sum / values.Length;
    }
}
