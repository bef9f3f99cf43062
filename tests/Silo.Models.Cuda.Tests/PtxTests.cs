using System.Reflection;
using System.Text.RegularExpressions;
using ILGPU;
using ILGPU.Backends.EntryPoints;
using ILGPU.Backends.PTX;
using ILGPU.Runtime;
using ILGPU.Runtime.CPU;
using ILGPU.Runtime.Cuda;
using Silo.Models.Cuda.Kernels;

namespace Silo.Models.Cuda.Tests;

/// <summary>What a driver would be given: the kernels compile to PTX without a device.</summary>
public sealed partial class PtxTests
{
    [Theory]
    [InlineData(7, 5)]
    [InlineData(8, 0)]
    [InlineData(9, 0)]
    public void Kernels_compile_to_PTX_that_fits_any_device(int major, int minor)
    {
        using var context = Context.Create(builder => builder.Optimize(OptimizationLevel.O2).CPU());
        using var backend = new PTXBackend(context, new CudaArchitecture(major, minor), CudaInstructionSet.ISA_78, null!);
        foreach (var type in (Type[])[typeof(RowKernel), typeof(ReadKernel)])
        {
            var kernel = EntryPointDescription.FromExplicitlyGroupedKernel(type.GetMethod("Run", BindingFlags.Public | BindingFlags.Static)!);
            var ptx = ((PTXCompiledKernel)backend.Compile(kernel, new KernelSpecialization(512, 1))).PTXAssembly;
            // A driver translates what was made for an older device.
            Assert.InRange(int.Parse(Target().Match(ptx).Groups[1].Value), 70, (10 * major) + minor);
            Assert.Contains(".visible .entry", ptx, StringComparison.Ordinal);
            // So that registers suffice for as many threads.
            Assert.Contains(".maxntid 512", ptx, StringComparison.Ordinal);
            // Functions of a library that is not here would have to be linked.
            Assert.DoesNotContain(".extern", ptx, StringComparison.Ordinal);
            Assert.InRange(SharedArray().Matches(ptx).Sum(array => int.Parse(array.Groups[1].Value)), 0, 48 << 10);
        }
    }

    [GeneratedRegex(@"\.target sm_(\d+)")]
    private static partial Regex Target();

    [GeneratedRegex(@"\.shared[^;\[]*\.b8 [^;\[]*\[(\d+)\]")]
    private static partial Regex SharedArray();
}
