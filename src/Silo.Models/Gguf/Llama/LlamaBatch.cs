using Silo.Core;

namespace Silo.Models.Gguf.Llama;

/// <summary>Sequences over one paged cache. Full pages of a prompt are shared by its rows; the page it ends in is copied to each.</summary>
internal sealed unsafe class LlamaBatch : ISequenceBatch
{
    /// <summary>Tokens of a prompt that are read at once.</summary>
    private const int BlockLength = 64;

    private readonly LlamaModel _model;
    private readonly KeyValuePages _pages;
    private readonly Forward _forward;
    private readonly Sequence?[] _rows;
    private readonly Stack<int> _handles = new();
    private readonly ForwardToken[] _tokens;
    private readonly NativeBuffer _logits;
    private readonly NativeBuffer? _hidden;
    private readonly int _hiddenFloats;

    public LlamaBatch(LlamaModel model, BatchOptions options, int pageLimit)
    {
        _model = model;
        _pages = new KeyValuePages(model.Shape, pageLimit);
        _rows = new Sequence?[options.RowLimit];
        for (var i = options.RowLimit - 1; i >= 0; i--) _handles.Push(i);
        _forward = new Forward(model, Math.Max(options.RowLimit, BlockLength));
        _tokens = new ForwardToken[_forward.Capacity];
        _hiddenFloats = (1 + model.Shape.Layers) * model.Shape.Width;
        _logits = NativeBuffer.OfFloats((long)options.RowLimit * model.Shape.Vocabulary);
        _hidden = options.KeepHiddenStates ? NativeBuffer.OfFloats((long)options.RowLimit * _hiddenFloats) : null;
    }

    public int RowLimit => _rows.Length;

    public int Rows => _rows.Length - _handles.Count;

    public bool RowsMayJoin => true;

    public long CacheBytes => _pages.Reserved * KeyValuePages.PageBytes(_model.Shape);

