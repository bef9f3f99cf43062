using System.CommandLine;
using Silo.Cli.Results;
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
        return new Command("agreement", "How far raters agree with each other: Krippendorff's alpha, Kendall's W, mean pairwise rho.") { ranks, perPrompt }
            .WithExamples("silo agreement --ranks ranks.csv", "silo agreement --ranks ranks.csv --per-prompt --json")
            .Does((result, terminal) =>
            {
                var rows = RankingFile.Read(result.GetRequiredValue(ranks));
                var panels = rows.Where(row => row.Panel is not null).GroupBy(row => row.Panel!, StringComparer.Ordinal).ToArray();
                var agreement = Of(rows, result.GetValue(perPrompt)) with
                {
                    Panels = panels.Length == 0 ? null : panels.ToDictionary(panel => panel.Key, panel => Of([.. panel], perPrompt: false)),
                };
                if (terminal.Json) terminal.WriteJson(agreement, CliJson.Readable.AgreementResult);
                else Show(terminal, agreement);
            });
    }

    private static AgreementResult Of(IReadOnlyList<RankRow> rows, bool perPrompt)
    {
        var table = RatingTable.Of(rows);
        var ordinal = Krippendorff.Alpha(table.Matrices, MeasurementLevel.Ordinal);
        var interval = Krippendorff.Alpha(table.Matrices, MeasurementLevel.Interval);
        var w = KendallW.OverPrompts(table.Matrices);
        var pairwise = RaterCorrelation.Pairwise(table.Matrices);
        var means = table.Matrices.ConvertAll(MeanRank);
        var majorities = table.Matrices.ConvertAll(Majority);
        return new AgreementResult
        {
            Prompts = table.Prompts.Count,
            Raters = table.Raters.Count,
            KrippendorffAlphaOrdinal = ordinal.Alpha,
            KrippendorffAlphaInterval = interval.Alpha,
            KrippendorffNUnits = ordinal.Units,
            KendallWMean = w.Mean,
            KendallWNDefined = w.Defined,
            KendallWNUndefined = w.Undefined,
            MeanPairwiseRho = pairwise.Mean,
            MeanPairwiseRhoNDefined = pairwise.Defined,
            MeanPairwiseRhoNUndefined = pairwise.Undefined - pairwise.Absent + table.SilentPairs,
            MeanPairwiseRhoNAbsent = pairwise.Absent - table.SilentPairs,
            MeanPairwiseRhoByPromptFirst = pairwise.ByPromptFirst,
            MeanPairwiseRhoByPairFirst = pairwise.ByPairFirst,
            RaterAgainstRestRho = RaterCorrelation.AgainstRest(table.Matrices).Mean,
            PairwiseMajorityNCycles = majorities.Count(majority => majority.Cycle),
            PerPrompt = perPrompt ? [.. table.Prompts.Select(prompt => new PromptItems(prompt.Prompt, prompt.Items))] : null,
            KendallWPerPrompt = perPrompt ? w.PerPrompt : null,
            MajorityPerPrompt = perPrompt ? means : null,
            PairwiseMajorityPerPrompt = perPrompt ? majorities.ConvertAll(majority => majority.Ranks) : null,
            PairwiseMajorityCycle = perPrompt ? majorities.ConvertAll(majority => majority.Cycle) : null,
        };
    }

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
            name, $"{a.Prompts}", $"{a.Raters}", Numbers.Show(a.KrippendorffAlphaOrdinal), Numbers.Show(a.KrippendorffAlphaInterval),
            Numbers.Show(a.KendallWMean), Numbers.Show(a.MeanPairwiseRho), Numbers.Show(a.RaterAgainstRestRho),
        ];
    }
}
