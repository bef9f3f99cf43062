namespace Silo.Models;

/// <summary>What a model is, as tables and records name it.</summary>
/// <param name="Name">Its name, from its own metadata where they have one.</param>
/// <param name="Architecture">Its architecture, e.g. <c>llama</c>.</param>
/// <param name="Parameters">Number of weights.</param>
/// <param name="VocabularySize">V: number of logits.</param>
/// <param name="ContextLength">Most tokens of a sequence, the prompt included.</param>
/// <param name="Layers">Number of transformer blocks.</param>
/// <param name="Width">Length of a hidden state.</param>
/// <param name="WeightsDigest">SHA-256 of the model's file, lower-case hex.</param>
/// <param name="Engine">What computes it, with the version that changes when the bits of its logits do.</param>
/// <param name="NumericProfile">What else the bits of its logits depend on: precision, and the vector width or device if they matter.</param>
public sealed record ModelInfo(
    string Name, string Architecture, long Parameters, int VocabularySize, int ContextLength, int Layers, int Width, string WeightsDigest, string Engine, string NumericProfile)
{
    /// <summary>Engine, weights and numeric profile in one line, divided by "; ". Equal fingerprints give equal bits. Stored with every text.</summary>
    public string Fingerprint => $"{Engine}; model sha256:{WeightsDigest}; {NumericProfile}";
}
