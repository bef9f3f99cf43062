using Silo.Core;

namespace Silo.Models;

/// <summary>What a batch may take.</summary>
public sealed record BatchOptions
{
    /// <summary>Most rows at a time.</summary>
    public required int RowLimit { get; init; }

    /// <summary>Most bytes of its key/value cache; 0 leaves it to the model.</summary>
    public long CacheBytes { get; init; }

    /// <summary>Whether the hidden states of each row's last token are kept.</summary>
    public bool KeepHiddenStates { get; init; }
}

/// <summary>
/// Sequences that step together. Rows of one prompt share its key/value cache; a row's logits depend on its own tokens alone. Not thread-safe.
/// </summary>
public interface ISequenceBatch : IDisposable
{
    /// <summary>Most rows at a time.</summary>
    int RowLimit { get; }

    /// <summary>Rows that have been added and not removed.</summary>
    int Rows { get; }

    /// <summary>Bytes of key/value cache that the rows hold, or are promised; 0 where the back end does not tell.</summary>
    long CacheBytes => 0;

    /// <summary>
    /// Whether rows may be added after the first step. Where not, a batch is filled and run to its end: each step steps all rows that have not been
    /// removed, and only a row that is alone can be extended. When all have been removed it can be filled again.
    /// </summary>
    bool RowsMayJoin { get; }

    /// <summary>
    /// Adds rows that go on from a prompt, which is read once. Their logits after the prompt can be read thereafter. False where they do not
    /// fit now, beside the rows that are there; nothing has changed then.
    /// </summary>
    /// <param name="prompt">Token ids, at least one.</param>
    /// <param name="maxTokens">Most tokens that each row will be given by <see cref="Step"/> and <see cref="Extend"/>.</param>
    /// <param name="rows">Receives a handle per row: 0 up to <see cref="RowLimit"/>, exclusive; its length says how many.</param>
    /// <exception cref="SiloException">Not even one can ever fit: prompt and tokens exceed the context or the cache; or a token id lies outside the vocabulary.</exception>
    bool TryAdd(ReadOnlySpan<int> prompt, int maxTokens, Span<int> rows);

    /// <summary>Gives each of some rows its next token; their logits can be read thereafter. The other rows stay as they are.</summary>
    /// <param name="rows">Different rows.</param>
    /// <param name="tokens">A token id for each.</param>
    void Step(ReadOnlySpan<int> rows, ReadOnlySpan<int> tokens);

    /// <summary>Gives one row several tokens, and returns the logits after each of them: the same as so many steps.</summary>
    /// <param name="row">The row.</param>
    /// <param name="tokens">The token ids.</param>
    /// <param name="logits">Receives [tokens x V], row-major.</param>
    void Extend(int row, ReadOnlySpan<int> tokens, Span<float> logits);

    /// <summary>The raw logits, V values, that follow the row's last token. Valid until the row steps or leaves.</summary>
    ReadOnlySpan<float> Logits(int row);

    /// <summary>
    /// The same logits, to be read by any thread while the row steps; valid until the step after that begins. Null where the engine writes over them.
    /// </summary>
    ReadOnlyMemory<float>? KeptLogits(int row) => null;

    /// <summary>
    /// The hidden states of the row's last token, [1 + layers x width]: its embedding, then the residual stream after each block, before the final norm.
    /// </summary>
    /// <exception cref="NotSupportedException">They are not kept, or the model gives none.</exception>
    ReadOnlySpan<float> HiddenStates(int row);

    /// <summary>Takes a row out; its handle may be given to another.</summary>
    void Remove(int row);
}
