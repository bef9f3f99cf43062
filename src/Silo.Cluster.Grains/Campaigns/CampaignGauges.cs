using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Silo.Cluster.Contracts;
using Silo.Experiments.Campaign;

namespace Silo.Cluster.Grains.Campaigns;

/// <summary>
/// Gauges of the campaigns whose grains are active in this silo: window, prompts left, and how long they will take at the
/// pace of the last minutes. A campaign's series ends with it.
/// </summary>
internal sealed class CampaignGauges
{
    private static readonly TimeSpan s_span = TimeSpan.FromMinutes(10);
    private readonly ConcurrentDictionary<string, Standing> _campaigns = new(StringComparer.Ordinal);
    private readonly TimeProvider _time;

    public CampaignGauges(ClusterMetrics metrics, TimeProvider time)
    {
        _time = time;
        metrics.Meter.CreateObservableGauge("silo.campaign.window", () => Observe(s => s.State.Open), "{prompt}", "Prompts that may be in flight at present, by experiment.");
        metrics.Meter.CreateObservableGauge("silo.campaign.inflight", () => Observe(s => s.State.InFlight.Length), "{prompt}", "Prompts in flight, by experiment.");
        metrics.Meter.CreateObservableGauge("silo.campaign.backlog", Backlog, "{prompt}", "Prompts that have not ended, by experiment and the campaign's state.");
        metrics.Meter.CreateObservableGauge("silo.campaign.remaining", Remaining, "s", "Seconds to completion at the pace of the last ten minutes, by experiment.");
    }

    /// <summary>Takes a campaign's new standing.</summary>
    public void Show(string experiment, CampaignState state, bool started)
    {
        if (!started || state.Status is CampaignStatus.Finished or CampaignStatus.Cancelled)
        {
            _campaigns.TryRemove(experiment, out _);
            return;
        }
        var now = _time.GetTimestamp();
        _campaigns.AddOrUpdate(experiment, _ => new Standing(state, now, state.Ended),
            (_, before) => _time.GetElapsedTime(before.Since, now) > s_span ? new Standing(state, now, state.Ended) : before with { State = state });
    }

    /// <summary>The campaign's grain has left this silo.</summary>
    public void Forget(string experiment) => _campaigns.TryRemove(experiment, out _);

    private IEnumerable<Measurement<int>> Observe(Func<Standing, int> value) =>
        _campaigns.Select(c => new Measurement<int>(value(c.Value), new KeyValuePair<string, object?>("experiment", c.Key)));

    private IEnumerable<Measurement<int>> Backlog() => _campaigns.Select(c => new Measurement<int>(
        c.Value.State.Prompts - c.Value.State.Ended,
        new KeyValuePair<string, object?>("experiment", c.Key),
        new KeyValuePair<string, object?>("state", c.Value.State.Status.ToString().ToLowerInvariant())));

    private IEnumerable<Measurement<double>> Remaining()
    {
        var now = _time.GetTimestamp();
        foreach (var (experiment, standing) in _campaigns)
        {
            var done = standing.State.Ended - standing.EndedThen;
            var seconds = _time.GetElapsedTime(standing.Since, now).TotalSeconds;
            if (done > 0 && seconds > 0)
                yield return new Measurement<double>(
                    (standing.State.Prompts - standing.State.Ended) * seconds / done, new KeyValuePair<string, object?>("experiment", experiment));
        }
    }

    private sealed record Standing(CampaignState State, long Since, int EndedThen);
}
