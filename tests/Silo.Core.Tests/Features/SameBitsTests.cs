using System.Buffers.Binary;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using System.Security.Cryptography;
using Silo.Core.Features;
using Silo.Core.Numerics;

namespace Silo.Core.Tests.Features;

/// <summary>The kernel's bits in processes whose wide instructions are switched off.</summary>
public class SameBitsTests
{
    private const string Asked = "SILO_TEST_FEATURE_BITS";

    [Theory]
    [InlineData("DOTNET_EnableAVX512", "DOTNET_EnableAVX512F")]
    [InlineData("DOTNET_EnableAVX2")]
    [InlineData("DOTNET_EnableHWIntrinsic")]
    public async Task Narrower_machines_give_the_same_bits(params string[] switches)
    {
        var (machine, bits) = Describe();
        using var process = new Process();
        process.StartInfo = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", [typeof(SameBitsTests).Assembly.Location])
        {
            RedirectStandardOutput = true,
            Environment = { [Asked] = "1" },
        };
        foreach (var name in switches) process.StartInfo.Environment[name] = "0";
        process.Start();
        var output = (await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken)).Split('\n');
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, process.ExitCode);
        // The switch did switch: on a machine that has none of it there is nothing to see.
        if (Avx512BW.IsSupported || switches.Contains("DOTNET_EnableHWIntrinsic")) Assert.NotEqual(machine, output[0]);
        Assert.Equal(bits, output[1]);
    }

    /// <summary>In the helper process: prints and leaves, before any test runs.</summary>
    [ModuleInitializer]
    internal static void AnswerIfAsked()
    {
        if (Environment.GetEnvironmentVariable(Asked) != "1") return;
        var (machine, bits) = Describe();
        Console.Write($"{machine}\n{bits}\n");
        Environment.Exit(0);
    }

    private static (string Machine, string Bits) Describe()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var kind in FeatureRows.Kinds)
            foreach (var v in new[] { 5, 300, 1500, 12_345 })
            {
                var row = new FeatureRows.Row(kind, v, 17 * v, 20, [0.05, 0.3, 0.8, 1, 1.5]);
                double[] full = new double[5 * TokenFeatures.FullCount], captured = new double[5 * TokenFeatures.CapturedCount];
                new FeatureKernel(row.V, row.K).Compute(row.Logits, row.Temperatures, row.Token, full, captured);
                Append(full);
                Append(captured);
            }
        double[] x = [.. Enumerable.Range(0, 5000).Select(i => (i - 2500) * 0.31)], y = new double[x.Length];
        DeterministicMath.Exp(x, y);
        Append(y);
        DeterministicMath.Log(y, y);
        Append(y);
        var machine = $"{Vector128.IsHardwareAccelerated} {Vector256.IsHardwareAccelerated} {Vector512.IsHardwareAccelerated} {Avx2.IsSupported} {Avx512BW.IsSupported}";
        return (machine, Convert.ToHexStringLower(hash.GetHashAndReset()));

        void Append(double[] values)
        {
            var bytes = new byte[8 * values.Length];
            for (var i = 0; i < values.Length; i++) BinaryPrimitives.WriteDoubleLittleEndian(bytes.AsSpan(8 * i), values[i]);
            hash.AppendData(bytes);
        }
    }
}
