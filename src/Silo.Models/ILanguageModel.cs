using Silo.Core;

namespace Silo.Models;

/// <summary>
/// A language model: tokens in, raw logits out (house rule 4). Safe for any number of threads; a batch is for one.
/// </summary>
public interface ILanguageModel : IDisposable
{
    /// <summary>What it is.</summary>
    ModelInfo Info { get; }

    /// <summary>Its tokenizer.</summary>
    ITokenizer Tokenizer { get; }

    /// <summary>Kind of the device that computes it: <see cref="ModelOptions.Cpu"/> or <see cref="ModelOptions.Cuda"/>.</summary>
    string Device => ModelOptions.Cpu;

    /// <summary>Threads it uses at most.</summary>
    int Threads { get; }

    /// <summary>Opens a batch of sequences.</summary>
    /// <exception cref="SiloException">The batch does not fit into memory.</exception>
    ISequenceBatch CreateBatch(BatchOptions options);
}
