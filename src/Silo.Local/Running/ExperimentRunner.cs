using System.Reflection;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Silo.Core;
using Silo.Storage.Runs;

namespace Silo.Local.Running;

/// <summary>
/// Runs an experiment in this process, from wherever its run directory stands to its end. Running it again goes on
/// where it stopped; a finished run answers at once.
/// </summary>
public static class ExperimentRunner
{
    /// <summary>Silo's version, as runs keep it.</summary>
    public static string Version { get; } =
        typeof(ExperimentRunner).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0";

    /// <summary>Runs.</summary>
    /// <param name="request">What is run, where, and how.</param>
    /// <param name="stop">Finish what is in flight, then end with <see cref="RunEvent.Stopped"/>.</param>
    /// <param name="abort">Leave at once, with an <see cref="OperationCanceledException"/>; what was stored is safe.</param>
    /// <returns>What happens, ending with <see cref="RunEvent.Done"/> or <see cref="RunEvent.Stopped"/>.</returns>
    /// <exception cref="SiloException">The directory holds another experiment or is in use, the model cannot be used, the disk is full, ...</exception>
    public static async IAsyncEnumerable<RunEvent> RunAsync(
        RunRequest request, CancellationToken stop, [EnumeratorCancellation] CancellationToken abort)
    {
        var events = Channel.CreateUnbounded<RunEvent>(new UnboundedChannelOptions { SingleReader = true });
        using var left = CancellationTokenSource.CreateLinkedTokenSource(abort);
        var work = Task.Run(async () =>
        {
            try
            {
                await RunAsync(request, events.Writer, stop, left.Token);
                events.Writer.Complete();
            }
            catch (Exception e)
            {
                events.Writer.Complete(e);
            }
        }, CancellationToken.None);
        try
        {
            await foreach (var happened in events.Reader.ReadAllAsync(abort)) yield return happened;
        }
        finally
        {
            // Whoever stops listening stops the run; nothing of it is left when this returns.
            await left.CancelAsync();
            await work;
        }
    }

    private static async Task RunAsync(RunRequest request, ChannelWriter<RunEvent> events, CancellationToken stop, CancellationToken abort)
    {
        using var store = RunStore.Open(request.Directory, request.Spec, Version, request.Fresh, request.Time);
        var ranks = RankIntake.Take(store, request.RankFiles, again: false);
        if (request.RetryFailed) store.Write(batch => batch.RetryFailed());
        ModelCheck.Check(store, request.Model);

        var wasFinished = store.Info().Finished is not null;
        if (!wasFinished)
        {
            using var sitting = new Sitting(request, store, events);
            if (!await sitting.RunAsync(stop, abort))
            {
                var summary = store.Info();
                events.TryWrite(new RunEvent.Stopped(request.Directory, summary.Kept, store.Plan.Count));
                return;
            }
            RunResults.Finish(store);
        }
        var result = RunResults.Refresh(store, request.Model, request.WriteReport, always: !wasFinished || ranks.Added > 0, abort);
        events.TryWrite(new RunEvent.BoardChanged(result.Table, Final: true));
        var end = store.Info();
        events.TryWrite(new RunEvent.Done(
            request.Directory, end.Kept, end.Failed, end.Tokens, end.Seconds, end.Digest!, end.Engines, result.Report));
    }
}
