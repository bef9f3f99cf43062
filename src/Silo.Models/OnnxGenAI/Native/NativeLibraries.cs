using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Silo.Core;

namespace Silo.Models.OnnxGenAI.Native;

/// <summary>
/// Finds ONNX Runtime GenAI's natives: in the folder that <c>SILO_ONNX_GENAI</c> names, or where the program's packages lie. Silo.Models
/// itself refers to no package of them.
/// </summary>
internal static unsafe partial class NativeLibraries
{
    private const string FolderVariable = "SILO_ONNX_GENAI";
    private static readonly Lazy<Loaded> s_loaded = new(Load);

    /// <summary>What was loaded.</summary>
    /// <param name="Digest">SHA-256 of the GenAI library: its C API tells no version.</param>
    /// <param name="RuntimeVersion">ONNX Runtime's version.</param>
    /// <param name="Folder">Where they lie.</param>
    public sealed record Loaded(string Digest, string RuntimeVersion, string Folder)
    {
        public nint Handle { get; init; }
    }

    /// <summary>The natives, loaded on first use, once a process.</summary>
    /// <exception cref="SiloException">They are not here, or cannot be loaded; one line says where they were looked for.</exception>
    public static Loaded Use() => s_loaded.Value;

    private static Loaded Load()
    {
        var named = Environment.GetEnvironmentVariable(FolderVariable);
        var folders = string.IsNullOrEmpty(named) ? Packaged() : [named];
        var folder = folders.FirstOrDefault(f => File.Exists(Path.Combine(f, FileName(Oga.Library)))) ?? throw new SiloException(
            $"ONNX Runtime GenAI is not here: {FileName(Oga.Library)} is not {(string.IsNullOrEmpty(named) ? "beside the program" : $"in {named}, which {FolderVariable} names")}; "
            + $"let {FolderVariable} name a folder that holds it and {FileName("onnxruntime")}, or build with the package (README, \"Models for ONNX Runtime GenAI\")");
        ForbidTelemetry();
        var path = Path.Combine(folder, FileName(Oga.Library));
        try
        {
            // First: GenAI takes the ONNX Runtime that is loaded already, before it searches the system's.
            var runtime = NativeLibrary.Load(Path.Combine(folder, FileName("onnxruntime")));
            var handle = NativeLibrary.Load(path);
            NativeLibrary.SetDllImportResolver(typeof(Oga).Assembly, (name, _, _) => name == Oga.Library ? handle : 0);
            Oga.SetTelemetryEnabled(false);
            using var stream = File.OpenRead(path);
            return new Loaded(Convert.ToHexStringLower(SHA256.HashData(stream)), VersionOf(runtime), folder) { Handle = handle };
        }
        catch (Exception e) when (e is DllNotFoundException or BadImageFormatException or EntryPointNotFoundException)
        {
            throw new SiloException($"{path}: cannot be loaded: {e.Message.ReplaceLineEndings(" ")}", e);
        }
    }

    /// <summary>The folders in which the host looks for natives of packages.</summary>
    private static IEnumerable<string> Packaged()
    {
        var rid = RuntimeInformation.RuntimeIdentifier;
        var known = (AppContext.GetData("NATIVE_DLL_SEARCH_DIRECTORIES") as string ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries);
        return [AppContext.BaseDirectory, Path.Combine(AppContext.BaseDirectory, "runtimes", Portable(rid), "native"), .. known];
    }

    // Packages know linux-x64, not ubuntu.24.04-x64.
    private static string Portable(string rid)
    {
        var system = OperatingSystem.IsWindows() ? "win" : OperatingSystem.IsMacOS() ? "osx" : "linux";
        return $"{system}-{RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant()}{(rid.Contains("musl", StringComparison.Ordinal) ? "-musl" : "")}";
    }

    private static string FileName(string library) =>
        OperatingSystem.IsWindows() ? $"{library}.dll" : OperatingSystem.IsMacOS() ? $"lib{library}.dylib" : $"lib{library}.so";

    /// <summary>The natives send telemetry unless this is in the process's own environment, which .NET's does not reach on Unix.</summary>
    private static void ForbidTelemetry()
    {
        Environment.SetEnvironmentVariable("ORT_DISABLE_TELEMETRY", "1");
        if (!OperatingSystem.IsWindows()) _ = SetEnvironment("ORT_DISABLE_TELEMETRY", "1", 1);
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnvironment(string name, string value, int overwrite);

    /// <summary>OrtGetApiBase()->GetVersionString(). Source: onnxruntime_c_api.h.</summary>
    private static string VersionOf(nint runtime)
    {
        var getApiBase = (delegate* unmanaged<nint*>)NativeLibrary.GetExport(runtime, "OrtGetApiBase");
        var getVersion = (delegate* unmanaged<nint>)getApiBase()[1];
        return Marshal.PtrToStringUTF8(getVersion()) ?? "unknown";
    }
}
