using System.Globalization;
using Silo.Core.Statistics;
using Silo.Experiments.Board;

namespace Silo.Reporting.Page;

/// <summary>Numbers as people read them. Nothing is rounded to look equal or different.</summary>
internal static class Numbers
{
    /// <summary>What stands where a value is undefined.</summary>
    public const string Undefined = "undefined";

    private const char Minus = '\u2212';

    /// <summary>A coefficient with sign: two decimals, three where its interval is narrower than .01.</summary>
    public static string Rho(double? value, Interval? interval = null) =>
        value is { } v ? Signed(v, Decimals(interval)) : Undefined;

    /// <summary>The interval of a coefficient, <c>[-0.10, +0.32]</c>.</summary>
    public static string Range(Interval? interval) => interval is { } i && double.IsFinite(i.Lower) && double.IsFinite(i.Upper)
        ? $"[{Signed(i.Lower, Decimals(i))}, {Signed(i.Upper, Decimals(i))}]"
        : Undefined;

    /// <summary>Value, interval and n in one phrase.</summary>
    public static string Full(Estimate estimate) => estimate.Mean is null
        ? $"{Undefined} (n = 0)"
        : $"{Rho(estimate.Mean, estimate.Ci)} {Range(estimate.Ci)}, n = {Count(estimate.NDefined)}";

    /// <summary>A share as a percentage with one decimal.</summary>
    public static string Percent(double? share) =>
        share is { } s && double.IsFinite(s) ? Fixed(100 * s, 1) + "\u00A0%" : Undefined;

    /// <summary>An interval of shares.</summary>
    public static string PercentRange(Interval? interval) => interval is { } i && double.IsFinite(i.Lower) && double.IsFinite(i.Upper)
        ? $"[{Fixed(100 * i.Lower, 1)}, {Fixed(100 * i.Upper, 1)}]\u00A0%"
        : Undefined;

    /// <summary>A p-value with two significant digits; never "0".</summary>
    public static string P(double? p) => p is { } v && double.IsFinite(v) ? v < 1e-4 ? "< 0.0001" : General(v, 2) : Undefined;

    /// <summary>A quantity with three significant digits, never in a form that hides its size.</summary>
    public static string Quantity(double value) => double.IsNaN(value) ? Undefined : General(value, 3);

    /// <summary>A round number on an axis or of a method, without trailing zeros.</summary>
    public static string Mark(double value)
    {
        var rounded = Significant(value, 6);
        return Math.Abs(rounded) is >= 1e6 or (> 0 and < 1e-4)
            ? rounded.ToString("0.##e0", CultureInfo.InvariantCulture).Replace('-', Minus)
            : rounded.ToString("#,0.######", CultureInfo.InvariantCulture).Replace('-', Minus);
    }

    /// <summary>A temperature as the spec has it.</summary>
    public static string Temperature(double value) => value.ToString("R", CultureInfo.InvariantCulture);

    /// <summary>A count with thin groups.</summary>
    public static string Count(long count) =>
        count.ToString("#,0", CultureInfo.InvariantCulture);

    /// <summary>A noun with its count: <c>1 text</c>, <c>2 texts</c>.</summary>
    public static string Count(long count, string noun) => $"{Count(count)} {noun}{(count == 1 ? "" : "s")}";

    /// <summary>Rounds to a number of significant digits.</summary>
    public static double Significant(double value, int digits)
    {
        if (value == 0 || !double.IsFinite(value)) return value;
        return double.Parse(value.ToString("E" + (digits - 1), CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
    }

    private static int Decimals(Interval? interval) => interval is { } i && i.Upper - i.Lower < 0.01 ? 3 : 2;

    private static string Signed(double value, int decimals)
    {
        if (double.IsNaN(value)) return Undefined;
        var text = Fixed(Math.Abs(value), decimals);
        return value > 0 ? "+" + text : value < 0 ? Minus + text : text;
    }

    /// <summary>Fixed decimals, but as many more as it takes that what is not zero does not look like zero.</summary>
    private static string Fixed(double value, int decimals)
    {
        var magnitude = Math.Abs(value);
        while (magnitude > 0 && decimals < 6 && Math.Round(magnitude, decimals) == 0) decimals++;
        var text = magnitude.ToString("F" + decimals, CultureInfo.InvariantCulture);
        return value < 0 ? Minus + text : text;
    }

    private static string General(double value, int digits)
    {
        var rounded = Significant(value, digits);
        var magnitude = Math.Abs(rounded);
        if (magnitude != 0 && magnitude < 1e-4)
            return rounded.ToString("0." + new string('#', digits - 1) + "e0", CultureInfo.InvariantCulture).Replace('-', Minus);
        if (magnitude >= 10_000) return Count((long)Math.Round(value)).Replace('-', Minus);
        var decimals = magnitude == 0 ? 0 : Math.Max(0, digits - 1 - (int)Math.Floor(Math.Log10(magnitude)));
        return rounded.ToString("F" + decimals, CultureInfo.InvariantCulture).Replace('-', Minus);
    }
}
