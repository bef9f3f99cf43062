using Silo.Experiments.Measures;

namespace Silo.Experiments.Controls;

/// <summary>
/// Something that knows no more of a text than how it was made, or how long it is. A measure that does not beat every
/// control may be telling no more than they do.
/// </summary>
/// <param name="Name">The name in every output.</param>
/// <param name="Title">A short phrase.</param>
/// <param name="Definition">Its definition in one line.</param>
/// <param name="Direction">
/// Which way a board's sums count pairs of texts by it. In the table it is taken in whichever direction serves its
/// correlation better, so that no measure wins by being a control turned round.
/// </param>
public sealed record Control(string Name, string Title, string Definition, Direction Direction)
{
    /// <summary>The text's temperature.</summary>
    public static Control Temperature { get; } = new("control.temperature", "temperature",
        "the text's temperature", Direction.Lower);

    /// <summary>Whether the text is of its prompt's highest temperature.</summary>
    public static Control IsMaxTemperature { get; } = new("control.is_max_temperature", "hottest or not",
        "1 for the texts of the prompt's highest temperature, else 0", Direction.Lower);

    /// <summary>The text's length.</summary>
    public static Control Length { get; } = new("control.length", "length",
        "the text's length (UTF-8 bytes in a stored run)", Direction.Larger);

    /// <summary>How often the sampled token lay outside the captured top K: it tells the temperature, too.</summary>
    public static Control OutsideCapture { get; } = new("control.outside_capture", "outside the capture",
        "share of sampled tokens outside the captured top K", Direction.Lower);

    /// <summary>The strongest thing that knows nothing but T.</summary>
    public static Control TemperatureBest { get; } = new("control.temperature_best", "best order of temperatures",
        "the order of the temperatures (ties allowed) that ranks the other prompts' texts best; leave one prompt out", Direction.Larger);

    /// <summary>The controls that are a number of each text: the board's first columns.</summary>
    public static IReadOnlyList<Control> Columns { get; } = [Temperature, IsMaxTemperature, Length, OutsideCapture];

    /// <summary>All five.</summary>
    public static IReadOnlyList<Control> All { get; } = [.. Columns, TemperatureBest];
}
