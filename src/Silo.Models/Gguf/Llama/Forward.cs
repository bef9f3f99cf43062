namespace Silo.Models.Gguf.Llama;

/// <summary>One token to be read: of which sequence, at which position, and where its results go.</summary>
/// <param name="Pages">The sequence's pages; those for positions up to this one are there.</param>
/// <param name="Token">The token's id.</param>
/// <param name="Position">Its position, from 0.</param>
/// <param name="Logits">Receives the V logits, or 0 where they are not wanted.</param>
/// <param name="Hidden">Receives the hidden states [1 + layers x width], or 0.</param>
internal readonly record struct ForwardToken(nint[] Pages, int Token, int Position, nint Logits, nint Hidden);

/// <summary>The forward pass and its buffers: any tokens of any sequences at once. Not thread-safe; uses threads itself.</summary>
internal sealed unsafe class Forward : IDisposable
{
    /// <summary>Multiplications above which it pays to share a product among threads.</summary>
    private const long ShareAbove = 1 << 20;

    private readonly LlamaModel _model;
    private readonly LlamaShape _shape;
    private readonly int _capacity, _stateStride, _queryStride, _qkvStride, _gateUpStride, _feedStride, _logitsStride;
    private readonly NativeBuffer _state, _normed, _qkv, _attended, _gateUp, _activated, _logits, _scratch;
    private readonly int _scratchFloats;
    private readonly float _scale;

    /// <param name="model">The model.</param>
    /// <param name="capacity">Most tokens at once.</param>
    public Forward(LlamaModel model, int capacity)
    {
        (_model, _shape, _capacity) = (model, model.Shape, capacity);
        var block = model.Weights.Blocks[0];
        _stateStride = block.Down.Stride;
        _queryStride = PackedMatrix.Apart(_shape.Heads * _shape.HeadSize);
        _qkvStride = block.QueryKeyValue.Stride;
        _gateUpStride = block.GateUp.Stride;
        _feedStride = PackedMatrix.Apart(_shape.FeedForward);
        _logitsStride = model.Weights.Output.Stride;
        _scratchFloats = (MatrixProduct.Scratch + Attention.Scratch(_shape) + 15) / 16 * 16;
        _state = NativeBuffer.OfFloats((long)capacity * _stateStride);
        _normed = NativeBuffer.OfFloats((long)capacity * _stateStride);
        _qkv = NativeBuffer.OfFloats((long)capacity * _qkvStride);
        _attended = NativeBuffer.OfFloats((long)capacity * _queryStride);
        _gateUp = NativeBuffer.OfFloats((long)capacity * _gateUpStride);
        _activated = NativeBuffer.OfFloats((long)capacity * _feedStride);
        _logits = NativeBuffer.OfFloats((long)capacity * _logitsStride);
        _scratch = NativeBuffer.OfFloats((long)model.Threads * _scratchFloats);
        _scale = 1f / MathF.Sqrt(_shape.HeadSize);
    }

    /// <summary>Most tokens at once.</summary>
    public int Capacity => _capacity;

    /// <summary>Reads the tokens.</summary>
    /// <param name="tokens">At most <see cref="Capacity"/> tokens; those of one sequence in the order of their positions.</param>
    /// <param name="count">How many of the array.</param>
    /// <param name="independent">Whether they are all of different sequences.</param>
    public void Run(ForwardToken[] tokens, int count, bool independent)
    {
        var parts = Math.Min(_model.Threads, count);
        if (parts > 1 && independent && _model.SharesRows)
            Share(parts, part => Layers(tokens, count * part / parts, count * (part + 1) / parts, part, alone: true));
        else
            Layers(tokens, 0, count, 0, alone: _model.Threads == 1);
    }

    public void Dispose()
    {
        foreach (var buffer in new[] { _state, _normed, _qkv, _attended, _gateUp, _activated, _logits, _scratch }) buffer.Dispose();
    }

    /// <summary>All layers for tokens from..to, with the scratch memory of a worker; alone, or sharing the work among all threads.</summary>
    private void Layers(ForwardToken[] tokens, int from, int to, int worker, bool alone)
    {
        var weights = _model.Weights;
        for (var i = from; i < to; i++)
        {
            weights.Embedding.Row(tokens[i].Token, new Span<float>(State(i), _shape.Width));
            KeepHidden(tokens[i], i, 0);
        }
        for (var layer = 0; layer < _shape.Layers; layer++)
        {
            var block = weights.Blocks[layer];
            for (var i = from; i < to; i++) Norm(i, block.AttentionNorm, i);
            Product(block.QueryKeyValue, _normed, _stateStride, _qkv, _qkvStride, false, from, to, worker, alone);
            for (var i = from; i < to; i++) RotateAndStore(tokens[i], i, layer);
            if (alone || to - from == 1) Attend(tokens, from, to, layer, worker);
            else Share(Math.Min(_model.Threads, to - from), part => Attend(tokens, Part(from, to, part), Part(from, to, part + 1), layer, part));
            Product(block.AttentionOutput, _attended, _queryStride, _state, _stateStride, true, from, to, worker, alone);
            for (var i = from; i < to; i++) Norm(i, block.FeedForwardNorm, i);
            Product(block.GateUp, _normed, _stateStride, _gateUp, _gateUpStride, false, from, to, worker, alone);
            for (var i = from; i < to; i++)
            {
                var gate = _gateUp.Floats + (long)i * _gateUpStride;
                VectorMath.SwiGlu(gate, gate + _shape.FeedForward, _activated.Floats + (long)i * _feedStride, _shape.FeedForward);
            }
            Product(block.Down, _activated, _feedStride, _state, _stateStride, true, from, to, worker, alone);
            for (var i = from; i < to; i++) KeepHidden(tokens[i], i, layer + 1);
        }
        Logits(tokens, from, to, worker, alone);
    }

