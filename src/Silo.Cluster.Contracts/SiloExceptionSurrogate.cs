using Silo.Core;

namespace Silo.Cluster.Contracts;

/// <summary>How what a user caused travels: its one line.</summary>
/// <param name="Message">The line.</param>
[GenerateSerializer, Immutable, Alias("silo.exception")]
public readonly record struct SiloExceptionSurrogate([property: Id(0)] string Message);

/// <summary>Turns it into the exception again; <see cref="SiloException"/> itself knows nothing of clusters.</summary>
[RegisterConverter]
public sealed class SiloExceptionConverter : IConverter<SiloException, SiloExceptionSurrogate>
{
    /// <inheritdoc />
    public SiloException ConvertFromSurrogate(in SiloExceptionSurrogate surrogate) => new(surrogate.Message);

    /// <inheritdoc />
    public SiloExceptionSurrogate ConvertToSurrogate(in SiloException value) => new(value.Message);
}
