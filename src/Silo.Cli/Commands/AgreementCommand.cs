using System.CommandLine;
using Silo.Cli.Results;
using Silo.Core.Numerics;
using Silo.Core.Statistics;
using Silo.Storage.Files;

namespace Silo.Cli.Commands;

/// <summary><c>silo agreement</c>: how far raters agree, which is the ceiling of any measure.</summary>
internal static class AgreementCommand
{
    public static Command Create()
    {
        var ranks = Common.File("--ranks", "CSV with the columns prompt,item,rater,rank (1 = best; ties and gaps allowed) and optionally panel.");
        var perPrompt = new Option<bool>("--per-prompt") { Description = "Add Kendall's W and both majority rankings of every prompt." };
        var seed = Common.Seed("Seed of the resamples.");
        return new Command("agreement", "How far raters agree with each other: Krippendorff's alpha, Kendall's W, mean pairwise rho; with 95 % bootstrap intervals over prompts.") { ranks, perPrompt, seed }
            .WithExamples("silo agreement --ranks ranks.csv", "silo agreement --ranks ranks.csv --per-prompt --json")
            .Does((result, terminal) =>
            {
                var rows = RankingFile.Read(result.GetRequiredValue(ranks));
                var panels = rows.Where(row => row.Panel is not null).GroupBy(row => row.Panel!, StringComparer.Ordinal).ToArray();
                var agreement = Of(rows, result.GetValue(perPrompt), result.GetValue(seed)) with
                {
                    Panels = panels.Length == 0 ? null : panels.ToDictionary(panel => panel.Key, panel => Of([.. panel], perPrompt: false, result.GetValue(seed))),
                };
                if (terminal.Json) terminal.WriteJson(agreement, CliJson.Readable.AgreementResult);
                else Show(terminal, agreement);
            });
    }

    private static AgreementResult Of(IReadOnlyList<RankRow> rows, bool perPrompt, ulong seed)
    {
        var table = RatingTable.Of(rows);
        var ordinal = Krippendorff.Alpha(table.Matrices, MeasurementLevel.Ordinal);
        var interval = Krippendorff.Alpha(table.Matrices, MeasurementLevel.Interval);
        var w = KendallW.OverPrompts(table.Matrices);
        var pairwise = RaterCorrelation.Pairwise(table.Matrices);
        // All from one stream: the same prompts are drawn for each.
        var random = CounterRandom.Create(seed, "agreement");
        var means = table.Matrices.ConvertAll(MeanRank);
        var majorities = table.Matrices.ConvertAll(Majority);
        return new AgreementResult
        {
            Prompts = table.Prompts.Count,
            Raters = table.Raters.Count,
            KrippendorffAlphaOrdinal = ordinal.Alpha,
            KrippendorffAlphaOrdinalCi = Krippendorff.AlphaInterval(table.Matrices, MeasurementLevel.Ordinal, random),
            KrippendorffAlphaInterval = interval.Alpha,
            KrippendorffAlphaIntervalCi = Krippendorff.AlphaInterval(table.Matrices, MeasurementLevel.Interval, random),
            KrippendorffNUnits = ordinal.Units,
            KendallWMean = w.Mean,
            KendallWMeanCi = Bootstrap.MeanOverPrompts([.. w.PerPrompt.Select(value => value ?? double.NaN)], random),
            KendallWNDefined = w.Defined,
            KendallWNUndefined = w.Undefined,
            MeanPairwiseRho = pairwise.Mean,
            MeanPairwiseRhoCi = MeanInterval(table.Matrices.ConvertAll(prompt => RaterCorrelation.Pairwise([prompt])).ConvertAll(rho => (rho.Mean, rho.Defined)), random),
            MeanPairwiseRhoNDefined = pairwise.Defined,
            MeanPairwiseRhoNUndefined = pairwise.Undefined - pairwise.Absent + table.SilentPairs,
            MeanPairwiseRhoNAbsent = pairwise.Absent - table.SilentPairs,
            MeanPairwiseRhoByPromptFirst = pairwise.ByPromptFirst,
            MeanPairwiseRhoByPairFirst = pairwise.ByPairFirst,
            RaterAgainstRestRho = RaterCorrelation.AgainstRest(table.Matrices).Mean,
            RaterAgainstRestRhoCi = MeanInterval(table.Matrices.ConvertAll(prompt => RaterCorrelation.AgainstRest([prompt])).ConvertAll(rho => (rho.Mean, rho.Defined)), random),
            PairwiseMajorityNCycles = majorities.Count(majority => majority.Cycle),
            PerPrompt = perPrompt ? [.. table.Prompts.Select(prompt => new PromptItems(prompt.Prompt, prompt.Items))] : null,
            KendallWPerPrompt = perPrompt ? w.PerPrompt : null,
            MajorityPerPrompt = perPrompt ? means : null,
            PairwiseMajorityPerPrompt = perPrompt ? majorities.ConvertAll(majority => majority.Ranks) : null,
            PairwiseMajorityCycle = perPrompt ? majorities.ConvertAll(majority => majority.Cycle) : null,
        };
    }