    /// <summary>Logits of the tokens that want them, computed side by side and then taken to their places.</summary>
    private void Logits(ForwardToken[] tokens, int from, int to, int worker, bool alone)
    {
        var end = from;
        for (var i = from; i < to; i++)
            if (tokens[i].Logits != 0) Norm(i, _model.Weights.OutputNorm, end++);
        if (end == from) return;
        Product(_model.Weights.Output, _normed, _stateStride, _logits, _logitsStride, false, from, end, worker, alone);
        for (int i = from, j = from; i < to; i++)
            if (tokens[i].Logits != 0)
                new Span<float>(_logits.Floats + (long)j++ * _logitsStride, _shape.Vocabulary).CopyTo(new Span<float>((float*)tokens[i].Logits, _shape.Vocabulary));
    }

    private void Product(PackedMatrix w, NativeBuffer x, int xStride, NativeBuffer y, int yStride, bool add, int from, int to, int worker, bool alone) =>
        Product(w, x.Floats + (long)from * xStride, xStride, y.Floats + (long)from * yStride, yStride, add, to - from, worker, alone);

    private void Product(PackedMatrix w, float* x, int xStride, float* y, int yStride, bool add, int rows, int worker, bool alone)
    {
        if (alone || (long)w.Inputs * w.Outputs * rows < ShareAbove)
            MatrixProduct.Multiply(w, x, xStride, rows, y, yStride, add, 0, w.Panels, Scratch(worker));
        else ShareProduct(w, x, xStride, rows, y, yStride, add);
    }

    // Apart, so that the closure costs nothing where it is not needed.
    private void ShareProduct(PackedMatrix w, float* x, int xStride, int rows, float* y, int yStride, bool add)
    {
        var parts = Math.Min(_model.Threads, w.Panels);
        Share(parts, part => MatrixProduct.Multiply(
            w, x, xStride, rows, y, yStride, add, w.Panels * part / parts, w.Panels * (part + 1) / parts, Scratch(part)));
    }

    private void RotateAndStore(in ForwardToken token, int row, int layer)
    {
        var headSize = _shape.HeadSize;
        var query = _qkv.Floats + (long)row * _qkvStride;
        var keys = query + _shape.Heads * headSize;
        var values = keys + _shape.KeyValueHeads * headSize;
        _model.Rotary.Turn(query, _shape.Heads, headSize, token.Position, _scale);
        _model.Rotary.Turn(keys, _shape.KeyValueHeads, headSize, token.Position, 1);
        Attention.Write(keys, values, (float*)token.Pages[token.Position / KeyValuePages.Positions] + LayerOffset(layer), token.Position % KeyValuePages.Positions, _shape);
    }

    private void Attend(ForwardToken[] tokens, int from, int to, int layer, int worker)
    {
        for (var i = from; i < to; i++)
            fixed (nint* pages = tokens[i].Pages)
                Attention.Attend(_qkv.Floats + (long)i * _qkvStride, pages, LayerOffset(layer), _shape, tokens[i].Position + 1,
                    Scratch(worker) + MatrixProduct.Scratch, _attended.Floats + (long)i * _queryStride);
    }

    private void Norm(int row, NativeBuffer weight, int to) => VectorMath.RmsNorm(
        State(row), weight.Floats, _normed.Floats + (long)to * _stateStride, _shape.Width, (_shape.Width + 7) / 8 * 8, _shape.Epsilon);

    private void KeepHidden(in ForwardToken token, int row, int level)
    {
        if (token.Hidden != 0) new Span<float>(State(row), _shape.Width).CopyTo(new Span<float>((float*)token.Hidden + (long)level * _shape.Width, _shape.Width));
    }

    private int Part(int from, int to, int part) => from + (to - from) * part / Math.Min(_model.Threads, to - from);

    private nint LayerOffset(int layer) => layer * (nint)_shape.KeyValueHeads * 2 * KeyValuePages.Positions * _shape.HeadSize;

    private float* State(int row) => _state.Floats + (long)row * _stateStride;

    private float* Scratch(int worker) => _scratch.Floats + (long)worker * _scratchFloats;

    private void Share(int parts, Action<int> work) => Parallel.For(0, parts, new ParallelOptions { MaxDegreeOfParallelism = _model.Threads }, work);
}
