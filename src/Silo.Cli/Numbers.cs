using System.Globalization;

namespace Silo.Cli;

/// <summary>Numbers as people read them.</summary>
internal static class Numbers
{
    /// <summary>A coefficient with two decimals; a dash where it is undefined.</summary>
    public static string Show(double? value, string format = "0.00") =>
        value is { } number && double.IsFinite(number) ? number.ToString(format, CultureInfo.InvariantCulture) : "-";

    /// <summary>An interval.</summary>
    public static string Show(double lower, double upper) => $"[{Show(lower)}, {Show(upper)}]";

    /// <summary>A count with thin groups.</summary>
    public static string Count(long value) => value.ToString("#,0", CultureInfo.InvariantCulture);
}
