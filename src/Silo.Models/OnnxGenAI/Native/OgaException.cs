namespace Silo.Models.OnnxGenAI.Native;

/// <summary>What the runtime could not do, in its own words, on one line.</summary>
internal sealed class OgaException(string message) : Exception($"ONNX Runtime GenAI: {message}");
