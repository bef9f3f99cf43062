using System.Collections.Concurrent;
using Silo.ModelMaker;
using Silo.Models;
using Silo.Models.OnnxGenAI.Native;
using Silo.Models.Tests.Gguf.Llama;

namespace Silo.OnnxGenAI.Tests;

/// <summary>Models made for the tests of this process, each as a GGUF file and as a model folder; gone when the process ends.</summary>
internal static class Folders
{
    private static readonly string s_root = Directory.CreateTempSubdirectory("silo-genai-").FullName;
    private static readonly ConcurrentDictionary<string, Lazy<(string Gguf, string Folder)>> s_made = new();

    static Folders() => AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(s_root, recursive: true);

    public static string Storyteller => Path.Combine(AppContext.BaseDirectory, "storyteller.gguf");

    /// <summary>The random model: two blocks, grouped heads of 16, the storyteller's vocabulary and some tokens more.</summary>
    public static TinyLlama Tiny => RandomLlama.With(new TinyLlama { Width = 64, Vocabulary = 4100, OwnOutput = true });

    /// <summary>A random model as file and folder.</summary>
    public static (string Gguf, string Folder) Random(string name, TinyLlama? shape = null, FolderOptions? options = null)
    {
        Need();
        return s_made.GetOrAdd(name, _ => new(() =>
        {
            var gguf = Path.Combine(s_root, name + ".gguf");
            File.WriteAllBytes(gguf, (shape ?? Tiny).File());
            return Made(gguf, name, options);
        })).Value;
    }

    /// <summary>The trained model that comes with Silo, as a folder.</summary>
    public static string Trained()
    {
        Need();
        return s_made.GetOrAdd("storyteller", name => new(() => Made(Storyteller, name, null))).Value.Folder;
    }

    /// <summary>Skips the running test, by name, where the runtime's natives are not here.</summary>
    public static void Need()
    {
        try
        {
            NativeLibraries.Use();
        }
        catch (Silo.Core.SiloException e)
        {
            Assert.Skip(e.Message);
        }
    }

    public static ILanguageModel Open(string path, int threads = 2) => LanguageModels.Open(path, new ModelOptions { Threads = threads, Device = ModelOptions.Cpu });

    private static (string, string) Made(string gguf, string name, FolderOptions? options)
    {
        var folder = Path.Combine(s_root, name);
        GenAIFolder.Write(gguf, folder, options);
        return (gguf, folder);
    }
}
