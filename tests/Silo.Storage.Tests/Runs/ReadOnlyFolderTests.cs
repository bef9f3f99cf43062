using System.Diagnostics;
using Silo.Core;
using Silo.Storage.Runs;

namespace Silo.Storage.Tests.Runs;

public sealed class ReadOnlyFolderTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_run_in_a_folder_that_cannot_be_written_to_is_read()
    {
        // The odd name is what the URI of an unchanging database must quote.
        var run = Directory.CreateDirectory(_folder["a run?#%41"]).FullName;
        if (!Mount("-t", "tmpfs", "tmpfs", run)) Assert.Skip("mounting a tmpfs is not permitted here (it needs root)");
        try
        {
            using (var store = Sample.Open(run)) Sample.KeepAll(store, 2);
            Assert.True(Mount("-o", "remount,ro", run));
            using var reader = RunReader.Open(run);
            Assert.Equal(4, reader.Info().Kept);
            Assert.Equal(4, reader.Records([]).Count());
            Assert.Contains("cannot be written to", Assert.Throws<SiloException>(() => Sample.Open(run)).Message, StringComparison.Ordinal);
        }
        finally
        {
            Start("umount", run);
        }
    }

    private static bool Mount(params string[] args) => OperatingSystem.IsLinux() && Start("mount", args);

    private static bool Start(string program, params string[] args)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, args) { RedirectStandardError = true })!;
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }
}
