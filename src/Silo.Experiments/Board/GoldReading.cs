using System.Buffers;
using Silo.Core.Numerics;
using Silo.Core.Statistics;
using Silo.Experiments.Controls;
using Silo.Experiments.Measures;

namespace Silo.Experiments.Board;

/// <summary>Reads one gold: its lines of the table, in the order controls, then measures.</summary>
internal sealed class GoldReading
{
    private readonly BoardDesign _design;
    private readonly GoldSums _sums;
    private readonly int _unrated;
    private readonly Resamples _resamples;
    private readonly Column[] _columns;
    private readonly CounterRandom _signs;
    private readonly PooledRanks _pooled;
    private readonly PairLists _pairs;

    /// <summary>One line of the table before it is written: a control or a measure with its rho on every rated prompt.</summary>
    private sealed record Column(int Index, string Name, string Title, MeasureKind Kind, Direction? Declared, Measure? Measure, double[] Rho)
    {
        /// <summary>Turns rho into the declared direction; for a control into the one that serves it.</summary>
        public int Sign { get; init; }

        public bool Primary => Measure?.Primary ?? false;
    }

    public GoldReading(BoardDesign design, string name, GoldSums sums, IReadOnlyCollection<PromptEntry> prompts, bool exploratory)
    {
        (_design, _sums, Name) = (design, sums, name);
        Rated = [.. prompts.SelectMany(p => p.Rows.Where(r => r.Gold.Name.ToString() == name).Select(r => new RatedPrompt(p, r)))];
        _unrated = prompts.Count(p => p.Texts is not null) - Rated.Length;
        _resamples = new(design, [.. Rated.Select(r => r.Entry.Prompt)]);
        _signs = CounterRandom.Create(design.Seed, "board/signs");
        Sequence = PromptSequence.Of(prompts, Rated.Index().ToDictionary(r => r.Item.Entry.Prompt, r => r.Index));
        BestOrder = BestTemperatureOrder.Learn([.. Rated.Select(r => (r.Entry.Texts!, r.Row.Gold))]);
        _pooled = new(Rated);
        _pairs = new(design, Rated);
        _columns = [.. Columns().Where(c => exploratory || c.Kind != MeasureKind.Measure || c.Primary)];
    }

    /// <summary>A prompt with this gold.</summary>
    public sealed record RatedPrompt(PromptEntry Entry, RhoRow Row);

    /// <summary>The gold's name.</summary>
    public string Name { get; }

    /// <summary>The prompts with this gold, ordered by id.</summary>
    public RatedPrompt[] Rated { get; }

    /// <summary>The order of the confidence sequences.</summary>
    public PromptSequence Sequence { get; }

    /// <summary>For each rated prompt the scores of its texts by the best order of temperatures.</summary>
    private double[]?[] BestOrder { get; }

    /// <summary>The resamples of its prompts.</summary>
    public Resamples Resamples => _resamples;

    /// <summary>Names of controls that can be correlated with this gold on some prompt.</summary>
    public IEnumerable<string> UsableControls => _columns.Where(c => c.Kind == MeasureKind.Control && Defined(c) > 0).Select(c => c.Name);

    /// <summary>All lines.</summary>
    public IReadOnlyList<MeasureResult> Results()
    {
        var resampled = ResampledColumn.Of([.. _columns.Select(c => c.Rho)], _resamples);
        (Column, ResampledColumn)[] compared = [.. _columns.Zip(resampled).Where(c => c.First.Kind != MeasureKind.Measure && Defined(c.First) > 0)];
        // Lines are independent of each other.
        var results = new MeasureResult[_columns.Length];
        Parallel.For(0, results.Length, i => results[i] = Line(_columns[i], resampled[i], compared));
        var family = results.Index().Where(r => r.Item.Primary).Select(r => r.Index).ToArray();
        var adjusted = Holm.Adjust([.. family.Select(i => results[i].P ?? 1)]);
        for (var i = 0; i < family.Length; i++) results[family[i]] = Judged(_columns[family[i]], results[family[i]], adjusted[i], family.Length);
        return results;
    }

