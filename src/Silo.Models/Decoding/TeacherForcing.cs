namespace Silo.Models;

/// <summary>Feeds a model given tokens and shows the logits that each of them had been drawn from.</summary>
internal static class TeacherForcing
{
    /// <summary>Tokens whose logits are shown at once.</summary>
    private const int BlockLength = 64;

    /// <summary>Sees the logits [tokens x V] that precede the tokens from an index on.</summary>
    public delegate void Block(int index, ReadOnlySpan<int> tokens, float[] logits);

    /// <summary>
    /// Shows every token's logits once, in order. What fits into the context is read in one piece, with the bits that sampling saw. What does not is
    /// read in windows of the context's length: each begins with the beginning-of-text id (where the prompt has it) and half a context of what went before, and shows the next half.
    /// </summary>
    /// <param name="model">The model.</param>
    /// <param name="prompt">What precedes the tokens, at least one id; not shown.</param>
    /// <param name="tokens">The tokens.</param>
    /// <param name="see">Called for each block of tokens.</param>
    /// <param name="cancellationToken">Ends it between blocks.</param>
    public static void Walk(ILanguageModel model, int[] prompt, int[] tokens, Block see, CancellationToken cancellationToken)
    {
        var context = model.Info.ContextLength;
        using var batch = model.CreateBatch(new BatchOptions { RowLimit = 1 });
        var all = (int[])[.. prompt, .. tokens];
        var begin = prompt[0] == model.Tokenizer.Bos ? prompt[..1] : [];
        for (var at = 0; at < tokens.Length;)
        {
            var before = prompt.Length + at;
            var head = at == 0 && before < context ? prompt : [.. begin, .. all.AsSpan(before - (context / 2 - begin.Length), context / 2 - begin.Length)];
            var count = Math.Min(context - head.Length, tokens.Length - at);
            Window(model, batch, head, tokens, at, count, see, cancellationToken);
            at += count;
        }
    }

    private static void Window(ILanguageModel model, ISequenceBatch batch, int[] head, int[] tokens, int from, int count, Block see, CancellationToken cancellationToken)
    {
        var vocabulary = model.Info.VocabularySize;
        var logits = new float[Math.Min(BlockLength, count) * vocabulary];
        Span<int> row = stackalloc int[1];
        if (!batch.TryAdd(head, count, row)) throw new InvalidOperationException("the only row of a batch has no room");
        batch.Logits(row[0]).CopyTo(logits);
        see(from, tokens.AsSpan(from, 1), logits);
        for (var at = from + 1; at < from + count; at += BlockLength)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var length = Math.Min(BlockLength, from + count - at);
            // The logits that a token was drawn from follow the token before it.
            batch.Extend(row[0], tokens.AsSpan(at - 1, length), logits.AsSpan(0, length * vocabulary));
            see(at, tokens.AsSpan(at, length), logits);
        }
        batch.Remove(row[0]);
    }
}
