using Silo.Core.Features;
using Silo.Experiments.Generation;
using Silo.Experiments.Measures;

namespace Silo.Experiments.Board;

/// <summary>What the board knows of one text. NaN: not known, or undefined.</summary>
/// <param name="Item">The text's name within its prompt.</param>
/// <param name="Temperature">Its temperature, for the controls.</param>
/// <param name="Length">Its length, for <c>control.length</c>.</param>
/// <param name="OutsideCapture">Share of its tokens outside the captured top K, for <c>control.outside_capture</c>.</param>
/// <param name="Measures">The value of each measure of the board's design, in its order.</param>
public sealed record BoardText(string Item, double Temperature, double Length, double OutsideCapture, double[] Measures)
{
    /// <summary>A stored text; its length is counted in UTF-8 bytes (tokens stop at the limit for most texts).</summary>
    public static BoardText Of(GenerationRecord record, MeasureCatalog catalog) =>
        Of(record.Key.Item, record.Key.Temperature, record.Measures, catalog);

    /// <summary>A text of which the measures are known.</summary>
    public static BoardText Of(string item, double temperature, double[] measures, MeasureCatalog catalog) => new(
        item,
        temperature,
        measures[catalog.IndexOf("utf8_len")],
        measures[catalog.IndexOf($"captured.{TokenFeature.Appended.Name()}.mean")],
        measures);
}
