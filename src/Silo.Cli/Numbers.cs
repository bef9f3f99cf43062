using System.Globalization;
using Silo.Core.Statistics;

namespace Silo.Cli;

/// <summary>Numbers as people read them.</summary>
internal static class Numbers
{
    private const string Undefined = "-";

    /// <summary>A number in a format; a dash where it is undefined.</summary>
    public static string Show(double? value, string format) =>
        value is { } number && double.IsFinite(number) ? number.ToString(format, CultureInfo.InvariantCulture) : Undefined;

    /// <summary>
    /// A coefficient, rounded as in the report: two decimals, three where its interval is narrower than .01, and more
    /// where it takes them that what is not zero does not look like zero.
    /// </summary>
    public static string Show(double? value, Interval? interval = null)
    {
        if (value is not { } number || !double.IsFinite(number)) return Undefined;
        var decimals = interval is { } i && i.Upper - i.Lower < 0.01 ? 3 : 2;
        while (number != 0 && decimals < 6 && Math.Round(number, decimals) == 0) decimals++;
        return number.ToString("F" + decimals, CultureInfo.InvariantCulture);
    }

    /// <summary>An interval.</summary>
    public static string Show(Interval? interval) => interval is { } i ? $"[{Show(i.Lower, i)}, {Show(i.Upper, i)}]" : Undefined;

    /// <summary>A count with thin groups.</summary>
    public static string Count(long value) => value.ToString("#,0", CultureInfo.InvariantCulture);
}
