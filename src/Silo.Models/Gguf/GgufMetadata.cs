using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Silo.Core;

namespace Silo.Models.Gguf;

/// <summary>
/// The keys and values of a GGUF file. Integers are held as <see cref="long"/> (or <see cref="ulong"/> above its range), floats as
/// <see cref="double"/>, the rest as <see cref="bool"/>, <see cref="string"/> and arrays of those; float arrays as <see cref="float"/>
/// where the file has float32.
/// </summary>
public sealed class GgufMetadata
{
    private readonly string _file;
    private readonly IReadOnlyDictionary<string, object> _values;

    internal GgufMetadata(string file, IReadOnlyDictionary<string, object> values) => (_file, _values) = (file, values);

    /// <summary>All keys, in the order of the file.</summary>
    public IEnumerable<KeyValuePair<string, object>> Values => _values;

    /// <summary>Whether the file has the key.</summary>
    public bool Has(string key) => _values.ContainsKey(key);

    /// <summary>The string of a key.</summary>
    /// <exception cref="SiloException">The key is absent, or is no string.</exception>
    public string Text(string key) => Required<string>(key, "a string");

    /// <summary>The string of a key, or a default where it is absent.</summary>
    [return: NotNullIfNotNull(nameof(absent))]
    public string? Text(string key, string? absent) => Has(key) ? Text(key) : absent;

    /// <summary>The truth value of a key, or a default where it is absent.</summary>
    public bool Flag(string key, bool absent) => Has(key) ? Required<bool>(key, "true or false") : absent;

    /// <summary>A whole number between two limits.</summary>
    /// <exception cref="SiloException">The key is absent, no whole number, or outside the limits.</exception>
    public int Whole(string key, int min, int max)
    {
        var value = Required<long>(key, "a whole number");
        if (value < min || value > max) throw Fault($"{key} is {value}, outside {min} to {max}");
        return (int)value;
    }

    /// <summary>A whole number between two limits, or a default where the key is absent.</summary>
    public int Whole(string key, int min, int max, int absent) => Has(key) ? Whole(key, min, max) : absent;

    /// <summary>A finite number (whole ones included), or a default where the key is absent; without one the key is required.</summary>
    public double Number(string key, double? absent = null)
    {
        if (absent is { } value && !Has(key)) return value;
        var number = Required<object>(key, "a number") switch
        {
            double real => real,
            long whole => whole,
            ulong whole => whole,
            _ => throw Fault($"{key} is no number"),
        };
        return double.IsFinite(number) ? number : throw Fault($"{key} is not finite");
    }

    /// <summary>The array of strings of a key.</summary>
    public string[] Texts(string key) => Required<string[]>(key, "an array of strings");

    /// <summary>The float32 array of a key.</summary>
    public float[] Reals(string key) => Required<float[]>(key, "an array of float32");

    /// <summary>The array of whole numbers of a key.</summary>
    public long[] Wholes(string key) => Required<long[]>(key, "an array of whole numbers");

    /// <summary>The value as text: arrays by their length.</summary>
    public static string Show(object value) => value switch
    {
        Array array => string.Create(CultureInfo.InvariantCulture, $"[{array.Length} values]"),
        bool flag => flag ? "true" : "false",
        _ => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "",
    };

    private T Required<T>(string key, string wanted)
    {
        if (!_values.TryGetValue(key, out var value)) throw Fault($"the key {key} is missing");
        return value is T typed ? typed : throw Fault($"{key} is not {wanted}");
    }

    private SiloException Fault(string cause) => new($"{_file}: metadata: {cause}");
}
