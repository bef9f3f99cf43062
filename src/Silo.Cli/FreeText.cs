namespace Silo.Cli;

/// <summary>
/// Any string is a prompt or a text: also <c>--</c>, <c>@x</c>, <c>--json</c> and the empty one. The parser would take some
/// of these for something else, so the value of such an option is bound to it before.
/// </summary>
internal static class FreeText
{
    private static readonly string[] s_options = ["--prompt", "--text"];

    /// <summary>The same command line in a form that the parser cannot misread.</summary>
    public static IReadOnlyList<string> Protect(string[] args)
    {
        var result = new List<string>(args.Length + 1);
        for (var i = 0; i < args.Length; i++)
        {
            if (args[i] == "--") return [.. result, .. args[i..]];
            var option = s_options.FirstOrDefault(name => args[i] == name || args[i].StartsWith(name + "=", StringComparison.Ordinal));
            if (option is null)
            {
                result.Add(args[i]);
                continue;
            }
            string? value = args[i].Length > option.Length ? args[i][(option.Length + 1)..] : i + 1 < args.Length ? args[++i] : null;
            if (string.IsNullOrEmpty(value))
            {
                result.Add(option);
                if (value is not null) result.Add(value);
            }
            else
            {
                result.Add($"{option}={value}");
            }
        }
        return result;
    }
}
