using Silo.Core;

namespace Silo.Storage.Runs;

/// <summary>
/// The right to write to a run directory. The operating system holds it on an open file, so it ends with the process,
/// however that ends; the file itself stays and means nothing.
/// </summary>
internal sealed class RunLock : IDisposable
{
    // What .NET gives for a file that another process has locked: Windows' error code, or the errno EWOULDBLOCK.
    private const int SharingViolation = unchecked((int)0x80070020), WouldBlockLinux = 11, WouldBlockMac = 35;

    private readonly FileStream _file;

    private RunLock(FileStream file) => _file = file;

    /// <exception cref="SiloException">Another process has it, or the directory cannot be written to.</exception>
    public static RunLock Take(RunDirectory directory)
    {
        try
        {
            Directory.CreateDirectory(directory.Path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new SiloException($"{directory.Path}: the run directory cannot be made: {OneLine(e)}", e);
        }
        try
        {
            return new RunLock(new FileStream(directory.Lock, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (IOException e) when (e.HResult is SharingViolation or WouldBlockLinux or WouldBlockMac)
        {
            throw new SiloException($"{directory.Path}: another process is writing to this run", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SiloException($"{directory.Path}: the run directory cannot be written to: {OneLine(e)}", e);
        }
    }

    public void Dispose() => _file.Dispose();

    private static string OneLine(Exception e) => e.Message.ReplaceLineEndings(" ");
}
