namespace Silo.Reporting.Charts;

/// <summary>Colours are classes, so that each theme has its own; a temperature's colour goes from cool to hot.</summary>
internal static class Palette
{
    private const int Steps = 8;

    /// <summary>The colour class of the i-th of n temperatures, ascending: 0 (cool) to 7 (hot).</summary>
    public static int Step(int index, int count) => count < 2 ? 0 : (int)Math.Round(index * (Steps - 1.0) / (count - 1));
}
