using System.Runtime.InteropServices;

namespace Silo.Models.OnnxGenAI.Native;

/// <summary>
/// The part of ONNX Runtime GenAI's C API that Silo uses; all of it is in 0.15 and later. Source: onnxruntime-genai/src/ort_genai_c.h.
/// Every function that returns a result goes through <see cref="Check"/>.
/// </summary>
internal static unsafe partial class Oga
{
    /// <summary>Name of the native library; found by <see cref="NativeLibraries"/>.</summary>
    public const string Library = "onnxruntime-genai";

    /// <summary>Most rows of a generator (kMaxBatchSize in generators.cpp).</summary>
    public const int MaxRows = 32;

    /// <summary>OgaElementType.</summary>
    public const int Float32 = 1, Float16 = 10, BFloat16 = 16;

    /// <exception cref="DeviceMemoryException">The device has not enough memory.</exception>
    /// <exception cref="OgaException">Anything else.</exception>
    public static void Check(nint result)
    {
        if (result == 0) return;
        var message = (Marshal.PtrToStringUTF8(ResultGetError(result)) ?? "an unknown error").ReplaceLineEndings(" ").Trim();
        DestroyResult(result);
        throw DeviceMemoryException.IsMeant(message) ? new DeviceMemoryException(message) : new OgaException(message);
    }

    /// <summary>A string of the library's, which is freed.</summary>
    public static string Take(nint text)
    {
        var value = Marshal.PtrToStringUTF8(text) ?? "";
        DestroyString(text);
        return value;
    }

    [LibraryImport(Library, EntryPoint = "OgaResultGetError")]
    private static partial nint ResultGetError(nint result);

    [LibraryImport(Library, EntryPoint = "OgaDestroyResult")]
    private static partial void DestroyResult(nint result);

    [LibraryImport(Library, EntryPoint = "OgaDestroyString")]
    private static partial void DestroyString(nint text);

    [LibraryImport(Library, EntryPoint = "OgaShutdown")]
    public static partial void Shutdown();

    [LibraryImport(Library, EntryPoint = "OgaSetTelemetryEnabled")]
    public static partial void SetTelemetryEnabled([MarshalAs(UnmanagedType.U1)] bool enabled);

