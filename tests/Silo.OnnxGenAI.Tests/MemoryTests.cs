using Silo.EndToEnd;
using Silo.ModelMaker;
using Silo.Models;
using Silo.Models.OnnxGenAI.Native;

namespace Silo.OnnxGenAI.Tests;

/// <summary>The runtime really runs out of memory: in a process of its own, whose address space is limited once the model is loaded.</summary>
public sealed class MemoryTests
{
    private const int Rows = 32;

    [Theory]
    [InlineData(3_000, 1)]
    [InlineData(900, 3)]
    public async Task A_batch_that_does_not_fit_is_halved_and_its_texts_are_the_same(int megabytes, int batches)
    {
        var (folder, expected) = await ExpectedAsync();
        var lines = await StarveAsync(folder, megabytes);
        Assert.Equal($"batches {batches}", lines[0]);
        Assert.Equal(expected, lines[1..(Rows + 1)]);
        Assert.Equal(["batches 1", expected[0]], lines[(Rows + 1)..]);
    }

    [Fact]
    public async Task What_does_not_fit_in_halves_either_fails_as_such_and_the_process_stays_well()
    {
        var (folder, expected) = await ExpectedAsync();
        var lines = await StarveAsync(folder, 300);
        // The half that came first fails, and its request with it.
        Assert.Matches("^batches [23]$", lines[0]);
        Assert.StartsWith("DeviceMemoryException: not enough memory on the device: ", lines[1], StringComparison.Ordinal);
        Assert.Equal(["batches 1", expected[0]], lines[2..]);
    }

    /// <summary>A model whose prompts' logits are large (some 32 MB a row here), and its texts where there is memory enough.</summary>
    private static async Task<(string Folder, string[] Texts)> ExpectedAsync()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "address spaces are limited by setrlimit, which is Linux's");
        var folder = Folders.Random("starved", RandomLlama.With(new Silo.Models.Tests.Gguf.Llama.TinyLlama { Width = 64, Vocabulary = 32_000, Context = 512 })).Folder;
        using var model = Folders.Open(folder, threads: 1);
        await using var engine = new GenerationEngine(model, new GenerationEngineOptions { RowLimit = 4, Features = false });
        var results = await engine.GenerateAsync(Starved.Request(Rows), null, TestContext.Current.CancellationToken);
        return (folder, [.. results.Select(result => string.Join(' ', result.Tokens.ToArray()))]);
    }

    private static async Task<string[]> StarveAsync(string folder, int megabytes)
    {
        var maker = Path.Combine(Shared.Repository, "tests", "Silo.ModelMaker", "bin", SiloProcess.Configuration, "net10.0", "Silo.ModelMaker");
        // One arena: else each thread of the C library reserves its own.
        var outcome = await SiloProcess.RunInAsync("/usr/bin/env", Environment.CurrentDirectory,
            $"SILO_ONNX_GENAI={NativeLibraries.Use().Folder}", "MALLOC_ARENA_MAX=1", maker, "starve", folder, $"{megabytes}", $"{Rows}");
        Assert.True(outcome.ExitCode == 0, $"{outcome.ExitCode}: {outcome.Error}");
        return outcome.Lines;
    }
}
