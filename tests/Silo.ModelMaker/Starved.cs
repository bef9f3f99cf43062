using System.Globalization;
using System.Runtime.InteropServices;
using Silo.Experiments.Generation;
using Silo.Models;

namespace Silo.ModelMaker;

/// <summary>
/// Makes texts in a process that may take only so many bytes more than it has, as on a device that is nearly full. Says, on a line each: how many batches it
/// took, then each text's tokens or the failure; and the same of a request of one row after it.
/// </summary>
internal static partial class Starved
{
    private const int AddressSpace = 9;

    public static async Task<int> RunAsync(string folder, int megabytes, int rows)
    {
        using var model = new Counting(LanguageModels.Open(folder, new ModelOptions { Threads = 1, Device = ModelOptions.Cpu, MemoryLimit = 1L << 50 }));
        await using var engine = new GenerationEngine(model, new GenerationEngineOptions { RowLimit = 32 });
        // What a first text needs once is not to be missed later.
        await engine.GenerateAsync(Request(1), null, CancellationToken.None);
        var status = File.ReadLines("/proc/self/status").First(line => line.StartsWith("VmSize:", StringComparison.Ordinal));
        var taken = 1024 * ulong.Parse(status.AsSpan(7, status.Length - 9), NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture);
        var limit = new Limit { Now = taken + ((ulong)megabytes << 20), Most = ulong.MaxValue };
        if (SetLimit(AddressSpace, limit) != 0) throw new InvalidOperationException("the address space cannot be limited");
        foreach (var count in new[] { rows, 1 })
        {
            model.Batches = 0;
            try
            {
                var results = await engine.GenerateAsync(Request(count), null, CancellationToken.None);
                Console.WriteLine($"batches {model.Batches}");
                foreach (var result in results) Console.WriteLine(string.Join(' ', result.Tokens.ToArray()));
            }
            catch (DeviceMemoryException e)
            {
                Console.WriteLine($"batches {model.Batches}\n{e.GetType().Name}: {e.Message}");
            }
        }
        return 0;
    }

    /// <summary>A long prompt and short texts: nearly all the memory is the prompt's logits.</summary>
    public static GenerationRequest Request(int rows) => new()
    {
        Prompt = string.Concat(Enumerable.Repeat("the moon and the fox ", 40)),
        MaxTokens = 4,
        Rows = [.. Enumerable.Range(0, rows).Select(i => new GenerationKey("starved", 1, i)).Select(key => new GenerationRow(key, key.StreamKey("starved", 7)))],
    };

    [LibraryImport("libc", EntryPoint = "setrlimit")]
    private static partial int SetLimit(int resource, in Limit limit);

    private struct Limit
    {
        public ulong Now, Most;
    }

    /// <summary>Counts the batches that were asked for.</summary>
    private sealed class Counting(ILanguageModel model) : ILanguageModel
    {
        public int Batches { get; set; }

        public ModelInfo Info => model.Info;

        public ITokenizer Tokenizer => model.Tokenizer;

        public int Threads => model.Threads;

        public ISequenceBatch CreateBatch(BatchOptions options)
        {
            Batches++;
            return model.CreateBatch(options);
        }

        public void Dispose() => model.Dispose();
    }
}
