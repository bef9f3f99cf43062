namespace Silo.Models;

/// <summary>The device has not enough memory for what was asked of it now. The model can still be used, for less.</summary>
public sealed class DeviceMemoryException : Exception
{
    // What ONNX Runtime's arenas, CUDA and the C++ runtime say.
    private static readonly string[] s_words = ["out of memory", "Failed to allocate memory", "Could not allocate", "bad_alloc", "bad allocation", "Available memory of", "ALLOC_FAILED"];

    /// <summary>Says so in one line.</summary>
    /// <param name="cause">What the runtime said.</param>
    public DeviceMemoryException(string cause) : base($"not enough memory on the device: {cause}") { }

    /// <summary>Whether a runtime's message means this.</summary>
    internal static bool IsMeant(string message) => Array.Exists(s_words, word => message.Contains(word, StringComparison.OrdinalIgnoreCase));
}
