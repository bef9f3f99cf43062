using ILGPU;
using ILGPU.Runtime;
using Silo.Core;
using Silo.Core.Features;
using Silo.Models.Cuda.Kernels;

namespace Silo.Models.Cuda;

/// <summary>
/// The token features of many rows at once on a device, full and captured; the rows that its proven error cannot decide, and those it has no room for,
/// go to <see cref="FeatureKernel"/> on the host. The same integers as there, reals to 1e-6; not the same last bits, so what it made says so in its
/// fingerprint. For one thread at a time; nothing of ours is allocated after construction. How it works: docs/kernel.md, "On the device".
/// </summary>
public sealed class DeviceFeatureKernel : IDisposable
{
    private readonly int _vocabularySize, _temperatures;
    private readonly RowShape _shape;
    private readonly FeatureDevice _device;
    private readonly FeatureKernel _host;
    private readonly MemoryBuffer1D<float, Stride1D.Dense> _logits;
    private readonly MemoryBuffer1D<int, Stride1D.Dense> _tokens, _status, _wholes;
    private readonly MemoryBuffer1D<double, Stride1D.Dense> _at, _full, _captured, _reals;
    private readonly MemoryBuffer1D<long, Stride1D.Dense> _fixeds;
    private readonly Action<KernelConfig, ArrayView<float>, ArrayView<int>, ArrayView<double>, ArrayView<double>, ArrayView<double>, ArrayView<int>, ArrayView<double>, ArrayView<int>, ArrayView<long>, RowShape> _run;
    private readonly int[] _hostStatus;
    private long _rows, _forHost;

