namespace Silo.Experiments.Generation;

/// <summary>
/// What makes texts: one model in one process. Calls may overlap; the engine mixes the rows of all of them. A call is
/// idempotent: the same request gives the same texts (to the last bit with the managed engine).
/// </summary>
public interface IGenerationEngine
{
    /// <summary>Fingerprint: engine, model digest, numeric profile. Two texts may be compared if it is the same.</summary>
    string Fingerprint { get; }

    /// <summary>
    /// Makes the texts of a request; completes when all are done, in the order of its rows. <paramref name="onResult"/>,
    /// if given, sees each text as soon as it is finished (on an engine thread; it must be quick and must not throw).
    /// </summary>
    /// <exception cref="Core.SiloException">The prompt cannot be used: it does not fit into the context, say.</exception>
    /// <exception cref="EngineBusyException">The engine's queue is full: try again later.</exception>
    Task<IReadOnlyList<GenerationResult>> GenerateAsync(
        GenerationRequest request, Action<GenerationResult>? onResult, CancellationToken cancellationToken);
}

/// <summary>The engine's bounded queue is full; nothing was started.</summary>
public sealed class EngineBusyException() : Exception("the engine's queue is full");
