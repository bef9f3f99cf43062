using Microsoft.Extensions.Logging;
using Orleans.Concurrency;
using Orleans.Placement;
using Silo.Cluster.Contracts;
using Silo.Cluster.Contracts.Inference;
using Silo.Core;
using Silo.Experiments.Generation;

namespace Silo.Cluster.Inference;

/// <summary>
/// A thin way to the process's engine. Its class is known to inference hosts alone, which pins it there; the filter adds
/// model, engine and device. It gives up its place after some minutes, so that a host that has joined gets its share.
/// </summary>
[Reentrant, EnginePlacement, RandomPlacement]
internal sealed partial class InferenceGrain(EngineHost host, TimeProvider time, ILogger<InferenceGrain> logger) : Grain, IInferenceGrain
{
    private static readonly TimeSpan s_lease = TimeSpan.FromMinutes(5);
    private readonly long _since = time.GetTimestamp();
    private int _running;

    public async Task<GenerateReply> Generate(GenerateMessage message, CancellationToken cancellationToken)
    {
        if (message.Engine is { } wanted && wanted != host.Fingerprint) return Reply(GenerateOutcome.OtherEngine, null);
        if (message.Spec.Length > Limits.MaxSpecLength || message.Prompt.Length > Limits.MaxPromptLength || message.Rows.Count > Limits.MaxRows)
            return Reply(GenerateOutcome.Refused, "spec, prompt or number of rows over the limit");
        _running++;
        try
        {
            var texts = await host.GenerateAsync(message, cancellationToken);
            var bytes = texts.Sum(t => t.Bytes);
            if (bytes > Limits.MaxTextsBytes) return Reply(GenerateOutcome.Refused, $"the texts take {bytes} bytes: at most {Limits.MaxTextsBytes} are taken");
            return Reply(GenerateOutcome.Done, null) with { Texts = texts };
        }
        catch (EngineBusyException)
        {
            return Reply(GenerateOutcome.Busy, "the queue is full");
        }
        catch (SiloException e)
        {
            return Reply(GenerateOutcome.Refused, e.Message);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            LogFailed(this.GetPrimaryKeyString(), e);
            return Reply(GenerateOutcome.Failed, $"{e.GetType().Name}: {e.Message}");
        }
        finally
        {
            // Who comes while it ends waits for what still runs: better at a time when nothing does.
            _running--;
            var held = time.GetElapsedTime(_since);
            if (held > 2 * s_lease || (held > s_lease && _running == 0)) DeactivateOnIdle();
        }
    }

    private GenerateReply Reply(GenerateOutcome outcome, string? reason) => new() { Outcome = outcome, Reason = reason, Engine = host.Fingerprint };

    [LoggerMessage(LogLevel.Error, "Slot {Slot}: the engine failed")]
    private partial void LogFailed(string slot, Exception error);
}