    /// <summary>The best primary measure chosen on each half, reported on the other.</summary>
    public IEnumerable<HalfChoice> BestByHalves()
    {
        for (var half = 0; half < 2; half++)
        {
            var chosen = Best(_columns.Where(c => c.Primary), half, c => c.Sign);
            if (chosen is not { } best) continue;
            var control = Best(_columns.Where(c => c.Kind == MeasureKind.Control), half, c => ServingSign(c, half));
            var own = Half(best.Column, 1 - half, best.Sign);
            var mean = Mean(own);
            PairedDifference? difference = null;
            double? controlRho = null;
            if (control is { } rival)
            {
                var theirs = Half(rival.Column, 1 - half, rival.Sign);
                controlRho = Mean(theirs);
                difference = Paired([.. own.Zip(theirs, (a, b) => a - b).Where(d => !double.IsNaN(d))], "halves");
            }
            yield return new(Name, half, best.Column.Name, best.Mean,
                new(mean, Bootstrap.MeanOverPrompts(own, Stream("halves"), _design.Resamples, _design.Level),
                    own.Count(v => !double.IsNaN(v)), own.Count(double.IsNaN)),
                control?.Column.Name, controlRho, difference);
        }
    }

    /// <summary>How a column ran over the prompts in the sequence's order.</summary>
    public RunningSeries? Running(string feature)
    {
        var column = Array.Find(_columns, c => c.Name == feature);
        if (column is null || column.Name == Control.TemperatureBest.Name) return null;
        var points = new List<RunningPoint>();
        ExactSum sum = default;
        Sequence.Run(row => column.Rho[row], _design.Alpha, range: 1, (sequence, at) =>
        {
            sum = sum.Add(column.Rho[Sequence.Rows[at]]);
            points.Add(new(at + 1, sum.Mean!.Value, PromptSequence.Shown(sequence)));
        });
        var corrected = Enumerable.Range(0, Sequence.Rows.Length).Where(at => Rated[Sequence.Rows[at]].Entry.Ranks.Corrected).Select(at => at + 1);
        return new(feature, Name, Thinned(points), [.. corrected], Sequence.WaitingFor);
    }

    private static List<RunningPoint> Thinned(List<RunningPoint> points)
    {
        const int Most = 250;
        var step = (points.Count + Most - 1) / Most;
        return step <= 1 ? points : [.. points.Where((_, i) => (points.Count - 1 - i) % step == 0)];
    }

    private IEnumerable<Column> Columns()
    {
        var controls = Control.Columns.Count;
        for (var c = 0; c < controls; c++)
        {
            var control = Control.Columns[c];
            var rho = RhoOf(c);
            yield return new(c, control.Name, control.Title, MeasureKind.Control, null, null, rho) { Sign = SignOf(rho) };
        }
        yield return new(-1, Control.TemperatureBest.Name, Control.TemperatureBest.Title, MeasureKind.Control,
            Control.TemperatureBest.Direction, null, [.. Rated.Select((r, i) => BestCorrelation(i)?.Rho ?? double.NaN)])
        { Sign = 1 };
        for (var m = 0; m < _design.Measures.Count; m++)
        {
            var measure = _design.Measures[m];
            yield return new(controls + m, measure.Name, measure.Title, measure.Baseline ? MeasureKind.Baseline : MeasureKind.Measure,
                measure.Direction, measure, RhoOf(controls + m))
            { Sign = measure.Sign };
        }
    }

    private double[] RhoOf(int column) => [.. Rated.Select(r => r.Row.Rho[column])];

    private RankCorrelation? BestCorrelation(int rated) =>
        BestOrder[rated] is { } scores ? Spearman.Correlate(scores, Merit(rated)) : null;

    private double[] Merit(int rated) => Array.ConvertAll(Rated[rated].Row.Gold.Merit, m => (double)m);

    private static int Defined(Column column) => column.Rho.Count(v => !double.IsNaN(v));

    private static int SignOf(double[] rho) => rho.Where(v => !double.IsNaN(v)).Sum() < 0 ? -1 : 1;

