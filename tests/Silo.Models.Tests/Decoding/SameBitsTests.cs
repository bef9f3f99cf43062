using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using System.Security.Cryptography;
using Silo.Experiments.Generation;
using Silo.Models.Tests.Gguf.Llama;

namespace Silo.Models.Tests.Decoding;

/// <summary>One numeric profile: the same logits, tokens and features in processes whose wide instructions are switched off.</summary>
public sealed class SameBitsTests
{
    private const string Asked = "SILO_TEST_MODEL_BITS";

    [Theory]
    [InlineData("DOTNET_EnableAVX512", "DOTNET_EnableAVX512F")]
    [InlineData("DOTNET_EnableAVX2")]
    [InlineData("DOTNET_EnableHWIntrinsic")]
    public async Task Narrower_machines_give_the_same_bits(params string[] switches)
    {
        var file = Path.GetTempFileName();
        using var process = new Process();
        process.StartInfo = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet",
            [typeof(SameBitsTests).Assembly.Location, "-method", $"{typeof(SameBitsTests).FullName}.{nameof(Two_runs_of_a_process_give_the_same_bits)}"])
        {
            RedirectStandardOutput = true,
            Environment = { [Asked] = file },
        };
        foreach (var name in switches) process.StartInfo.Environment[name] = "0";
        process.Start();
        await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, process.ExitCode);
        var answer = await File.ReadAllLinesAsync(file, TestContext.Current.CancellationToken);
        File.Delete(file);
        // The switch did switch: on a machine that has none of it there is nothing to see.
        if (Avx512BW.IsSupported || switches.Contains("DOTNET_EnableHWIntrinsic")) Assert.NotEqual(Machine(), answer[0]);
        Assert.Equal(await BitsAsync(), answer[1]);
    }

    /// <summary>In the helper process, it also tells what they are.</summary>
    [Fact]
    public async Task Two_runs_of_a_process_give_the_same_bits()
    {
        var bits = await BitsAsync();
        if (Environment.GetEnvironmentVariable(Asked) is { Length: > 0 } file)
            await File.WriteAllLinesAsync(file, [Machine(), bits], TestContext.Current.CancellationToken);
        else Assert.Equal(bits, await BitsAsync());
    }

    private static string Machine() =>
        $"{Vector128.IsHardwareAccelerated} {Vector256.IsHardwareAccelerated} {Vector512.IsHardwareAccelerated} {Avx2.IsSupported} {Avx512BW.IsSupported}";

    private static async Task<string> BitsAsync()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var type in new uint[] { 0, 1, 8, 30 })
        {
            using var model = new TinyLlama { Width = 160, FeedForward = 160, Types = { ["_q.weight"] = type, ["_k.weight"] = type, ["_v.weight"] = type, ["down.weight"] = type, ["embd.weight"] = type } }.Open();
            using var batch = model.CreateBatch(new BatchOptions { RowLimit = 4, KeepHiddenStates = true });
            var rows = new int[4];
            batch.TryAdd([1, .. Enumerable.Range(20, 30)], 5, rows);
            batch.Step(rows, [40, 50, 60, 70]);
            foreach (var row in rows)
            {
                hash.AppendData(MemoryMarshal.AsBytes(batch.Logits(row)));
                hash.AppendData(MemoryMarshal.AsBytes(batch.HiddenStates(row)));
            }
            await using var engine = new GenerationEngine(model);
            var request = GenerationEngineTests.Request("abc", 12, [0.3, 1.5, 0]) with { CaptureK = 20, Sampler = new SamplerOptions { TopP = 0.9, MinP = 0.01, TopK = 100 } };
            foreach (var text in await engine.GenerateAsync(request, null, default))
            {
                hash.AppendData(MemoryMarshal.AsBytes<int>(text.Tokens));
                hash.AppendData(MemoryMarshal.AsBytes<double>(text.Trace.Full));
            }
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
