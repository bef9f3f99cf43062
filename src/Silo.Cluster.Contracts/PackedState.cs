namespace Silo.Cluster.Contracts;

/// <summary>
/// Grain state as it is stored, the same for every provider: JSON in UTF-8, compressed where that pays, or plain bytes
/// where it is mostly numbers. The providers see one short byte array, so its size is known, and bounded, before it is written.
/// </summary>
[GenerateSerializer, Alias("silo.packed-state")]
public sealed class PackedState
{
    /// <summary>0: nothing; 1: JSON; 2: JSON under Brotli; 3: bytes of the state's own form.</summary>
    [Id(0)] public int Format { get; set; }

    /// <summary>The bytes.</summary>
    [Id(1)] public byte[] Data { get; set; } = [];
}
