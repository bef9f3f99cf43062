using System.Buffers;
using System.Runtime.InteropServices;
using Silo.Core;
using Silo.Models.OnnxGenAI.Native;

namespace Silo.Models.OnnxGenAI;

/// <summary>
/// Rows of one generator. It is made when the first logits are asked for; then all its rows step together until they are done. Sampling is ours: where
/// there are several rows the runtime is shown logits that leave it no choice (<c>AppendTokens</c> takes one row alone). A row that is done goes
/// on being computed, with a token that nobody looks at.
/// </summary>
internal sealed unsafe class GenAIBatch : ISequenceBatch
{
    private const float Never = -1e30f;

    private readonly GenAIModel _model;
    private readonly long _budget;
    private readonly bool _keepHidden;
    private readonly List<Row> _rows = [];
    private int _live, _padded, _most;
    private long _reserved;
    private OgaGenerator? _generator;

    // The logits of this step and of the one before: the runtime gives a copy of its own each time.
    private NativeLogits? _logits, _before;
    private float[] _extended = [];
    private ForcedTokens? _forced;
    private float[] _hidden = [];

    /// <param name="model">The model.</param>
    /// <param name="options">What the batch may take.</param>
    /// <param name="budget">Most bytes of the device's memory for its cache and a prompt's logits.</param>
    public GenAIBatch(GenAIModel model, BatchOptions options, long budget)
    {
        (_model, _budget) = (model, budget);
        RowLimit = Math.Min(options.RowLimit, Oga.MaxRows);
        _keepHidden = options.KeepHiddenStates && model.Folder.HiddenStates.Count > 0;
    }

    public int RowLimit { get; }

    public int Rows => _live;

    public bool RowsMayJoin => false;

    public long CacheBytes => _reserved;

    private int Vocabulary => _model.Info.VocabularySize;

