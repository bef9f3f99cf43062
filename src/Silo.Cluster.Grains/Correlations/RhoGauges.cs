using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Silo.Cluster.Contracts;
using Silo.Cluster.Contracts.Correlations;

namespace Silo.Cluster.Grains.Correlations;

/// <summary>
/// Running rho with its bounds, of the declared measures and the controls only: whoever publishes "the leaders"
/// publishes winners, and churns series.
/// </summary>
internal sealed class RhoGauges
{
    private const int MostLines = 500;
    private readonly ConcurrentDictionary<string, RunningBoard> _boards = new(StringComparer.Ordinal);

    public RhoGauges(ClusterMetrics metrics)
    {
        metrics.Meter.CreateObservableGauge("silo.rho", Rho, null, "Mean within-prompt rho of declared measures and controls: estimate, lower and upper bound.");
        metrics.Meter.CreateObservableGauge("silo.campaign.rated_prompts", Rated, "{prompt}", "Prompts that have a gold, by experiment and gold.");
    }

    public void Show(string experiment, RunningBoard board) => _boards[experiment] = board;

    public void Forget(string experiment) => _boards.TryRemove(experiment, out _);

    private IEnumerable<Measurement<double>> Rho()
    {
        foreach (var (experiment, board) in _boards)
            foreach (var line in board.Lines.Where(l => l.Declared).Take(MostLines))
                foreach (var (bound, value) in new[] { ("estimate", line.Rho), ("lower", line.Lower), ("upper", line.Upper) })
                    if (value is { } known)
                        yield return new Measurement<double>(known,
                            new("experiment", experiment), new("measure", line.Measure), new("gold", line.Gold), new("bound", bound));
    }

    private IEnumerable<Measurement<long>> Rated()
    {
        foreach (var (experiment, board) in _boards)
            foreach (var gold in board.Lines.GroupBy(l => l.Gold))
                yield return new Measurement<long>(board.Prompts - gold.First().Unrated, new("experiment", experiment), new("gold", gold.Key));
    }
}