    public bool TryAdd(ReadOnlySpan<int> prompt, int maxTokens, Span<int> rows)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxTokens, 0);
        if (prompt.IsEmpty) throw new SiloException($"{_model.Info.Name}: a prompt without tokens");
        foreach (var token in prompt) Check(token);
        var length = prompt.Length + (long)maxTokens;
        if (length > _model.Shape.Context)
            throw new SiloException($"{_model.Info.Name}: a prompt of {prompt.Length} tokens and {maxTokens} more exceed the context of {_model.Shape.Context}");
        var shared = prompt.Length / KeyValuePages.Positions;
        var own = KeyValuePages.PagesFor((int)length) - shared;
        // One page more while the prompt is read: the page that it ends in, before it is copied.
        if (shared + own + 1 > _pages.Limit)
            throw new SiloException($"{_model.Info.Name}: a row of {length} tokens exceeds the batch's key/value cache of {_pages.Limit * KeyValuePages.Positions} tokens");
        if (rows.Length > _handles.Count || shared + (long)own * rows.Length + 1 > _pages.Limit - _pages.Reserved) return false;
        if (rows.IsEmpty) return true;

        var pages = new nint[KeyValuePages.PagesFor(prompt.Length)];
        for (var i = 0; i < pages.Length; i++) pages[i] = _pages.Take();
        var first = _handles.Peek();
        Read(new Sequence(pages, 0, prompt.Length, null, 0), prompt, LogitsOf(first), HiddenOf(first));
        var prefix = new Prefix(pages[..shared], rows.Length);
        _pages.Reserved += shared + own * rows.Length;
        for (var r = 0; r < rows.Length; r++)
        {
            rows[r] = _handles.Pop();
            var table = new nint[shared + own];
            prefix.Pages.CopyTo(table, 0);
            for (var i = shared; i < table.Length; i++) table[i] = _pages.Take();
            if (pages.Length > shared) _pages.Copy(pages[shared], table[shared], prompt.Length % KeyValuePages.Positions);
            _rows[rows[r]] = new Sequence(table, prompt.Length, (int)length, prefix, own);
            if (r == 0) continue;
            Logits(first).CopyTo(new Span<float>((float*)LogitsOf(rows[r]), _model.Shape.Vocabulary));
            if (_hidden is not null) HiddenStates(first).CopyTo(new Span<float>((float*)HiddenOf(rows[r]), _hiddenFloats));
        }
        if (pages.Length > shared) _pages.Give(pages[shared]);
        return true;
    }

    public void Step(ReadOnlySpan<int> rows, ReadOnlySpan<int> tokens)
    {
        if (rows.Length != tokens.Length) throw new ArgumentException("one token per row expected", nameof(tokens));
        if (rows.Length > RowLimit) throw new ArgumentException("more rows than the batch has", nameof(rows));
        for (var i = 0; i < rows.Length; i++)
        {
            var sequence = Row(rows[i]);
            Check(tokens[i]);
            Room(sequence, 1);
            for (var j = 0; j < i; j++)
                if (rows[j] == rows[i]) throw new ArgumentException($"row {rows[i]} occurs twice", nameof(rows));
            _tokens[i] = new ForwardToken(sequence.Pages, tokens[i], sequence.Length, LogitsOf(rows[i]), HiddenOf(rows[i]));
        }
        if (rows.IsEmpty) return;
        _forward.Run(_tokens, rows.Length, independent: true);
        foreach (var row in rows) Row(row).Length++;
    }

    public void Extend(int row, ReadOnlySpan<int> tokens, Span<float> logits)
    {
        var sequence = Row(row);
        var vocabulary = _model.Shape.Vocabulary;
        if (logits.Length != (long)tokens.Length * vocabulary) throw new ArgumentException("V logits per token expected", nameof(logits));
        foreach (var token in tokens) Check(token);
        Room(sequence, tokens.Length);
        fixed (float* to = logits)
            for (var at = 0; at < tokens.Length; at += BlockLength)
            {
                var count = Math.Min(BlockLength, tokens.Length - at);
                for (var i = 0; i < count; i++)
                    _tokens[i] = new ForwardToken(sequence.Pages, tokens[at + i], sequence.Length + i,
                        (nint)(to + (long)(at + i) * vocabulary), at + i == tokens.Length - 1 ? HiddenOf(row) : 0);
                _forward.Run(_tokens, count, independent: false);
                sequence.Length += count;
            }
        if (!tokens.IsEmpty) logits[^vocabulary..].CopyTo(new Span<float>((float*)LogitsOf(row), vocabulary));
    }

    public ReadOnlySpan<float> Logits(int row)
    {
        _ = Row(row);
        return new ReadOnlySpan<float>((float*)LogitsOf(row), _model.Shape.Vocabulary);
    }

    public ReadOnlySpan<float> HiddenStates(int row)
    {
        if (_hidden is null) throw new NotSupportedException("the batch was opened without hidden states");
        return new ReadOnlySpan<float>((float*)HiddenOf(row), _hiddenFloats);
    }

    public void Remove(int row)
    {
        var sequence = Row(row);
        var prefix = sequence.Prefix!;
        for (var i = prefix.Pages.Length; i < sequence.Pages.Length; i++) _pages.Give(sequence.Pages[i]);
        _pages.Reserved -= sequence.OwnPages;
        if (--prefix.Rows == 0)
        {
            foreach (var page in prefix.Pages) _pages.Give(page);
            _pages.Reserved -= prefix.Pages.Length;
        }
        _rows[row] = null;
        _handles.Push(row);
    }

    public void Dispose()
    {
        _forward.Dispose();
        _pages.Dispose();
        _logits.Dispose();
        _hidden?.Dispose();
    }

    /// <summary>Reads a prompt in blocks; the last token's logits and hidden states are kept.</summary>
    private void Read(Sequence sequence, ReadOnlySpan<int> prompt, nint logits, nint hidden)
    {
        for (var at = 0; at < prompt.Length; at += BlockLength)
        {
            var count = Math.Min(BlockLength, prompt.Length - at);
            for (var i = 0; i < count; i++)
            {
                var last = at + i == prompt.Length - 1;
                _tokens[i] = new ForwardToken(sequence.Pages, prompt[at + i], at + i, last ? logits : 0, last ? hidden : 0);
            }
            _forward.Run(_tokens, count, independent: false);
        }
    }

    private void Check(int token)
    {
        if ((uint)token >= (uint)_model.Shape.Vocabulary)
            throw new SiloException($"{_model.Info.Name}: token {token} lies outside the vocabulary of {_model.Shape.Vocabulary}");
    }

    private static void Room(Sequence sequence, int tokens)
    {
        if (sequence.Length + (long)tokens > sequence.Limit)
            throw new InvalidOperationException("the row was given more tokens than it was added for");
    }

    private Sequence Row(int row) =>
        (uint)row < (uint)_rows.Length && _rows[row] is { } sequence ? sequence : throw new ArgumentOutOfRangeException(nameof(row), row, "no such row");

    private nint LogitsOf(int row) => (nint)(_logits.Floats + (long)row * _model.Shape.Vocabulary);

    private nint HiddenOf(int row) => _hidden is null ? 0 : (nint)(_hidden.Floats + (long)row * _hiddenFloats);

    private sealed class Prefix(nint[] pages, int rows)
    {
        public nint[] Pages { get; } = pages;

        public int Rows { get; set; } = rows;
    }

    private sealed class Sequence(nint[] pages, int length, int limit, Prefix? prefix, int ownPages)
    {
        public nint[] Pages { get; } = pages;

        public int Length { get; set; } = length;

        public int Limit { get; } = limit;

        public Prefix? Prefix { get; } = prefix;

        public int OwnPages { get; } = ownPages;
    }
}
