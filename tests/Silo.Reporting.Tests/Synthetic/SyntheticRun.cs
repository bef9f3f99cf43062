using Silo.Experiments.Board;
using Silo.Experiments.Generation;
using Silo.Experiments.Measures;
using Silo.Experiments.Ranking;
using Silo.Experiments.Spec;
using Silo.Reporting.Build;
using Silo.Reporting.Model;
using Silo.Reporting.Texts;

namespace Silo.Reporting.Tests.Synthetic;

/// <summary>A whole run of the synthetic model, as a reader of a run directory would hand it to the report.</summary>
internal static class SyntheticRun
{
    private static readonly string[] s_people = ["anna", "ben", "chloe"];

    /// <param name="prompts">Number of prompts, where <paramref name="texts"/> does not name them.</param>
    /// <param name="tokens">Tokens of each text.</param>
    /// <param name="words">Texts of the first token ids, for texts that are not nice.</param>
    /// <param name="texts">The prompts.</param>
    /// <param name="people">Whether three people ranked, too, one of them not all prompts and one with a correction.</param>
    public static ReportSource Source(
        int prompts = 40, int tokens = 90, IReadOnlyList<string>? words = null, IReadOnlyList<Prompt>? texts = null, bool people = true)
    {
        var spec = new ExperimentSpec
        {
            Name = "before-and-after",
            Seed = 7,
            Prompts = texts ?? [.. Enumerable.Range(1, prompts).Select(i => new Prompt($"opening-{i:00}", $"The night the lighthouse keeper counted {i} lamps, he"))],
            CaptureK = 60,
        };
        var catalog = MeasureCatalog.For(new MeasureCatalogOptions { CaptureK = spec.CaptureK, ReferenceTemperatures = spec.ReferenceTemperatures });
        var model = new SyntheticModel(5, words);
        var (records, traces, details) = (new List<GenerationRecord>(), new Dictionary<GenerationKey, TokenTrace>(), new Dictionary<GenerationKey, IReadOnlyList<TokenDetail>>());
        GenerationKey[] keys = [.. from p in spec.Prompts from t in spec.Temperatures select new GenerationKey(p.Id, t, 0)];
        var shown = ShownTexts.Choose(spec, keys);
        foreach (var key in keys)
        {
            var (result, steps) = model.Generate(key, tokens, [.. spec.ReferenceTemperatures], spec.CaptureK);
            records.Add(catalog.Reduce(result, TraceKeeping.None));
            if (!shown.Contains(key)) continue;
            traces[key] = result.Trace;
            details[key] = steps;
        }
        IReadOnlyList<RankEvent> ranks = [.. new HeuristicJudge(records.Select(r => new JudgedText(r.Key.Prompt, r.Key.Item, r.Text))).RankAll(), .. people ? Ranks(spec) : []];
        return new ReportSource
        {
            Spec = spec,
            SpecFile = SpecWriter.Write(spec),
            Model = "storyteller Q8_0",
            Engine = "synthetic 1; model sha256:9c1185a5c5e9fc54; float64 portable",
            Digest = "5f3a9c1185a5c5e9fc54612808977ee8f548b2258d310000000000000000abcd",
            Versions = [new Fact("Silo", "0.1.0"), new Fact("Runtime", ".NET 10.0.1, Linux x64")],
            Failures = [new Failure("the prompt does not fit into the context of 512 tokens", 1, ["opening-17"])],
            Commands = ["dotnet run -c Release --project src/Silo.Cli -- run", "silo report runs/before-and-after"],
            Catalog = catalog,
            Board = Board(spec, catalog, records, ranks),
            Generations = records,
            Ranks = ranks,
            Traces = traces,
            Details = details,
        };
    }

    /// <summary>Three people who mostly put the hottest text last; the third leaves every fourth prompt out, and the first corrects one rank.</summary>
    private static List<RankEvent> Ranks(ExperimentSpec spec)
    {
        var random = new Random(3);
        var ranks = new List<RankEvent>();
        foreach (var (prompt, number) in spec.Prompts.Select((p, i) => (p, i)))
            foreach (var (rater, r) in s_people.Select((p, i) => (p, i)))
            {
                if (r == 2 && number % 4 == 3) continue;
                var order = spec.Temperatures.OrderBy(t => t + random.NextDouble() * 0.9).ToList();
                ranks.AddRange(spec.Temperatures.Select(t => new RankEvent(prompt.Id, new GenerationKey(prompt.Id, t, 0).Item, rater, "humans", order.IndexOf(t) + 1)));
            }
        ranks.Add(ranks[0] with { Revision = 1 });
        return ranks;
    }

    private static BoardTable Board(ExperimentSpec spec, MeasureCatalog catalog, List<GenerationRecord> records, IReadOnlyList<RankEvent> ranks)
    {
        var board = new CorrelationBoard(new BoardDesign { Measures = catalog.Measures, Temperatures = [.. spec.Temperatures.Order()], Seed = spec.Seed, Resamples = 400, SignFlips = 400 });
        foreach (var prompt in spec.Prompts) board.Plan(prompt.Id);
        foreach (var prompt in records.GroupBy(r => r.Key.Prompt)) board.SetTexts(prompt.Key, [.. prompt.Select(r => BoardText.Of(r, catalog))]);
        foreach (var rank in ranks) board.Apply(rank);
        board.CloseAll();
        return board.Read();
    }
}
