namespace Silo.Models.Gguf;

/// <summary>How a tensor's values lie in a GGUF file. The numbers are ggml's; others than these are not supported.</summary>
public enum GgufTensorType
{
    /// <summary>IEEE float32.</summary>
    F32 = 0,

    /// <summary>IEEE float16.</summary>
    F16 = 1,

    /// <summary>Blocks of 32 values: a float16 scale, then 32 signed bytes; value = scale * byte.</summary>
    Q8_0 = 8,

    /// <summary>The upper half of a float32.</summary>
    BF16 = 30,
}

internal static class GgufTensorTypes
{
    /// <summary>Values in one Q8_0 block.</summary>
    public const int BlockLength = 32;

    /// <summary>Bytes of one Q8_0 block.</summary>
    public const int BlockBytes = 34;

    // ggml's names by their numbers; an empty name is no longer, or not yet, a type.
    private static readonly string[] s_names =
        ("F32,F16,Q4_0,Q4_1,,,Q5_0,Q5_1,Q8_0,Q8_1,Q2_K,Q3_K,Q4_K,Q5_K,Q6_K,Q8_K,IQ2_XXS,IQ2_XS,IQ3_XXS,IQ1_S,IQ4_NL,IQ3_S,IQ2_S," +
        "IQ4_XS,I8,I16,I32,I64,F64,IQ1_M,BF16,,,,TQ1_0,TQ2_0,,,,MXFP4").Split(',');

    public static bool IsSupported(uint code) => code is 0 or 1 or 8 or 30;

    public static string NameOf(uint code) =>
        code < (uint)s_names.Length && s_names[code].Length > 0 ? s_names[code] : $"number {code}";

    /// <summary>Bytes of a row of <paramref name="length"/> values (a multiple of 32 for Q8_0).</summary>
    public static long RowBytes(GgufTensorType type, long length) => type switch
    {
        GgufTensorType.F32 => length * 4,
        GgufTensorType.Q8_0 => length / BlockLength * BlockBytes,
        _ => length * 2,
    };
}
