using Silo.Cluster.Contracts;

namespace Silo.Cluster.Tests.Fixtures;

/// <summary>
/// What goes wrong between grains, drawn from a seed: calls and answers get lost, calls come twice, reminders never come.
/// </summary>
internal sealed class WireFaults(int seed) : IIncomingGrainCallFilter
{
    private readonly Random _random = new(seed);

    /// <summary>Share of calls that something happens to; of reminders ten times as many.</summary>
    public double Share { get; set; } = 0.03;

    /// <summary>Whether no reminder comes at all.</summary>
    public bool LosesReminders { get; set; }

    public int Injected;

    public async Task Invoke(IIncomingGrainCallContext context)
    {
        var type = context.InterfaceMethod?.DeclaringType;
        var isReminder = type == typeof(IRemindable);
        var draw = isReminder || type?.Assembly == typeof(PackedState).Assembly ? Draw(isReminder ? 10 : 1) : -1;
        if (draw == 0 || (isReminder && (draw >= 0 || LosesReminders))) throw new TimeoutException("the call got lost");
        await context.Invoke();
        // The second answer is nobody's.
        if (draw == 1) (await context.Request.Invoke()).Dispose();
        if (draw == 2) throw new TimeoutException("the answer got lost");
    }

    private int Draw(int times)
    {
        if (Share == 0) return -1;
        lock (_random)
        {
            if (_random.NextDouble() >= Share * times) return -1;
            Injected++;
            return _random.Next(3);
        }
    }
}
