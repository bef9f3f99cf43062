using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Silo.Experiments.Generation;
using Silo.Experiments.Spec;
using Series = Silo.Core.Statistics.Aggregate;

namespace Silo.Experiments.Measures;

public sealed partial class MeasureCatalog
{
    /// <summary>
    /// Reduces a finished text to its record, in the process that made it: every measure, the hash of the feature rows,
    /// and what is kept of them. A text without tokens has no aggregates (NaN).
    /// </summary>
    /// <param name="result">What the engine answered; its trace holds the text's own temperature and the catalog's reference temperatures.</param>
    /// <param name="keep">What to keep of the trace.</param>
    /// <exception cref="ArgumentException">The trace has other temperatures than the catalog, or another number of steps than tokens.</exception>
    public GenerationRecord Reduce(GenerationResult result, TraceKeeping keep)
    {
        var trace = result.Trace;
        if (trace.Temperatures.Length != 1 + Options.ReferenceTemperatures.Count || trace.Steps != result.Tokens.Length)
            throw new ArgumentException("the trace does not fit the catalog", nameof(result));
        return new GenerationRecord
        {
            Key = result.Key,
            Tokens = result.Tokens,
            Text = result.Text,
            Finish = result.Finish,
            Measures = Values(result.Text, trace),
            FeatureHash = Hash(trace),
            Engine = result.Engine,
            Trace = PackedTrace.Pack(trace, keep),
        };
    }

    private double[] Values(string text, TokenTrace trace)
    {
        var values = new double[Measures.Count];
        var next = 0;
        double[] series = new double[trace.Steps], scratch = new double[trace.Steps];
        for (var temperature = 0; temperature < trace.Temperatures.Length; temperature++)
        {
            for (var variant = 0; variant < 2; variant++)
            {
                foreach (var feature in FeaturesOf(captured: variant == 1, twins: temperature > 0))
                {
                    for (var step = 0; step < series.Length; step++)
                        series[step] = (variant == 0 ? trace.FullRow(step, temperature) : trace.CapturedRow(step, temperature))[(int)feature];
                    Put(Series.Compute(series, scratch), values.AsSpan(next, s_aggregates.Length));
                    next += s_aggregates.Length;
                }
            }
        }
        foreach (var value in BaselineMeasures.Values(text, name => values[IndexOf(name)])) values[next++] = value;
        return values;
    }

    private static void Put(Series? series, Span<double> values)
    {
        if (series is not { } s)
        {
            values.Fill(double.NaN);
            return;
        }
        (values[0], values[1], values[2], values[3], values[4], values[5], values[6]) = (s.Mean, s.Median, s.P10, s.P90, s.Min, s.Max, s.Std);
    }

    private static byte[] Hash(TokenTrace trace)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        if (BitConverter.IsLittleEndian)
        {
            hash.AppendData(MemoryMarshal.AsBytes<double>(trace.Full));
            hash.AppendData(MemoryMarshal.AsBytes<double>(trace.Captured));
            return hash.GetHashAndReset();
        }
        var bytes = new byte[8 * 1024];
        foreach (var rows in new[] { trace.Full, trace.Captured })
        {
            for (var start = 0; start < rows.Length; start += 1024)
            {
                var count = Math.Min(1024, rows.Length - start);
                for (var i = 0; i < count; i++) BinaryPrimitives.WriteDoubleLittleEndian(bytes.AsSpan(8 * i), rows[start + i]);
                hash.AppendData(bytes.AsSpan(0, 8 * count));
            }
        }
        return hash.GetHashAndReset();
    }
}