    /// <summary>Takes all the memory that it will ever need, on the device and here, and compiles the kernel.</summary>
    /// <param name="device">The device; stays the caller's, to be disposed after the kernel.</param>
    /// <param name="vocabularySize">V, the length of every row, at least 1.</param>
    /// <param name="captureSize">K, the number of captured tokens, 1 to 1,024.</param>
    /// <param name="rows">Most rows of a launch, at least 1.</param>
    /// <param name="temperatures">Temperatures of each row, 1 to 8.</param>
    public DeviceFeatureKernel(FeatureDevice device, int vocabularySize, int captureSize, int rows, int temperatures)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(vocabularySize, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(vocabularySize, MaxVocabulary);
        ArgumentOutOfRangeException.ThrowIfLessThan(captureSize, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(captureSize, RowShape.MaxCapture);
        ArgumentOutOfRangeException.ThrowIfLessThan(rows, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(temperatures, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(temperatures, RowShape.MaxTemperatures);
        (_device, _vocabularySize, _temperatures, RowLimit) = (device, vocabularySize, temperatures, rows);
        _shape = new RowShape(vocabularySize, temperatures, captureSize);
        _host = new FeatureKernel(vocabularySize, captureSize);
        var (a, fullSize, capturedSize) = (device.Accelerator, rows * temperatures * TokenFeatures.FullCount, rows * temperatures * TokenFeatures.CapturedCount);
        _run = a.LoadStreamKernel<ArrayView<float>, ArrayView<int>, ArrayView<double>, ArrayView<double>, ArrayView<double>, ArrayView<int>, ArrayView<double>, ArrayView<int>, ArrayView<long>, RowShape>(
            // Else a thread could be given more registers than so many of them have.
            RowKernel.Run, new KernelSpecialization(device.Threads, 1));
        _logits = a.Allocate1D<float>((long)rows * vocabularySize);
        _tokens = a.Allocate1D<int>(rows);
        _status = a.Allocate1D<int>(rows);
        _at = a.Allocate1D<double>(rows * temperatures);
        _full = a.Allocate1D<double>(fullSize);
        _captured = a.Allocate1D<double>(capturedSize);
        _reals = a.Allocate1D<double>((long)rows * _shape.Reals);
        _wholes = a.Allocate1D<int>((long)rows * _shape.Wholes);
        _fixeds = a.Allocate1D<long>((long)rows * _shape.Fixeds);
        DeviceBytes = _logits.LengthInBytes + _tokens.LengthInBytes + _status.LengthInBytes + _at.LengthInBytes + _full.LengthInBytes + _captured.LengthInBytes
            + _reals.LengthInBytes + _wholes.LengthInBytes + _fixeds.LengthInBytes;
        _hostStatus = new int[rows];
    }

    /// <summary>Longest row: 16-bit halves of a count would overflow beyond.</summary>
    public const int MaxVocabulary = 1_000_000;

    /// <summary>Most rows of a launch.</summary>
    public int RowLimit { get; }

    /// <summary>Bytes of the device's memory that it holds, from construction to disposal.</summary>
    public long DeviceBytes { get; }

    /// <summary>Rows computed so far, and how many of them went to the host.</summary>
    public (long Rows, long ForHost) Statistics => (_rows, _forHost);

    /// <summary>Computes the features of one decoding step of several rows, each at temperatures of its own.</summary>
    /// <param name="logits">z, V values a row; -infinity masks a token. Copied to the device.</param>
    /// <param name="tokens">Of each row the id of the sampled token; not masked.</param>
    /// <param name="temperatures">T of each row, row by row, each above 0.</param>
    /// <param name="fullRows">Receives <see cref="TokenFeatures.FullCount"/> columns per row and temperature.</param>
    /// <param name="capturedRows">Receives <see cref="TokenFeatures.CapturedCount"/> columns per row and temperature, or is empty.</param>
    /// <exception cref="SiloException">A row or temperature is not valid, as <see cref="FeatureKernel.Compute"/> says.</exception>
    /// <exception cref="ArgumentException">A span has another length.</exception>
    public void Compute(ReadOnlySpan<float> logits, ReadOnlySpan<int> tokens, ReadOnlySpan<double> temperatures, Span<double> fullRows, Span<double> capturedRows)
    {
        var rows = tokens.Length;
        if (rows > RowLimit) throw new ArgumentException($"at most {RowLimit} rows expected", nameof(tokens));
        if (logits.Length != (long)rows * _vocabularySize) throw new ArgumentException($"{_vocabularySize} logits per row expected", nameof(logits));
        if (temperatures.Length != rows * _temperatures) throw new ArgumentException($"{_temperatures} temperatures per row expected", nameof(temperatures));
        if (fullRows.Length != temperatures.Length * TokenFeatures.FullCount) throw new ArgumentException("one full row per row and temperature expected", nameof(fullRows));
        if (capturedRows.Length != 0 && capturedRows.Length != temperatures.Length * TokenFeatures.CapturedCount)
            throw new ArgumentException("one captured row per row and temperature expected", nameof(capturedRows));
        if (rows == 0) return;
        foreach (var temperature in temperatures) FeatureInput.CheckTemperature(temperature);
        for (var row = 0; row < rows; row++) FeatureInput.CheckToken(logits.Slice(row * _vocabularySize, _vocabularySize), tokens[row]);
        Upload(logits, tokens, temperatures);
        Launch(rows);
        Download(_status.View, _hostStatus.AsSpan(0, rows));
        Download(_full.View, fullRows);
        if (capturedRows.Length > 0) Download(_captured.View, capturedRows);
        _rows += rows;
        for (var row = 0; row < rows; row++)
        {
            if (_hostStatus[row] == RowKernel.Done) continue;
            _forHost++;
            _host.Compute(logits.Slice(row * _vocabularySize, _vocabularySize), temperatures.Slice(row * _temperatures, _temperatures), tokens[row],
                Part(fullRows, row, TokenFeatures.FullCount), capturedRows.Length == 0 ? capturedRows : Part(capturedRows, row, TokenFeatures.CapturedCount));
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var buffer in (ReadOnlySpan<MemoryBuffer>)[_logits, _tokens, _status, _at, _full, _captured, _reals, _wholes, _fixeds]) buffer.Dispose();
    }

    /// <summary>Copies rows to the device.</summary>
    internal void Upload(ReadOnlySpan<float> logits, ReadOnlySpan<int> tokens, ReadOnlySpan<double> temperatures)
    {
        Upload(logits, _logits.View);
        Upload(tokens, _tokens.View);
        Upload(temperatures, _at.View);
    }

    /// <summary>Computes rows that lie on the device, and waits for them.</summary>
    internal void Launch(int rows)
    {
        Start(rows);
        _device.Accelerator.Synchronize();
    }

    /// <summary>The same without waiting.</summary>
    internal void Start(int rows)
    {
        _status.MemSetToZero();
        _run(new KernelConfig(rows, _device.Threads), _logits.View, _tokens.View, _at.View, _full.View, _captured.View, _status.View, _reals.View, _wholes.View, _fixeds.View, _shape);
    }

    /// <summary>The rows' logits on the device.</summary>
    internal ArrayView<float> DeviceLogits => _logits.View;

    private Span<double> Part(Span<double> rows, int row, int columns) => rows.Slice(row * _temperatures * columns, _temperatures * columns);

    // ILGPU takes the address of what it is given a reference to: the collector must not move it meanwhile.
    private static unsafe void Upload<T>(ReadOnlySpan<T> from, ArrayView1D<T, Stride1D.Dense> to) where T : unmanaged
    {
        fixed (T* first = from)
            if (from.Length > 0) to.BaseView.CopyFromCPU(ref *first, from.Length);
    }

    private static unsafe void Download<T>(ArrayView1D<T, Stride1D.Dense> from, Span<T> to) where T : unmanaged
    {
        fixed (T* first = to)
            if (to.Length > 0) from.BaseView.CopyToCPU(ref *first, to.Length);
    }
}
