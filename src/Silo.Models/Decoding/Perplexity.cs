using System.Numerics.Tensors;
using System.Text;
using Silo.Core;
using Silo.Core.Numerics;

namespace Silo.Models;

/// <summary>How well a model predicts a text.</summary>
/// <param name="BitsPerByte">-log2 of the text's probability, per UTF-8 byte.</param>
/// <param name="TokenPerplexity">e to the mean negative log-probability of a token.</param>
/// <param name="Tokens">Tokens that were scored.</param>
/// <param name="Bytes">UTF-8 bytes of the text: all but the end-of-text lines.</param>
public sealed record PerplexityResult(double BitsPerByte, double TokenPerplexity, long Tokens, long Bytes);

/// <summary>Perplexity of a corpus, document by document.</summary>
public static class Perplexity
{
    /// <summary>The line that divides documents; it is not scored.</summary>
    public const string EndOfText = "<|endoftext|>";

    /// <summary>
    /// Scores every token of every document once, in windows of the context's length with a stride of half of it, each begun with the
    /// beginning-of-text token.
    /// </summary>
    /// <param name="model">The model.</param>
    /// <param name="text">The documents, divided by lines that are <see cref="EndOfText"/>, which are scored no more than their line ends.</param>
    /// <param name="progress">Is told, after each document, how many bytes are done.</param>
    /// <param name="cancellationToken">Ends it early.</param>
    /// <exception cref="SiloException">There is nothing to score, or the model has no token to begin a text with.</exception>
    public static PerplexityResult Measure(ILanguageModel model, string text, Action<long>? progress, CancellationToken cancellationToken)
    {
        if (model.Tokenizer.Bos is not { } bos) throw new SiloException($"{model.Info.Name}: no token to begin a text with");
        var (nats, tokens, bytes) = (0.0, 0L, 0L);
        foreach (var document in Documents(text))
        {
            var ids = model.Tokenizer.Encode(document);
            ids = ids[0] == bos ? ids[1..] : ids;
            TeacherForcing.Walk(model, [bos], ids, (_, block, logits) =>
            {
                var (expected, losses) = (block.ToArray(), new double[block.Length]);
                Parallel.For(0, expected.Length, new ParallelOptions { MaxDegreeOfParallelism = model.Threads }, i =>
                    losses[i] = -LogProbability(logits.AsSpan(i * model.Info.VocabularySize, model.Info.VocabularySize), expected[i]));
                foreach (var loss in losses) nats += loss;
            }, cancellationToken);
            tokens += ids.Length;
            bytes += Encoding.UTF8.GetByteCount(document);
            progress?.Invoke(bytes);
        }
        if (tokens == 0) throw new SiloException("there is no text to score");
        return new PerplexityResult(nats / Math.Log(2) / bytes, Math.Exp(nats / tokens), tokens, bytes);
    }

    /// <summary>The documents of a corpus: all of its text but the dividing lines with their own line ends; empty ones are none.</summary>
    internal static IEnumerable<string> Documents(string text)
    {
        for (int start = 0, line = 0; line <= text.Length;)
        {
            var end = text.IndexOf('\n', line);
            var next = end < 0 ? text.Length + 1 : end + 1;
            var divides = text.AsSpan(line, Math.Min(next - 1, text.Length) - line).TrimEnd('\r').SequenceEqual(EndOfText);
            if (divides || end < 0)
            {
                var document = text[start..(divides ? line : text.Length)];
                if (document.Length > 0) yield return document;
                start = next;
            }
            line = next;
        }
    }

    /// <summary>log softmax(z)[token], in float64.</summary>
    internal static double LogProbability(ReadOnlySpan<float> logits, int token)
    {
        double max = TensorPrimitives.Max(logits);
        Span<double> terms = stackalloc double[256];
        var sum = 0.0;
        for (var at = 0; at < logits.Length; at += terms.Length)
        {
            var block = terms[..Math.Min(terms.Length, logits.Length - at)];
            for (var i = 0; i < block.Length; i++) block[i] = logits[at + i] - max;
            DeterministicMath.Exp(block, block);
            foreach (var term in block) sum += term;
        }
        return logits[token] - max - DeterministicMath.Log(sum);
    }
}
