using System.Globalization;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using Silo.Core;
using Silo.Models.OnnxGenAI.Native;

namespace Silo.Models.OnnxGenAI;

/// <summary>A model folder of ONNX Runtime GenAI, computed by the runtime on the CPU or on the first visible CUDA device.</summary>
internal sealed class GenAIModel : ILanguageModel
{
    /// <summary>Changes whenever what Silo asks of the runtime does.</summary>
    private const string Engine = "silo-genai/1";

    // The library wants to be told of the process's end, when nothing of it is left.
    private static readonly Lazy<bool> s_endsWithProcess = new(() =>
    {
        AppDomain.CurrentDomain.ProcessExit += (_, _) => { if (Volatile.Read(ref s_open) == 0) Oga.Shutdown(); };
        return true;
    });

    private static int s_open;

    private readonly Lock _reserving = new();
    private readonly long _memoryLimit;
    private long _reserved;

    private GenAIModel(ModelFolder folder, ModelOptions options)
    {
        Folder = folder;
        Threads = Math.Max(1, options.Threads);
        var natives = NativeLibraries.Use();
        var cuda = options.Device is { } device ? device == ModelOptions.Cuda : folder.Providers.Contains(ModelOptions.Cuda);
        if (!cuda && folder.WeightBytes > options.MemoryLimit) throw TooLarge(folder.WeightBytes, options.MemoryLimit);
        // The weights are read for their digest while the runtime reads them for itself.
        var digest = Task.Run(folder.Digest);
        try
        {
            Handle = Load(folder, cuda, Threads);
            Oga.Check(Oga.ModelGetDeviceType(Handle, out var type));
            Device = Oga.Take(type).ToLowerInvariant();
            if (cuda != (Device == ModelOptions.Cuda)) throw new SiloException($"{folder.Path}: asked for {(cuda ? "cuda" : "cpu")}, and runs on {Device}");
            PadToken = folder.EndOfText[0];
            NativeTokenizer = new GenAITokenizer(folder, Handle);
            _memoryLimit = cuda ? CudaDevice.First()?.FreeBytes ?? long.MaxValue : options.MemoryLimit - folder.WeightBytes;
            Info = new ModelInfo(folder.Name, folder.Architecture, folder.Parameters, folder.VocabularySize, folder.Context, folder.Layers, folder.Width, digest.GetAwaiter().GetResult(),
                $"{Engine}; onnxruntime-genai sha256:{natives.Digest[..16]}; onnxruntime {natives.RuntimeVersion}", Profile(folder, Device));
            if (s_endsWithProcess.Value) Interlocked.Increment(ref s_open);
        }
        catch
        {
            // Left alone, it would still read files that the caller may want to change.
            ((IAsyncResult)digest).AsyncWaitHandle.WaitOne();
            NativeTokenizer?.Dispose();
            Handle?.Dispose();
            throw;
        }
    }

    public ModelInfo Info { get; }

    public ITokenizer Tokenizer => NativeTokenizer;

    public int Threads { get; }

    public ModelFolder Folder { get; }

    public OgaModel Handle { get; }

    /// <summary>Kind of the device that it runs on: <c>cpu</c> or <c>cuda</c>.</summary>
    public string Device { get; }

    /// <summary>
    /// The id that fills up shorter prompts. It is an end of text, which no sampled text goes on from: the runtime finds the end of a prompt by it,
    /// and a row that is given it is over.
    /// </summary>
    public int PadToken { get; }

    /// <summary>Held while the runtime computes: its C API is not thread-safe, and on a GPU generators would wait for each other anyway.</summary>
    public Lock Gate { get; } = new();

    private GenAITokenizer NativeTokenizer { get; }

    /// <exception cref="SiloException">The natives are missing, or the folder cannot be used; the message names file and cause.</exception>
    public static GenAIModel Open(string path, ModelOptions options)
    {
        NativeLibraries.Use();
        var folder = ModelFolder.Open(path);
        try
        {
            return new GenAIModel(folder, options);
        }
        catch (Exception e) when (e is OgaException or DeviceMemoryException)
        {
            throw new SiloException($"{path}: {e.Message}", e);
        }
    }

    public ISequenceBatch CreateBatch(BatchOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.RowLimit);
        var available = AvailableBytes;
        if (options.CacheBytes > available) throw TooLarge(options.CacheBytes, available);
        return new GenAIBatch(this, options, options.CacheBytes > 0 ? options.CacheBytes : _memoryLimit);
    }

    /// <summary>Takes bytes of the device's memory for a cache. False where they are not left beside those of other batches.</summary>
    public bool TryReserve(long bytes)
    {
        lock (_reserving)
        {
            if (bytes > AvailableBytes) return false;
            _reserved += bytes;
            return true;
        }
    }

    /// <summary>Gives them back.</summary>
    public void Release(long bytes)
    {
        lock (_reserving) _reserved -= bytes;
    }

    public void Dispose()
    {
        if (Handle.IsClosed) return;
        NativeTokenizer.Dispose();
        Handle.Dispose();
        Interlocked.Decrement(ref s_open);
    }

    private long AvailableBytes => _memoryLimit - _reserved;

    private static OgaModel Load(ModelFolder folder, bool cuda, int threads)
    {
        Oga.Check(Oga.CreateConfig(folder.Path, out var config));
        using (config)
        {
            // What the folder asks of a provider that it is not opened for would be in the way.
            if (folder.Providers.Contains(ModelOptions.Cuda) != cuda || folder.Providers.Count > 1) Oga.Check(Oga.ConfigClearProviders(config));
            if (cuda && !folder.Providers.Contains(ModelOptions.Cuda)) Oga.Check(Oga.ConfigAppendProvider(config, ModelOptions.Cuda));
            // Else the arena doubles what it takes each time it grows.
            if (cuda) Oga.Check(Oga.ConfigSetProviderOption(config, ModelOptions.Cuda, "arena_extend_strategy", "kSameAsRequested"));
            Oga.Check(Oga.ConfigOverlay(config, string.Create(CultureInfo.InvariantCulture,
                $$"""{ "model": { "pad_token_id": {{folder.EndOfText[0]}}, "eos_token_id": {{folder.EndOfText[0]}}, "decoder": { "session_options": { "intra_op_num_threads": {{threads}} } } } }""")));
            Oga.Check(Oga.CreateModelFromConfig(config, out var model));
            return model;
        }
    }

    private static string Profile(ModelFolder folder, string device)
    {
        var precision = $"{folder.WeightFormat}, cache {OnnxHeader.NameOf(folder.CacheType)}, logits {OnnxHeader.NameOf(folder.LogitsType)}";
        return $"{precision}, {(device == ModelOptions.Cuda ? CudaDevice.First()?.Profile ?? "cuda" : CpuName)}";
    }

    // The runtime chooses its CPU kernels by these, and its sums with them.
    private static string CpuName
    {
        get
        {
            var vectors = Avx512BW.IsSupported ? "avx512" : Avx2.IsSupported ? "avx2" : $"{Vector<byte>.Count * 8}-bit vectors";
            return $"cpu {RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant()} {vectors}";
        }
    }

    private SiloException TooLarge(long bytes, long available) => new(string.Create(CultureInfo.InvariantCulture,
        $"{Folder.Path}: {bytes / 1e9:0.00} GB do not fit: {Math.Max(available, 0) / 1e9:0.00} GB are available"));
}
