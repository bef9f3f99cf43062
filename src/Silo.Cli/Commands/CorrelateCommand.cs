using System.CommandLine;
using Silo.Core;
using Silo.Experiments.Board;
using Silo.Experiments.Measures;
using Silo.Experiments.Ranking;
using Silo.Storage.Files;

namespace Silo.Cli.Commands;

/// <summary><c>silo correlate</c>: measures and rankings that were made elsewhere, on the same board as a run's.</summary>
internal static class CorrelateCommand
{
    private const string Temperature = "temperature", Length = "length", OutsideCapture = "outside_capture";

    public static Command Create()
    {
        var features = Common.File("--features", "CSV with the columns prompt,item and one for each measure; temperature and length, where they are, become controls.");
        var ranks = Common.File("--ranks", "CSV with the columns prompt,item,rater,rank (1 = best; ties and gaps allowed) and optionally panel.");
        var lower = new Option<string[]>("--lower")
        {
            Description = "A measure that is expected to be lower for better texts; may be given several times. All others are tested as larger is better.",
            HelpName = "MEASURE",
        };
        var margin = Common.Number("--margin", 0.05, 0, "A measure is not better where the interval of its difference to some control ends below this.");
        var seed = Common.Seed("Seed of the resamples and of the order of the confidence sequence.");
        return new Command("correlate", "Which of your own measures go along with your rankings, beside the controls.") { features, ranks, lower, margin, seed }
            .WithExamples(
                "silo correlate --features measures.csv --ranks ranks.csv",
                "silo correlate --features measures.csv --ranks ranks.csv --lower leak.mean --lower gzip_ratio --json")
            .Does((result, terminal) =>
            {
                var (file, rankFile) = (result.GetRequiredValue(features), result.GetRequiredValue(ranks));
                var table = MeasureFile.Read(file);
                var board = Board(table, result.GetValue(lower) ?? [], result.GetValue(margin), result.GetValue(seed));
                var ranked = RankingFile.Read(rankFile);
                var texts = table.Rows.Select(row => (row.Prompt, row.Item)).ToHashSet();
                if (!ranked.Any(row => texts.Contains((row.Prompt, row.Item))))
                    throw InputFile.Error(rankFile, $"no prompt,item of its ranks occurs in {file} (its first is {InputFile.Quote($"{ranked[0].Prompt},{ranked[0].Item}")}; the first there is {InputFile.Quote($"{table.Rows[0].Prompt},{table.Rows[0].Item}")})");
                foreach (var row in ranked)
                    if (row.Rank is not null) board.Apply(new RankEvent(row.Prompt, row.Item, row.Rater, row.Panel, row.Rank));
                board.CloseAll();
                var read = board.Read();
                if (read.MissingControls.Any())
                    terminal.Note($"missing controls: {string.Join("; ", read.Controls.Where(c => c.Missing is not null).Select(c => $"{c.Name} ({c.Missing})"))}. The columns temperature, length and outside_capture supply them.");
                if (read.UnmatchedRanks > 0)
                    terminal.Note($"{Numbers.Count(read.UnmatchedRanks)} ranks are of texts that the features file does not have");
                if (terminal.Json) terminal.WriteJson(read, BoardJson.Default.BoardTable);
                else BoardDisplay.Show(terminal, read);
            });
    }

    private static CorrelationBoard Board(MeasureTable table, IReadOnlyList<string> lower, double margin, ulong seed)
    {
        var columns = Enumerable.Range(0, table.Columns.Count).Where(c => table.Columns[c] is not (Temperature or Length or OutsideCapture)).ToArray();
        if (columns.Length == 0) throw new SiloException("the features file has no measure, only columns for controls");
        if (lower.FirstOrDefault(name => !columns.Any(c => table.Columns[c] == name)) is { } unknown)
            throw new SiloException($"--lower {InputFile.Quote(unknown)}: the features file has no such measure");
        int temperature = Column(Temperature), length = Column(Length), outside = Column(OutsideCapture, "captured.appended.mean");
        var temperatures = temperature < 0 ? [] : table.Rows.Select(row => row.Values[temperature]).Where(double.IsFinite).Distinct().Order().ToArray();
        var board = new CorrelationBoard(new BoardDesign
        {
            Measures = [.. columns.Select(c => Measure.OfColumn(table.Columns[c], lower.Contains(table.Columns[c]) ? Direction.Lower : Direction.Larger))],
            Temperatures = temperatures.Length <= 10 ? temperatures : [],
            Margin = margin,
            Seed = seed,
        });
        foreach (var prompt in table.Rows.GroupBy(row => row.Prompt, StringComparer.Ordinal))
        {
            board.SetTexts(prompt.Key, [.. prompt.Select(row => new BoardText(
                row.Item, Value(row, temperature), Value(row, length), Value(row, outside), [.. columns.Select(c => row.Values[c])]))]);
        }
        return board;

        int Column(params string[] names) => Enumerable.Range(0, table.Columns.Count).FirstOrDefault(c => names.Contains(table.Columns[c]), -1);
        static double Value(MeasureRow row, int column) => column < 0 ? double.NaN : row.Values[column];
    }
}
