using Silo.Core;
using Silo.Models.Gguf.Llama;

namespace Silo.Models;

/// <summary>How a model is opened.</summary>
public sealed record ModelOptions
{
    /// <summary>Threads at most; results do not depend on it. Default: all processors.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;

    /// <summary>Bytes of memory that the model and its batches may take. Default: what the process may still use.</summary>
    public long MemoryLimit { get; init; } = AvailableMemory();

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
    /// <summary>Opens the model at a path: a GGUF file of the <c>llama</c> architecture.</summary>
    /// <exception cref="SiloException">It cannot be used; the message names file, place and cause.</exception>
    public static ILanguageModel Open(string path, ModelOptions? options = null) => LlamaModel.Open(path, options ?? new ModelOptions());
}
