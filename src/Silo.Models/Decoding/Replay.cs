using Silo.Core;
using Silo.Experiments.Generation;

namespace Silo.Models;

/// <summary>
/// Computes the features of texts that exist, by teacher forcing: of stored texts at other temperatures (with the managed engine from the very logits
/// that they were drawn from, to the last bit), or of any text after a prompt. Not thread-safe; uses the model's threads.
/// </summary>
public sealed class Replay(ILanguageModel model)
{
    private readonly TokenWorker[] _workers = [.. Enumerable.Range(0, model.Threads).Select(_ => new TokenWorker(model.Info.VocabularySize))];

    /// <summary>The tokens of a text that follows a prompt (of the text alone, where the prompt is empty).</summary>
    public int[] TokensOf(string prompt, string text)
    {
        if (prompt.Length > 0) return model.Tokenizer.EncodeContinuation(text);
        var ids = model.Tokenizer.Encode(text);
        return ids.Length > 0 && ids[0] == model.Tokenizer.Bos ? ids[1..] : ids;
    }

    /// <summary>The feature rows of tokens after a prompt.</summary>
    /// <param name="prompt">The prompt's text.</param>
    /// <param name="tokens">The tokens; what exceeds the context is read in overlapping windows.</param>
    /// <param name="temperature">The text's own temperature, or 0, for which rows are computed at 1.</param>
    /// <param name="referenceTemperatures">Further temperatures, each &gt; 0.</param>
    /// <param name="captureK">K of the captured features, at least 1.</param>
    /// <param name="cancellationToken">Ends it early.</param>
    /// <exception cref="SiloException">A token lies outside the vocabulary, or the model can begin no text without a prompt.</exception>
    public TokenTrace Trace(string prompt, int[] tokens, double temperature, IReadOnlyList<double> referenceTemperatures, int captureK, CancellationToken cancellationToken)
    {
        var head = model.Tokenizer.EncodePrompt(prompt);
        if (head.Length == 0) throw new SiloException("the prompt is empty, and the model has no token to begin a text with");
        var trace = new TraceBuilder(temperature, referenceTemperatures, captureK, tokens.Length);
        var vocabulary = model.Info.VocabularySize;
        TeacherForcing.Walk(model, head, tokens, (index, block, logits) =>
        {
            var (ids, parts) = (block.ToArray(), Math.Min(_workers.Length, block.Length));
            Parallel.For(0, parts, part =>
            {
                for (var i = part; i < ids.Length; i += parts) trace.Compute(index + i, logits.AsSpan(i * vocabulary, vocabulary), ids[i], _workers[part]);
            });
        }, cancellationToken);
        return trace.Build(tokens.Length);
    }

    /// <summary>Sees the logits that a token was drawn from.</summary>
    /// <param name="index">0-based index of the token.</param>
    /// <param name="logits">The V logits; not to be kept.</param>
    public delegate void Step(int index, ReadOnlySpan<float> logits);

    /// <summary>Shows the logits of every token after a prompt, in order; windows as in <see cref="Trace"/>.</summary>
    /// <param name="prompt">The prompt's text.</param>
    /// <param name="tokens">The tokens.</param>
    /// <param name="see">Called for each token.</param>
    /// <param name="cancellationToken">Ends it early.</param>
    /// <exception cref="SiloException">The model can begin no text without a prompt.</exception>
    public void Logits(string prompt, int[] tokens, Step see, CancellationToken cancellationToken)
    {
        var head = model.Tokenizer.EncodePrompt(prompt);
        if (head.Length == 0) throw new SiloException("the prompt is empty, and the model has no token to begin a text with");
        var vocabulary = model.Info.VocabularySize;
        TeacherForcing.Walk(model, head, tokens, (index, block, logits) =>
        {
            for (var i = 0; i < block.Length; i++) see(index + i, logits.AsSpan(i * vocabulary, vocabulary));
        }, cancellationToken);
    }
}