    public bool TryAdd(ReadOnlySpan<int> prompt, int maxTokens, Span<int> rows)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxTokens, 0);
        if (prompt.IsEmpty) throw new SiloException($"{_model.Info.Name}: a prompt without tokens");
        foreach (var token in prompt) Check(token);
        if (prompt[^1] == _model.PadToken) throw new SiloException($"{_model.Info.Name}: a prompt ends in token {_model.PadToken}, an end of text; the runtime would not see where it ends");
        var length = prompt.Length + (long)maxTokens;
        if (length > _model.Info.ContextLength)
            throw new SiloException($"{_model.Info.Name}: a prompt of {prompt.Length} tokens and {maxTokens} more exceed the context of {_model.Info.ContextLength}");
        if (BytesOf(1, prompt.Length, maxTokens) > _budget)
            throw new SiloException($"{_model.Info.Name}: a row of {length} tokens takes {BytesOf(1, prompt.Length, maxTokens) / 1e6:0.0} MB, more than the batch's {_budget / 1e6:0.0} MB");
        if (rows.IsEmpty) return true;
        if (_generator is not null || rows.Length > RowLimit - _rows.Count) return false;
        // Shorter prompts are filled up to the longest, and the longest text sets the length of all.
        var (padded, most) = (Math.Max(_padded, prompt.Length), Math.Max(_most, maxTokens));
        if (padded + (long)most > _model.Info.ContextLength) return false;
        if (!_model.Folder.GivesAllLogits && _rows.Count > 0 && prompt.Length != _padded) return false;
        var bytes = BytesOf(_rows.Count + rows.Length, padded, most);
        if (bytes > _budget || !_model.TryReserve(bytes - _reserved)) return false;
        (_padded, _most, _reserved) = (padded, most, bytes);
        var tokens = prompt.ToArray();
        for (var r = 0; r < rows.Length; r++)
        {
            rows[r] = _rows.Count;
            _rows.Add(new Row(tokens, maxTokens));
        }
        _live += rows.Length;
        return true;
    }

    public void Step(ReadOnlySpan<int> rows, ReadOnlySpan<int> tokens)
    {
        if (rows.Length != tokens.Length) throw new ArgumentException("one token per row expected", nameof(tokens));
        if (rows.Length > RowLimit) throw new ArgumentException("more rows than the batch has", nameof(rows));
        if (rows.IsEmpty) return;
        Span<int> next = stackalloc int[_rows.Count];
        // Rows that are done get any token that does not end them.
        next.Fill(_model.PadToken == 0 ? 1 : 0);
        Span<bool> seen = stackalloc bool[_rows.Count];
        for (var i = 0; i < rows.Length; i++)
        {
            var row = RowAt(rows[i]);
            Check(tokens[i]);
            Room(row, 1);
            if (seen[rows[i]]) throw new ArgumentException($"row {rows[i]} occurs twice", nameof(rows));
            if (tokens[i] == _model.PadToken && _rows.Count > 1)
                throw new SiloException($"{_model.Info.Name}: no row goes on after token {tokens[i]}, an end of text, beside others");
            (seen[rows[i]], next[rows[i]]) = (true, tokens[i]);
        }
        if (rows.Length < _live) throw new InvalidOperationException("all rows of this batch step together: those that are done must be removed");
        lock (_model.Gate)
        {
            Start();
            // The logits before these have been valid for a whole step.
            _before?.Dispose();
            (_before, _logits) = (_logits, null);
            if (_rows.Count == 1) Append(next);
            else Force(next);
            Read(prompt: false);
        }
        foreach (var row in rows) _rows[row].Given++;
    }

    public void Extend(int row, ReadOnlySpan<int> tokens, Span<float> logits)
    {
        var extended = RowAt(row);
        if (logits.Length != (long)tokens.Length * Vocabulary) throw new ArgumentException("V logits per token expected", nameof(logits));
        foreach (var token in tokens) Check(token);
        Room(extended, tokens.Length);
        if (_rows.Count > 1) throw new InvalidOperationException("only a row that is alone can be given several tokens at once");
        if (tokens.IsEmpty) return;
        if (!_model.Folder.GivesAllLogits)
        {
            for (var i = 0; i < tokens.Length; i++)
            {
                Step([row], tokens.Slice(i, 1));
                LogitsOf(row).CopyTo(logits.Slice(i * Vocabulary, Vocabulary));
            }
            return;
        }
        lock (_model.Gate)
        {
            Start();
            Append(tokens);
            Oga.Check(Oga.GeneratorGetOutput(_generator!, _model.Folder.LogitsName, out var output));
            using (output) Tensors.CopyFloats(output, 0, logits);
            _extended = logits[^Vocabulary..].ToArray();
            ReadHidden(index: tokens.Length - 1);
        }
        extended.Given += tokens.Length;
    }

    public ReadOnlySpan<float> Logits(int row)
    {
        _ = RowAt(row);
        if (_logits is null && _extended.Length == 0)
            lock (_model.Gate) Start();
        return LogitsOf(row);
    }

    public ReadOnlyMemory<float>? KeptLogits(int row)
    {
        Logits(row);
        return _extended.Length > 0 ? _extended : _logits!.Memory.Slice(row * Vocabulary, Vocabulary);
    }

    public ReadOnlySpan<float> HiddenStates(int row)
    {
        if (!_keepHidden) throw new NotSupportedException("the batch was opened without hidden states, or the graph has no outputs hidden_states.0 to hidden_states.L");
        Logits(row);
        var floats = (1 + _model.Info.Layers) * _model.Info.Width;
        return _hidden.AsSpan(row * floats, floats);
    }

    public void Remove(int row)
    {
        RowAt(row).Live = false;
        if (--_live == 0) Clear();
    }

    public void Dispose()
    {
        Clear();
        _before?.Dispose();
        _before = null;
    }

    private ReadOnlySpan<float> LogitsOf(int row) => _extended.Length > 0 ? _extended : _logits!.Memory.Span.Slice(row * Vocabulary, Vocabulary);

    /// <summary>Makes the generator and reads the prompts, unless that is done. The gate is held.</summary>
    private void Start()
    {
        if (_generator is not null) return;
        Oga.Check(Oga.CreateGeneratorParams(_model.Handle, out var parameters));
        using (parameters)
        {
            foreach (var (name, value) in (ReadOnlySpan<(string, double)>)
                     [("max_length", _padded + _most), ("batch_size", _rows.Count), ("num_beams", 1), ("num_return_sequences", 1), ("min_length", 0), ("repetition_penalty", 1), ("no_repeat_ngram_size", 0)])
                Oga.Check(Oga.GeneratorParamsSetSearchNumber(parameters, name, value));
            Oga.Check(Oga.GeneratorParamsSetSearchBool(parameters, "do_sample", false));
            Oga.Check(Oga.CreateGenerator(_model.Handle, parameters, out _generator));
        }
        var tokens = new int[_rows.Count * _padded];
        Array.Fill(tokens, _model.PadToken);
        for (var i = 0; i < _rows.Count; i++) _rows[i].Prompt.CopyTo(tokens, i * _padded);
        try
        {
            Append(tokens);
            Read(prompt: true);
        }
        catch
        {
            // A generator that has read nothing, or not all, must not be taken for one that has.
            _generator.Dispose();
            _generator = null;
            throw;
        }
    }

    private void Append(ReadOnlySpan<int> tokens)
    {
        fixed (int* first = tokens) Oga.Check(Oga.GeneratorAppendTokens(_generator!, first, (nuint)tokens.Length));
    }

    /// <summary>Makes the runtime choose these tokens: logits of 0 for them, and of as good as nothing for all others.</summary>
    private void Force(ReadOnlySpan<int> tokens)
    {
        _forced ??= new ForcedTokens(_rows.Count, Vocabulary);
        _forced.Set(tokens);
        Oga.Check(Oga.GeneratorSetLogits(_generator!, _forced.Tensor));
        Oga.Check(Oga.GeneratorGenerateNextToken(_generator!));
        Oga.Check(Oga.GeneratorGetNextTokens(_generator!, out var chosen, out var count));
        if (!tokens.SequenceEqual(new ReadOnlySpan<int>(chosen, (int)count))) throw new OgaException("the runtime did not take the tokens that it was given");
    }

    /// <summary>Takes over the logits, and the hidden states where they are wanted, of each row's last token.</summary>
    private void Read(bool prompt)
    {
        Oga.Check(Oga.GeneratorGetLogits(_generator!, out var tensor));
        _logits = new NativeLogits(tensor, _rows.Count * Vocabulary);
        _extended = [];
        ReadHidden(prompt ? null : 0);
    }

    /// <param name="index">Position of the last token in the forward pass; null: the end of each row's prompt.</param>
    private void ReadHidden(int? index)
    {
        if (!_keepHidden) return;
        var (layers, width) = (1 + _model.Info.Layers, _model.Info.Width);
        if (_hidden.Length == 0) _hidden = new float[_rows.Count * layers * width];
        for (var layer = 0; layer < layers; layer++)
        {
            Oga.Check(Oga.GeneratorGetOutput(_generator!, _model.Folder.HiddenStates[layer], out var output));
            using (output)
            {
                var positions = Tensors.Count(output) / width / _rows.Count;
                for (var row = 0; row < _rows.Count; row++)
                    Tensors.CopyFloats(output, ((row * positions) + (index ?? _rows[row].Prompt.Length - 1)) * width, _hidden.AsSpan(((row * layers) + layer) * width, width));
            }
        }
    }

    /// <summary>Bytes that rows take: their cache, and their prompts' logits, of which the runtime computes every position (and, from 16 bits, a float32 copy).</summary>
    private long BytesOf(int rows, int padded, int most)
    {
        var folder = _model.Folder;
        var cache = (padded + (long)most) * folder.CacheBytesPerToken * (folder.SharesCache ? 1 : 2);
        var perLogit = OnnxHeader.BitsOf(folder.LogitsType) / 8 + (folder.LogitsType == Oga.Float32 ? 0 : sizeof(float));
        return rows * (cache + ((folder.GivesAllLogits ? padded : 1L) * Vocabulary * perLogit));
    }

    private void Clear()
    {
        // The logits of the last step may still be read, until there is another.
        _before?.Dispose();
        _generator?.Dispose();
        _forced?.Dispose();
        (_before, _logits, _generator, _forced, _extended, _hidden) = (_logits, null, null, null, [], []);
        _rows.Clear();
        _model.Release(_reserved);
        (_live, _padded, _most, _reserved) = (0, 0, 0, 0);
    }

    private void Check(int token)
    {
        if ((uint)token >= (uint)Vocabulary) throw new SiloException($"{_model.Info.Name}: token {token} lies outside the vocabulary of {Vocabulary}");
    }

    private static void Room(Row row, int tokens)
    {
        if (row.Given + (long)tokens > row.MaxTokens) throw new InvalidOperationException("the row was given more tokens than it was added for");
    }

    private Row RowAt(int row) =>
        (uint)row < (uint)_rows.Count && _rows[row].Live ? _rows[row] : throw new ArgumentOutOfRangeException(nameof(row), row, "no such row");

    private sealed class Row(int[] prompt, int maxTokens)
    {
        public int[] Prompt { get; } = prompt;

        public int MaxTokens { get; } = maxTokens;

        public int Given { get; set; }

        public bool Live { get; set; } = true;
    }

    /// <summary>The runtime's copy of a step's logits.</summary>
    private sealed class NativeLogits(OgaTensor tensor, int count) : MemoryManager<float>
    {
        private readonly nint _data = Checked(tensor, count);

        private static nint Checked(OgaTensor tensor, int count)
        {
            try
            {
                Oga.Check(Oga.TensorGetType(tensor, out var type));
                if (type != Oga.Float32 || Tensors.Count(tensor) != count) throw new OgaException($"logits of element type {type}, {Tensors.Count(tensor)} of them, where {count} float32 were expected");
                return (nint)Tensors.Data(tensor);
            }
            catch
            {
                tensor.Dispose();
                throw;
            }
        }

        public override Span<float> GetSpan() => new((float*)_data, count);

        public override MemoryHandle Pin(int elementIndex = 0) => new((float*)_data + elementIndex);

        public override void Unpin() { }

        public void Dispose() => Dispose(disposing: true);

        protected override void Dispose(bool disposing) => tensor.Dispose();
    }

    /// <summary>Logits of which one a row is 0 and all others are <see cref="Never"/>; only what changes is written.</summary>
    private sealed class ForcedTokens : IDisposable
    {
        private readonly float* _values;
        private readonly int _vocabulary;
        private readonly int[] _tokens;

        public ForcedTokens(int rows, int vocabulary)
        {
            (_vocabulary, _tokens) = (vocabulary, new int[rows]);
            var count = (nuint)rows * (nuint)vocabulary;
            _values = (float*)NativeMemory.Alloc(count, sizeof(float));
            for (var row = 0; row < rows; row++) new Span<float>(_values + ((long)row * vocabulary), vocabulary).Fill(Never);
            var sizes = stackalloc long[] { rows, 1, vocabulary };
            try
            {
                Oga.Check(Oga.CreateTensorFromBuffer(_values, sizes, 3, Oga.Float32, out var tensor));
                Tensor = tensor;
            }
            catch
            {
                NativeMemory.Free(_values);
                throw;
            }
        }

        public OgaTensor Tensor { get; }

        public void Set(ReadOnlySpan<int> tokens)
        {
            for (var row = 0; row < tokens.Length; row++)
            {
                _values[((long)row * _vocabulary) + _tokens[row]] = Never;
                _values[((long)row * _vocabulary) + tokens[row]] = 0;
                _tokens[row] = tokens[row];
            }
        }

        public void Dispose()
        {
            Tensor.Dispose();
            NativeMemory.Free(_values);
        }
    }
}