    private MeasureResult Line(Column column, ResampledColumn own, (Column Column, ResampledColumn Resampled)[] compared)
    {
        var best = column.Index < 0;
        var total = best ? BestOrderSums() : _sums.Columns[column.Index];
        var (cs, used) = best ? (null, 0) : Sequence.Run(row => column.Rho[row], _design.Alpha, range: 1);
        var differences = column.Kind == MeasureKind.Control ? []
            : compared.Where(c => c.Column != column).Select(c => Compare(column, own, c.Column, c.Resampled)).ToArray();
        return new MeasureResult
        {
            Feature = column.Name,
            Gold = Name,
            Title = column.Title,
            Kind = column.Kind,
            Direction = column.Declared switch { null => "either", Direction.Larger => "larger", _ => "lower" },
            Primary = column.Primary,
            RhoWithin = total.Rho.Mean,
            RhoUntied = total.RhoUntied.Mean,
            Ci = _resamples.OfMean(own.Sums, own.Mask),
            Cs = cs,
            NCs = used,
            NDefined = (int)total.Rho.Count,
            NUndefined = Rated.Length - (int)total.Rho.Count,
            NUnrated = _unrated,
            TauWithin = total.Tau.Mean,
            PooledRho = best ? null : _pooled.Rho(column.Index),
            PooledWithinRankRho = best ? null : _pooled.WithinRankRho(column.Index),
            PairAccuracy = Accuracies(column),
            WithinTemperature = best ? null : WithinTemperature(column, total),
            Differences = differences,
            P = column.Primary ? VerdictRule.LargestP(differences) : null,
            Twins = [.. Twins(column.Measure)],
            TwinOf = TwinOf(column.Measure),
        };
    }

    private MeasureResult Judged(Column column, MeasureResult line, double adjusted, int family)
    {
        var p = line.P is null ? (double?)null : adjusted;
        var (verdict, reason) = VerdictRule.Decide(line.Differences, p, _design);
        var needed = verdict != Verdict.Undecided ? null : VerdictRule.PromptsNeeded(
            [.. _columns.Where(c => c.Kind == MeasureKind.Control).Select(c => DefinedDifferences(column, c)).Where(d => d.Length > 0)],
            Rated.Length, family, _design);
        return line with { Verdict = verdict, Reason = reason, PHolm = p, PromptsNeeded = needed?.Prompts, PromptsNeededFor = needed?.For };
    }

    private Difference Compare(Column column, ResampledColumn own, Column other, ResampledColumn theirs)
    {
        // Signs are flipped ten thousand times: for exploratory measures intervals have to do.
        var tested = column.Primary;
        var differences = DefinedDifferences(column, other);
        var ci = _resamples.OfDifference(own, theirs, column.Sign, other.Sign);
        var defined = new PairedDifference(Mean(differences), ci, tested ? SignFlipP(differences) : null, differences.Length);
        return new Difference
        {
            To = other.Name,
            Kind = other.Kind,
            Defined = defined,
            UndefinedAsZero = differences.Length == Rated.Length ? defined : WithZeros(column, own, other, theirs),
            Cs = tested && other.Index >= 0
                ? Sequence.Run(row => column.Sign * column.Rho[row] - other.Sign * other.Rho[row], _design.Alpha, range: 2).Cs : null,
        };
    }

    private PairedDifference WithZeros(Column column, ResampledColumn own, Column other, ResampledColumn theirs)
    {
        var zeros = new double[Rated.Length];
        for (var i = 0; i < zeros.Length; i++) zeros[i] = column.Sign * Zero(column.Rho[i]) - other.Sign * Zero(other.Rho[i]);
        return new(Mean(zeros), _resamples.OfDifferenceWithZeros(own, theirs, column.Sign, other.Sign), column.Primary ? SignFlipP(zeros) : null, zeros.Length);
    }

    private static double[] DefinedDifferences(Column column, Column other)
    {
        var differences = new double[column.Rho.Length];
        var count = 0;
        for (var i = 0; i < differences.Length; i++)
        {
            var difference = column.Sign * column.Rho[i] - other.Sign * other.Rho[i];
            if (!double.IsNaN(difference)) differences[count++] = difference;
        }
        return count == differences.Length ? differences : differences[..count];
    }

    private PairedDifference Paired(double[] differences, string stream) => new(Mean(differences),
        Bootstrap.MeanOverPrompts(differences, Stream(stream), _design.Resamples, _design.Level), SignFlipP(differences), differences.Length);

    private double? SignFlipP(double[] differences) => SignFlip.Test(differences, _signs, _design.SignFlips)?.PGreater;

    private CounterRandom Stream(string name) => CounterRandom.Create(_design.Seed, $"board/{name}/{Name}");

