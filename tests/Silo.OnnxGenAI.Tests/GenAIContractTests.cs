using Silo.ModelMaker;
using Silo.Models;
using Silo.Models.Tests;

namespace Silo.OnnxGenAI.Tests;

/// <summary>What every engine must do, by ONNX Runtime GenAI.</summary>
public sealed class GenAIContractTests : LanguageModelContract
{
    // Sums of matrix products are cut differently for other numbers of rows and positions.
    protected override float Tolerance => 1e-4f;

    protected override ILanguageModel Open(int threads) => Folders.Open(Folders.Random("contract", options: new FolderOptions { HiddenStates = true }).Folder, threads);
}

/// <summary>The same, for a graph that gives the logits of a prompt's last position alone, and no hidden states.</summary>
public sealed class PrunedGenAIContractTests : LanguageModelContract
{
    protected override float Tolerance => 1e-4f;

    protected override bool GivesHiddenStates => false;

    protected override bool MixesLengths => false;

    protected override ILanguageModel Open(int threads) => Folders.Open(Folders.Random("pruned", options: new FolderOptions { LastLogitsOnly = true }).Folder, threads);
}
