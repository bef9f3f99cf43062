using Silo.Core;
using Silo.Models.Gguf.Llama;
using Silo.Models.OnnxGenAI;

namespace Silo.Models;

/// <summary>How a model is opened.</summary>
public sealed record ModelOptions
{
    /// <summary>Threads at most; results do not depend on it. Default: all processors.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;

    /// <summary>Bytes of memory that the model and its batches may take. Default: what the process may still use.</summary>
    public long MemoryLimit { get; init; } = AvailableMemory();

    /// <summary>
    /// Where a model of ONNX Runtime GenAI is computed: <see cref="Cpu"/>, <see cref="Cuda"/> (the first device that <c>CUDA_VISIBLE_DEVICES</c> shows), or
    /// null for what its folder asks for. Default: the environment variable <c>SILO_DEVICE</c>.
    /// </summary>
    public string? Device { get; init; } = Environment.GetEnvironmentVariable("SILO_DEVICE") is { Length: > 0 } device ? device : null;

    /// <summary>The CPU.</summary>
    public const string Cpu = "cpu";

    /// <summary>A CUDA device.</summary>
    public const string Cuda = "cuda";

    private static long AvailableMemory()
    {
        var memory = GC.GetGCMemoryInfo(GCKind.Any);
        var limit = memory.TotalAvailableMemoryBytes > 0 ? memory.TotalAvailableMemoryBytes : long.MaxValue;
        return Math.Max(0, limit - Environment.WorkingSet);
    }
}

/// <summary>Opens language models.</summary>
public static class LanguageModels
{
    /// <summary>
    /// Opens the model at a path: a GGUF file of the <c>llama</c> architecture, or a folder with genai_config.json, which ONNX Runtime GenAI computes.
    /// </summary>
    /// <exception cref="SiloException">It cannot be used; the message names file, place and cause.</exception>
    public static ILanguageModel Open(string path, ModelOptions? options = null)
    {
        options ??= new ModelOptions();
        if (options.Device is not (null or ModelOptions.Cpu or ModelOptions.Cuda)) throw new SiloException($"the device '{options.Device}' is unknown; {ModelOptions.Cpu} or {ModelOptions.Cuda} was expected");
        return IsFolder(path) ? GenAIModel.Open(path, options) : LlamaModel.Open(path, options);
    }

    /// <summary>Whether a path is a folder of ONNX Runtime GenAI's, with genai_config.json.</summary>
    public static bool IsFolder(string path) => ModelFolder.IsOne(path);
}
