using Silo.Local.Running;

namespace Silo.Cli.Running;

/// <summary>What a run says, in words.</summary>
internal static class RunText
{
    public static string Started(RunEvent.Started e) =>
        $"{e.Name}: {e.Prompts} prompts, {Numbers.Count(e.Generations)} texts{(e.Kept > 0 ? $", {Numbers.Count(e.Kept)} of them already there" : "")}, in {e.Run}";

    public static string Progress(RunSpeed speed) =>
        $"{Numbers.Count(speed.Kept)} of {Numbers.Count(speed.Generations)} texts, {Numbers.Show(speed.TokensPerSecond, "#,0")} tokens/s{Left(speed)}";

    public static string Left(RunSpeed speed) => speed.Left is { } left ? $", {Time(left)} left" : "";

    public static string Failure(RunEvent.GenerationFailed e) =>
        $"{e.Key}: attempt {e.Attempt} failed: {e.Reason}{(e.Final ? "; given up" : "")}";

    public static string Anew(RunEvent.PromptMadeAnew e) => $"{e.Prompt}: made anew, its texts came from another engine ({e.Engine})";

    public static IEnumerable<string> End(RunEvent last) => last switch
    {
        RunEvent.Done e =>
        [
            $"{Numbers.Count(e.Generations)} texts, {Numbers.Count(e.Tokens)} tokens, {Time(TimeSpan.FromSeconds(e.Seconds))}{(e.Failed > 0 ? $"; {Numbers.Count(e.Failed)} texts FAILED (silo run --retry-failed tries them again)" : "")}",
            $"digest  {e.Digest}",
            .. e.Report is null ? Array.Empty<string>() : [$"report  {e.Report}"],
        ],
        RunEvent.Stopped e => [$"stopped with {Numbers.Count(e.Kept)} of {Numbers.Count(e.Generations)} texts in {e.Run}; the same command goes on"],
        _ => [],
    };

    public static string Time(TimeSpan time) => time.TotalHours >= 1
        ? $"{(int)time.TotalHours}:{time.Minutes:00}:{time.Seconds:00}"
        : $"{time.Minutes}:{time.Seconds:00}";
}
