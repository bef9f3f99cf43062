using System.Diagnostics;
using Silo.Experiments.Generation;
using Silo.Models.OnnxGenAI.Native;

namespace Silo.Models.OnnxGenAI;

/// <summary>Seconds of a step's parts, each the quickest of many steps.</summary>
/// <param name="CopyOut">The runtime's copy of all rows' logits for us; on a GPU from the device.</param>
/// <param name="CopyIn">Ours for the runtime, which forces its tokens; on a GPU to the device.</param>
/// <param name="OwnSampling">Sampling of all rows by <see cref="Sampler"/>, on one thread.</param>
/// <param name="RuntimeSampling">The same by the runtime, with top_k = 0 and top_p = 1.</param>
internal sealed record GenAIProbeResult(double CopyOut, double CopyIn, double OwnSampling, double RuntimeSampling);

/// <summary>Times what lies between the runtime and us.</summary>
internal static unsafe class GenAIProbe
{
    public static GenAIProbeResult Run(GenAIModel model, int rows, int steps)
    {
        lock (model.Gate)
        {
            Oga.Check(Oga.CreateGeneratorParams(model.Handle, out var parameters));
            OgaGenerator generator;
            using (parameters)
            {
                foreach (var (name, value) in (ReadOnlySpan<(string, double)>)[("max_length", steps + 1), ("batch_size", rows), ("num_beams", 1), ("top_k", 0), ("top_p", 1), ("temperature", 1), ("random_seed", 7)])
                    Oga.Check(Oga.GeneratorParamsSetSearchNumber(parameters, name, value));
                Oga.Check(Oga.GeneratorParamsSetSearchBool(parameters, "do_sample", true));
                Oga.Check(Oga.CreateGenerator(model.Handle, parameters, out generator));
            }
            using (generator) return Run(model, generator, rows, steps);
        }
    }

    private static GenAIProbeResult Run(GenAIModel model, OgaGenerator generator, int rows, int steps)
    {
        var first = Enumerable.Repeat(model.Info.VocabularySize / 2, rows).ToArray();
        fixed (int* tokens = first) Oga.Check(Oga.GeneratorAppendTokens(generator, tokens, (nuint)rows));
        var (sampler, options, vocabulary) = (new Sampler(model.Info.VocabularySize), new SamplerOptions(), model.Info.VocabularySize);
        var (copyOut, copyIn, own, runtime) = (double.MaxValue, double.MaxValue, double.MaxValue, double.MaxValue);
        static double Since(long start) => Stopwatch.GetElapsedTime(start).TotalSeconds;
        for (var step = 0; step < steps; step++)
        {
            // The first call computes them.
            Oga.Check(Oga.GeneratorGetLogits(generator, out var computed));
            computed.Dispose();
            var start = Stopwatch.GetTimestamp();
            Oga.Check(Oga.GeneratorGetLogits(generator, out var logits));
            copyOut = Math.Min(copyOut, Since(start));
            using (logits)
            {
                var values = (float*)Tensors.Data(logits);
                start = Stopwatch.GetTimestamp();
                for (var row = 0; row < rows; row++) sampler.Sample(new ReadOnlySpan<float>(values + ((long)row * vocabulary), vocabulary), 1, options, (row + .5) / rows);
                own = Math.Min(own, Since(start));
                start = Stopwatch.GetTimestamp();
                Oga.Check(Oga.GeneratorSetLogits(generator, logits));
                copyIn = Math.Min(copyIn, Since(start));
            }
            start = Stopwatch.GetTimestamp();
            Oga.Check(Oga.GeneratorGenerateNextToken(generator));
            runtime = Math.Min(runtime, Since(start));
        }
        return new GenAIProbeResult(copyOut, copyIn, own, runtime);
    }
}
