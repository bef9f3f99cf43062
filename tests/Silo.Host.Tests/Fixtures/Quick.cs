using System.Runtime.CompilerServices;

namespace Silo.Host.Tests.Fixtures;

/// <summary>Dozens of short processes are most of what these tests cost: none of them lives for what it could learn of itself.</summary>
internal static class Quick
{
    [ModuleInitializer]
    internal static void ForAllChildren() => Environment.SetEnvironmentVariable("DOTNET_TieredPGO", "0");
}
