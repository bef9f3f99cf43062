using Xunit;

namespace Silo.TestKit;

/// <summary>
/// Where the golden values, test models and data lie: the folder named by <c>SILO_SHARED</c>, or <c>../shared</c>
/// beside the repository. Tests that need it are skipped, by name, where it is absent.
/// </summary>
public static class Shared
{
    /// <summary>The repository's root: the nearest parent of the test binary that holds <c>Silo.sln</c>.</summary>
    public static string Repository { get; } = FindRepository();

    /// <summary>The shared folder, or null where there is none.</summary>
    public static string? Folder { get; } = FindFolder();

    /// <summary>The path of a shared file; skips the running test, by name, where it is absent.</summary>
    /// <param name="relativePath">Path below the shared folder, with forward slashes.</param>
    public static string Path(string relativePath)
    {
        var path = Folder is null ? null : System.IO.Path.Combine(Folder, relativePath);
        if (path is null || !(File.Exists(path) || Directory.Exists(path)))
            Assert.Skip($"shared/{relativePath} is absent (set SILO_SHARED to the folder that holds it)");
        return path;
    }

    private static string FindRepository()
    {
        for (var dir = AppContext.BaseDirectory; dir is not null; dir = System.IO.Path.GetDirectoryName(dir))
            if (File.Exists(System.IO.Path.Combine(dir, "Silo.sln"))) return dir;
        throw new DirectoryNotFoundException("no parent of the test binary holds Silo.sln");
    }

    private static string? FindFolder()
    {
        var named = Environment.GetEnvironmentVariable("SILO_SHARED");
        if (!string.IsNullOrEmpty(named)) return Directory.Exists(named) ? named : null;
        var beside = System.IO.Path.GetFullPath(System.IO.Path.Combine(Repository, "..", "shared"));
        return Directory.Exists(beside) ? beside : null;
    }
}
