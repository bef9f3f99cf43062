namespace Silo.Reporting.Model;

/// <summary>One small multiple of part 3: a measure's values by temperature.</summary>
public sealed record TemperaturePanel
{
    /// <summary>The measure.</summary>
    public required string Measure { get; init; }

    /// <summary>Its unit.</summary>
    public required string Unit { get; init; }

    /// <summary>Its definition.</summary>
    public required string Definition { get; init; }

    /// <summary>Whether the axis is logarithmic (widths).</summary>
    public required bool Logarithmic { get; init; }

    /// <summary>One column a temperature, ascending.</summary>
    public required IReadOnlyList<TemperatureColumn> Columns { get; init; }
}

/// <summary>A measure at one temperature.</summary>
public sealed record TemperatureColumn
{
    /// <summary>The temperature.</summary>
    public required double Temperature { get; init; }

    /// <summary>Median over all texts.</summary>
    public required double Median { get; init; }

    /// <summary>10th percentile over all texts.</summary>
    public required double P10 { get; init; }

    /// <summary>90th percentile over all texts.</summary>
    public required double P90 { get; init; }

    /// <summary>Number of texts with a value.</summary>
    public required int N { get; init; }

    /// <summary>Texts whose value is undefined.</summary>
    public required int Undefined { get; init; }

    /// <summary>The values that are drawn: all, or an evenly spaced sample in the order of the keys.</summary>
    public required double[] Values { get; init; }
}
