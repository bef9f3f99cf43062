using System.Numerics.Tensors;

namespace Silo.Core.Features;

/// <summary>What both versions of the token features demand of a row, in the words shown to the user.</summary>
internal static class FeatureInput
{
    public static void Check(ReadOnlySpan<float> logits, double temperature, int token)
    {
        CheckTemperature(temperature);
        CheckLogits(logits);
        CheckToken(logits, token);
    }

    public static void CheckTemperature(double temperature)
    {
        if (!(temperature > 0) || double.IsInfinity(temperature))
            throw new SiloException($"temperature {temperature}: a finite number above 0 expected");
    }

    public static void CheckToken(ReadOnlySpan<float> logits, int token)
    {
        if ((uint)token >= (uint)logits.Length)
            throw new SiloException($"token {token} is outside the row of {logits.Length} logits");
        if (float.IsNegativeInfinity(logits[token]))
            throw new SiloException($"token {token} is masked (its logit is -infinity) and cannot have been sampled");
    }

    public static void CheckLogits(ReadOnlySpan<float> logits)
    {
        // NaN wins over any other.
        if (float.IsFinite(TensorPrimitives.Max(logits))) return;
        var anyLeft = false;
        for (var id = 0; id < logits.Length; id++)
        {
            var z = logits[id];
            if (float.IsNaN(z)) throw new SiloException($"logit {id} is NaN");
            if (float.IsPositiveInfinity(z)) throw new SiloException($"logit {id} is +infinity");
            anyLeft |= !float.IsNegativeInfinity(z);
        }
        if (!anyLeft) throw new SiloException("all logits are masked (-infinity)");
    }
}
