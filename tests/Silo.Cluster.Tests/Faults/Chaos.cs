using System.Collections.Concurrent;
using Silo.Cluster.Contracts;
using Silo.Cluster.Contracts.Campaigns;
using Silo.Cluster.Contracts.Correlations;
using Silo.Cluster.Tests.Fixtures;
using Silo.Experiments.Ranking;
using Silo.Experiments.Spec;

namespace Silo.Cluster.Tests.Faults;

/// <summary>What goes wrong around a campaign, drawn from a seed.</summary>
internal sealed class Chaos(TestCluster cluster, string experiment, ExperimentSpec spec, int seed, CancellationToken over)
{
    private readonly Random _random = new(seed);

    public ConcurrentQueue<string> Log { get; } = new();

    /// <summary>Does one thing after another until it is told to stop.</summary>
    public async Task RageAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await OneAsync();
                await Task.Delay(_random.Next(20, 150), stop);
            }
            catch (Exception e) when (!stop.IsCancellationRequested)
            {
                // A call into a silo that dies at this moment.
                Log.Enqueue($"  {e.GetType().Name}: {e.Message}");
            }
            catch (Exception)
            {
                // It was told to stop in the middle of a call.
                return;
            }
        }
    }

    private async Task OneAsync()
    {
        var draw = _random.Next(100);
        switch (draw)
        {
            case < 8:
                var dying = cluster.Silos.ElementAt(_random.Next(cluster.Silos.Count()));
                Log.Enqueue($"kill {dying.Role} {dying.Silo.SiloAddress}");
                await cluster.AddAsync(dying.Role);
                if (_random.Next(2) == 0) await cluster.KillAsync(dying.Silo);
                else await cluster.StopAsync(dying.Silo);
                break;
            case < 12:
                Log.Enqueue("reconnect");
                await cluster.ReconnectAsync();
                break;
            case < 30:
                Log.Enqueue("remind twice");
                var reminded = cluster.Orleans.GetGrain<IExperimentGrain>(experiment).AsReference<IRemindable>();
                await Task.WhenAll(reminded.ReceiveReminder("campaign", default), reminded.ReceiveReminder("campaign", default));
                break;
            case < 45:
                await DeactivateAsync("experiment", cluster.Orleans.GetGrain<IExperimentGrain>(experiment));
                break;
            case < 60:
                await DeactivateAsync("page", cluster.Orleans.GetGrain<IPromptPageGrain>(Keys.Part(experiment, 0)));
                break;
            case < 64:
                Log.Enqueue("window");
                await cluster.Client.SetWindowAsync(experiment, 1 + _random.Next(6), over);
                break;
            case < 67:
                Log.Enqueue("pause, resume");
                await cluster.Client.PauseAsync(experiment, over);
                // The last word must be heard, or the campaign rightly stays where it is.
                await InsistAsync(() => cluster.Client.ResumeAsync(experiment, over), over);
                break;
            case < 69:
                Log.Enqueue("lose reminders");
                await cluster.World.Reminders.TestOnlyClearTable();
                break;
            case < 77:
                await DeactivateAsync("shard", cluster.Orleans.GetGrain<ICorrelationShardGrain>(Keys.Part(experiment, 0)));
                break;
            default:
                await DeactivateAsync("prompt", cluster.Orleans.GetGrain<IPromptGrain>(Keys.Prompt(experiment, spec.Prompts[_random.Next(spec.Prompts.Count)].Id)));
                break;
        }
    }

    private async Task DeactivateAsync(string what, IAddressable grain)
    {
        Log.Enqueue($"deactivate {what}");
        await cluster.DeactivateAsync(grain);
    }

    /// <summary>Ranks of three raters and a panel's two, with corrections, withdrawals and repetitions, in any order.</summary>
    public static IReadOnlyList<RankEvent> Ranks(ExperimentSpec spec, int seed)
    {
        var random = new Random(seed);
        var ranks = new List<RankEvent>();
        foreach (var key in new Silo.Experiments.Plan.ExperimentPlan(spec).Keys())
            foreach (var (rater, panel) in new (string, string?)[] { ("ann", null), ("ben", null), ("cat", null), ("judge1", "judges"), ("judge2", "judges") })
            {
                ranks.Add(new RankEvent(key.Prompt, key.Item, rater, panel, 1 + random.Next(3)));
                if (random.Next(4) == 0) ranks.Add(new RankEvent(key.Prompt, key.Item, rater, panel, 1 + random.Next(3), Revision: 1));
                if (random.Next(6) == 0) ranks.Add(new RankEvent(key.Prompt, key.Item, rater, panel, null, Revision: 2));
                if (random.Next(3) == 0) ranks.Add(ranks[^1]);
            }
        var order = ranks.ToArray();
        random.Shuffle(order);
        return order;
    }

    /// <summary>Does something that every fault may interrupt, until it has been done.</summary>
    public static async Task<T> InsistAsync<T>(Func<Task<T>> call, CancellationToken cancellation)
    {
        while (true)
        {
            try
            {
                return await call();
            }
            catch (Exception) when (!cancellation.IsCancellationRequested)
            {
                await Task.Delay(100, cancellation);
            }
        }
    }
}