    [LibraryImport(Library, EntryPoint = "OgaCreateConfig", StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint CreateConfig(string folder, out OgaConfig config);

    [LibraryImport(Library, EntryPoint = "OgaConfigClearProviders")]
    public static partial nint ConfigClearProviders(OgaConfig config);

    [LibraryImport(Library, EntryPoint = "OgaConfigAppendProvider", StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint ConfigAppendProvider(OgaConfig config, string provider);

    [LibraryImport(Library, EntryPoint = "OgaConfigSetProviderOption", StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint ConfigSetProviderOption(OgaConfig config, string provider, string key, string value);

    [LibraryImport(Library, EntryPoint = "OgaConfigOverlay", StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint ConfigOverlay(OgaConfig config, string json);

    [LibraryImport(Library, EntryPoint = "OgaDestroyConfig")]
    public static partial void DestroyConfig(nint config);

    [LibraryImport(Library, EntryPoint = "OgaCreateModelFromConfig")]
    public static partial nint CreateModelFromConfig(OgaConfig config, out OgaModel model);

    [LibraryImport(Library, EntryPoint = "OgaModelGetDeviceType")]
    public static partial nint ModelGetDeviceType(OgaModel model, out nint text);

    [LibraryImport(Library, EntryPoint = "OgaDestroyModel")]
    public static partial void DestroyModel(nint model);

    [LibraryImport(Library, EntryPoint = "OgaCreateTokenizer")]
    public static partial nint CreateTokenizer(OgaModel model, out OgaTokenizer tokenizer);

    [LibraryImport(Library, EntryPoint = "OgaTokenizerEncode", StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint TokenizerEncode(OgaTokenizer tokenizer, string text, OgaSequences sequences);

    [LibraryImport(Library, EntryPoint = "OgaTokenizerDecode")]
    public static partial nint TokenizerDecode(OgaTokenizer tokenizer, int* tokens, nuint count, out nint text);

    [LibraryImport(Library, EntryPoint = "OgaTokenizerApplyChatTemplate", StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint TokenizerApplyChatTemplate(
        OgaTokenizer tokenizer, string? template, string messages, string? tools, [MarshalAs(UnmanagedType.U1)] bool addGenerationPrompt, out nint text);

    [LibraryImport(Library, EntryPoint = "OgaDestroyTokenizer")]
    public static partial void DestroyTokenizer(nint tokenizer);

    [LibraryImport(Library, EntryPoint = "OgaCreateSequences")]
    public static partial nint CreateSequences(out OgaSequences sequences);

    [LibraryImport(Library, EntryPoint = "OgaSequencesGetSequenceCount")]
    public static partial nuint SequencesGetSequenceCount(OgaSequences sequences, nuint index);

    [LibraryImport(Library, EntryPoint = "OgaSequencesGetSequenceData")]
    public static partial int* SequencesGetSequenceData(OgaSequences sequences, nuint index);

    [LibraryImport(Library, EntryPoint = "OgaDestroySequences")]
    public static partial void DestroySequences(nint sequences);

    [LibraryImport(Library, EntryPoint = "OgaCreateGeneratorParams")]
    public static partial nint CreateGeneratorParams(OgaModel model, out OgaGeneratorParams parameters);

    [LibraryImport(Library, EntryPoint = "OgaGeneratorParamsSetSearchNumber", StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint GeneratorParamsSetSearchNumber(OgaGeneratorParams parameters, string name, double value);

    [LibraryImport(Library, EntryPoint = "OgaGeneratorParamsSetSearchBool", StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint GeneratorParamsSetSearchBool(OgaGeneratorParams parameters, string name, [MarshalAs(UnmanagedType.U1)] bool value);

    [LibraryImport(Library, EntryPoint = "OgaDestroyGeneratorParams")]
    public static partial void DestroyGeneratorParams(nint parameters);

    [LibraryImport(Library, EntryPoint = "OgaCreateGenerator")]
    public static partial nint CreateGenerator(OgaModel model, OgaGeneratorParams parameters, out OgaGenerator generator);

    [LibraryImport(Library, EntryPoint = "OgaGenerator_AppendTokens")]
    public static partial nint GeneratorAppendTokens(OgaGenerator generator, int* tokens, nuint count);

    [LibraryImport(Library, EntryPoint = "OgaGenerator_GenerateNextToken")]
    public static partial nint GeneratorGenerateNextToken(OgaGenerator generator);

    [LibraryImport(Library, EntryPoint = "OgaGenerator_GetNextTokens")]
    public static partial nint GeneratorGetNextTokens(OgaGenerator generator, out int* tokens, out nuint count);

    [LibraryImport(Library, EntryPoint = "OgaGenerator_GetLogits")]
    public static partial nint GeneratorGetLogits(OgaGenerator generator, out OgaTensor logits);

    [LibraryImport(Library, EntryPoint = "OgaGenerator_SetLogits")]
    public static partial nint GeneratorSetLogits(OgaGenerator generator, OgaTensor logits);

    [LibraryImport(Library, EntryPoint = "OgaGenerator_GetOutput", StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint GeneratorGetOutput(OgaGenerator generator, string name, out OgaTensor output);

    [LibraryImport(Library, EntryPoint = "OgaDestroyGenerator")]
    public static partial void DestroyGenerator(nint generator);

    [LibraryImport(Library, EntryPoint = "OgaCreateTensorFromBuffer")]
    public static partial nint CreateTensorFromBuffer(void* data, long* sizes, nuint rank, int type, out OgaTensor tensor);

    [LibraryImport(Library, EntryPoint = "OgaTensorGetType")]
    public static partial nint TensorGetType(OgaTensor tensor, out int type);

    [LibraryImport(Library, EntryPoint = "OgaTensorGetShapeRank")]
    public static partial nint TensorGetShapeRank(OgaTensor tensor, out nuint rank);

    [LibraryImport(Library, EntryPoint = "OgaTensorGetShape")]
    public static partial nint TensorGetShape(OgaTensor tensor, long* sizes, nuint rank);

    [LibraryImport(Library, EntryPoint = "OgaTensorGetData")]
    public static partial nint TensorGetData(OgaTensor tensor, out void* data);

    [LibraryImport(Library, EntryPoint = "OgaDestroyTensor")]
    public static partial void DestroyTensor(nint tensor);
}
