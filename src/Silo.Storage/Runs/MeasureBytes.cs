using System.Buffers.Binary;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Silo.Storage.Runs;

/// <summary>Arrays of numbers as bytes, little-endian, and lists of names as JSON.</summary>
internal static class MeasureBytes
{
    public static byte[] Of(ReadOnlySpan<double> values)
    {
        var bytes = new byte[values.Length * 8];
        for (var i = 0; i < values.Length; i++) BinaryPrimitives.WriteDoubleLittleEndian(bytes.AsSpan(i * 8), values[i]);
        return bytes;
    }

    public static double Double(ReadOnlySpan<byte> bytes, int index) => BinaryPrimitives.ReadDoubleLittleEndian(bytes[(index * 8)..]);

    public static byte[] Of(ReadOnlySpan<int> values)
    {
        var bytes = new byte[values.Length * 4];
        for (var i = 0; i < values.Length; i++) BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(i * 4), values[i]);
        return bytes;
    }

    public static int[] Ints(ReadOnlySpan<byte> bytes)
    {
        var values = new int[bytes.Length / 4];
        for (var i = 0; i < values.Length; i++) values[i] = BinaryPrimitives.ReadInt32LittleEndian(bytes[(i * 4)..]);
        return values;
    }

    public static string Names(IEnumerable<string> names) => JsonSerializer.Serialize([.. names], StorageJson.Default.StringArray);

    public static string[] Names(string json) => JsonSerializer.Deserialize(json, StorageJson.Default.StringArray) ?? [];

    public static string Numbers(IEnumerable<double> numbers) => JsonSerializer.Serialize([.. numbers], StorageJson.Default.DoubleArray);

    public static double[] Numbers(string json) => JsonSerializer.Deserialize(json, StorageJson.Default.DoubleArray) ?? [];
}

[JsonSerializable(typeof(string[]))]
[JsonSerializable(typeof(double[]))]
internal sealed partial class StorageJson : JsonSerializerContext;