    private static double Zero(double rho) => double.IsNaN(rho) ? 0 : rho;

    private static double? Mean(ReadOnlySpan<double> values)
    {
        ExactSum sum = default;
        foreach (var value in values)
            if (!double.IsNaN(value)) sum = sum.Add(value);
        return sum.Mean;
    }

    private Estimate? WithinTemperature(Column column, GoldSums.ColumnSums total)
    {
        if (_sums.WithSeveral == 0) return null;
        double[] values = [.. Rated.Select(r => r.Row.Within?[column.Index] ?? double.NaN)];
        var resampled = ResampledColumn.Of([values], _resamples)[0];
        return new(total.Within.Mean, _resamples.OfMean(resampled.Sums, resampled.Mask), (int)total.Within.Count, _sums.WithSeveral - (int)total.Within.Count);
    }

    private GoldSums.ColumnSums BestOrderSums()
    {
        GoldSums.ColumnSums total = default;
        for (var i = 0; i < Rated.Length; i++)
        {
            if (BestCorrelation(i) is not { } correlation) continue;
            total = total with
            {
                Rho = total.Rho.Add(correlation.Rho),
                RhoUntied = total.RhoUntied.Add(correlation.RhoUntied),
                Tau = Kendall.TauB(BestOrder[i], Merit(i)) is { } tau ? total.Tau.Add(tau) : total.Tau,
            };
        }
        return total;
    }

    private PairAccuracy[] Accuracies(Column column)
    {
        // Sums count a control's pairs one way only; where the other serves it better, they are counted anew.
        var scores = column.Index < 0 ? BestOrder
            : column.Measure is null && column.Sign != GoldRow.Sign(_design, column.Index) ? Scores(column) : null;
        var accuracies = new PairAccuracy[_sums.Kinds];
        var buffer = ArrayPool<ItemPair>.Shared.Rent(_pairs.Count);
        for (var kind = 0; kind < accuracies.Length; kind++)
        {
            var sums = scores is not null ? _pairs.Sums(scores, kind) : _sums.Pairs(column.Index, kind);
            var exact = AccuracyReading.Exact(_design, sums, kind, Rated.Length);
            if (column.Measure is not null)
            {
                var first = _pairs.Of(column.Index, column.Sign, kind, half: 0, buffer);
                exact = AccuracyReading.Calibrated(exact, first, _pairs.Of(column.Index, column.Sign, kind, half: 1, buffer.AsSpan(first.Length)));
            }
            accuracies[kind] = exact;
        }
        ArrayPool<ItemPair>.Shared.Return(buffer);
        return accuracies;
    }

    private double[]?[] Scores(Column column) => [.. Rated.Select(r => !r.Row.HasValues[column.Index] ? null
        : Array.ConvertAll(r.Row.Gold.Items, item => column.Sign * r.Entry.Texts!.Values(column.Index)[item]))];

    private (Column Column, double Mean, int Sign)? Best(IEnumerable<Column> candidates, int half, Func<Column, int> sign)
    {
        (Column Column, double Mean, int Sign)? best = null;
        foreach (var column in candidates)
        {
            var turned = sign(column);
            if (Mean(Half(column, half, turned)) is { } mean && (best is null || mean > best.Value.Mean)) best = (column, mean, turned);
        }
        return best;
    }

    private int ServingSign(Column column, int half) => column.Declared is null ? SignOf(Half(column, half, 1)) : column.Sign;

    private double[] Half(Column column, int half, int sign) =>
        [.. Enumerable.Range(0, Rated.Length).Where(i => Rated[i].Entry.Half == half).Select(i => sign * column.Rho[i])];

    private IEnumerable<string> Twins(Measure? measure) => measure is not { Feature: not null, ReferenceTemperature: null } ? []
        : _design.Measures.Where(m => m.ReferenceTemperature is not null && IsTwin(m, measure)).Select(m => m.Name);

    private string? TwinOf(Measure? measure) => measure is not { ReferenceTemperature: not null } ? null
        : _design.Measures.FirstOrDefault(m => m.ReferenceTemperature is null && IsTwin(m, measure))?.Name;

    private static bool IsTwin(Measure a, Measure b) => a.Feature == b.Feature && a.Aggregate == b.Aggregate && a.Captured == b.Captured;
}