    // Of a mean over all that is defined in a prompt: one with more of it counts more.
    private static Interval? MeanInterval(List<(double? Mean, int Defined)> prompts, CounterRandom random) =>
        prompts.Count(prompt => prompt.Defined > 0) < 2 ? null : Bootstrap.OverPrompts(prompts.Count, times =>
        {
            var (sum, count) = (0.0, 0L);
            for (var p = 0; p < times.Length; p++)
            {
                sum += times[p] * (prompts[p].Mean ?? 0) * prompts[p].Defined;
                count += (long)times[p] * prompts[p].Defined;
            }
            return count == 0 ? null : sum / count;
        }, random);

    private static double[]? MeanRank(RatingMatrix ratings)
    {
        var ranks = new double[ratings.Items];
        return GoldRanking.MeanRank(ratings, ranks, minimumRaters: 3) ? ranks : null;
    }

    private static (double[] Ranks, bool Cycle) Majority(RatingMatrix ratings)
    {
        var ranks = new double[ratings.Items];
        var cycle = GoldRanking.PairwiseMajority(ratings, ranks);
        return (ranks, cycle);
    }

    private static void Show(Terminal terminal, AgreementResult all)
    {
        terminal.WriteTable(
            ["panel", "#prompts", "#raters", "#alpha (ordinal)", "#alpha (interval)", "#Kendall's W", "#rater ~ rater", "#rater ~ rest"],
            [Row("all", all), .. (all.Panels ?? new Dictionary<string, AgreementResult>()).Select(panel => Row(panel.Key, panel.Value))]);
        if (all.PerPrompt is null) return;
        terminal.WriteLine("");
        terminal.WriteTable(["prompt", "#W", "items", "mean rank", "pairwise majority"], [.. all.PerPrompt.Select((prompt, i) => new[]
        {
            prompt.Prompt,
            Numbers.Show(all.KendallWPerPrompt![i]),
            string.Join(' ', prompt.Items),
            all.MajorityPerPrompt![i] is { } mean ? string.Join(' ', mean) : "-",
            string.Join(' ', all.PairwiseMajorityPerPrompt![i]) + (all.PairwiseMajorityCycle![i] ? " (circle)" : ""),
        })]);

        static string[] Row(string name, AgreementResult a) =>
        [
            name, $"{a.Prompts}", $"{a.Raters}", Cell(a.KrippendorffAlphaOrdinal, a.KrippendorffAlphaOrdinalCi), Cell(a.KrippendorffAlphaInterval, a.KrippendorffAlphaIntervalCi),
            Cell(a.KendallWMean, a.KendallWMeanCi), Cell(a.MeanPairwiseRho, a.MeanPairwiseRhoCi), Cell(a.RaterAgainstRestRho, a.RaterAgainstRestRhoCi),
        ];

        static string Cell(double? value, Interval? interval) => interval is null ? Numbers.Show(value) : $"{Numbers.Show(value, interval)} {Numbers.Show(interval)}";
    }
}
