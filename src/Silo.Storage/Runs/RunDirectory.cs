namespace Silo.Storage.Runs;

/// <summary>The files of a run directory. Other files in it are never touched.</summary>
/// <param name="Path">The directory, as the user named it.</param>
public sealed record RunDirectory(string Path)
{
    /// <summary>The SQLite database: spec, texts, measures, ranks, traces.</summary>
    public string Database => System.IO.Path.Combine(Path, "run.db");

    /// <summary>Locked by the operating system as long as a process writes; its existence says nothing.</summary>
    public string Lock => System.IO.Path.Combine(Path, "run.lock");

    /// <summary>The report.</summary>
    public string Report => System.IO.Path.Combine(Path, "report.html");

    /// <summary>The report's tables as CSV.</summary>
    public string Tables => System.IO.Path.Combine(Path, "tables");

    /// <summary>Whether the directory holds a run.</summary>
    public bool HoldsRun => File.Exists(Database);
}
