using Silo.Core.Statistics;

namespace Silo.Experiments.Board;

/// <summary>
/// What the correlation board says when it is read: every measure against every gold, beside what only knows the
/// temperature or the length. Undefined numbers are null. Every coefficient is positive when larger values of the
/// measure go with better ranks; differences and accuracies are in the direction that the measure declared.
/// </summary>
public sealed record BoardTable
{
    /// <summary>Number of prompts whose texts are known.</summary>
    public required int Prompts { get; init; }

    /// <summary>Number of their texts.</summary>
    public required int Texts { get; init; }

    /// <summary>The temperatures of the texts, ascending; empty where they are not known.</summary>
    public required IReadOnlyList<double> Temperatures { get; init; }

    /// <summary>Ranks given to items that are no known text: they count nowhere until the text arrives.</summary>
    public required int UnmatchedRanks { get; init; }

    /// <summary>Texts that no rater ranked, in prompts that have ranks.</summary>
    public required int UnrankedTexts { get; init; }

    /// <summary>How the table was computed.</summary>
    public required BoardMethod Method { get; init; }

    /// <summary>The golds, in the order in which they should be shown.</summary>
    public required IReadOnlyList<GoldSummary> Golds { get; init; }

    /// <summary>The five controls, and why one of them is missing.</summary>
    public required IReadOnlyList<ControlSummary> Controls { get; init; }

    /// <summary>One line per gold and measure: gold by gold; controls first, then measures in the catalog's order.</summary>
    public required IReadOnlyList<MeasureResult> Results { get; init; }

    /// <summary>Gold against gold, on the prompts where both are defined.</summary>
    public required IReadOnlyList<GoldPair> GoldPairs { get; init; }

    /// <summary>The best primary measure as chosen on one half of the prompts and reported on the other.</summary>
    public required IReadOnlyList<HalfChoice> BestByHalves { get; init; }

    /// <summary>How the declared short list ran as prompts were completed, in the order drawn from the seed.</summary>
    public required IReadOnlyList<RunningSeries> Running { get; init; }

    /// <summary>Names of the controls that are missing.</summary>
    public IEnumerable<string> MissingControls => Controls.Where(c => c.Missing is not null).Select(c => c.Name);
}

/// <summary>The declared parameters of a reading.</summary>
/// <param name="Seed">Seed of the order of prompts, the halves, and the resamples.</param>
/// <param name="Level">Level of all intervals, 0.95.</param>
/// <param name="Margin">A measure is not better where the interval of its difference to a control ends below this.</param>
/// <param name="Resamples">Number of bootstrap resamples.</param>
/// <param name="Bootstrap">Which bootstrap over prompts gave the intervals: <c>multinomial</c> or <c>poisson</c>.</param>
/// <param name="PrimaryFamily">Number of measures in the declared primary family: what Holm's adjustment counts.</param>
/// <param name="Power">Power for which needed prompts are computed, 0.8.</param>
public sealed record BoardMethod(
    ulong Seed, double Level, double Margin, int Resamples, string Bootstrap, int PrimaryFamily, double Power);

/// <summary>One gold: whose ranking the measures are held against.</summary>
public sealed record GoldSummary
{
    /// <summary><c>mean_rank</c>, <c>pairwise_majority</c>, <c>rater:NAME</c>, or with a panel before it: <c>humans/mean_rank</c>.</summary>
    public required string Name { get; init; }

    /// <summary>The panel whose ranks it uses, or null.</summary>
    public string? Panel { get; init; }

    /// <summary>True where its ranks are those of the heuristic judge, which is no person.</summary>
    public required bool Heuristic { get; init; }

    /// <summary>Prompts with this gold.</summary>
    public required int NRated { get; init; }

    /// <summary>Prompts without it.</summary>
    public required int NUnrated { get; init; }

    /// <summary>Prompts where it ties at least two texts.</summary>
    public required int NTied { get; init; }

    /// <summary>Prompts where it ties all texts, so that no correlation is defined.</summary>
    public required int NConstant { get; init; }

    /// <summary>Prompts whose majorities run in a circle (pairwise majority only).</summary>
    public required int NCycles { get; init; }

    /// <summary>Number of rater names behind it.</summary>
    public required int Raters { get; init; }

    /// <summary>Ceiling: mean within-prompt rho of one of its raters against another; null with fewer than two raters.</summary>
    public Estimate? RaterAgainstRater { get; init; }

    /// <summary>Ceiling: mean within-prompt rho of a rater against the mean rank of the rest.</summary>
    public Estimate? RaterAgainstRest { get; init; }
}

/// <summary>A mean over prompts.</summary>
/// <param name="Mean">The mean over the prompts where it is defined, or null.</param>
/// <param name="Ci">Its bootstrap interval over prompts.</param>
/// <param name="NDefined">Prompts where it is defined.</param>
/// <param name="NUndefined">Rated prompts where it is not.</param>
public sealed record Estimate(double? Mean, Interval? Ci, int NDefined, int NUndefined);

/// <summary>One gold against another.</summary>
/// <param name="A">Name of a gold.</param>
/// <param name="B">Name of another.</param>
/// <param name="Rho">Mean within-prompt rho over their common prompts.</param>
public sealed record GoldPair(string A, string B, Estimate Rho);

/// <summary>One control: something that knows no more than how a text was made, or how long it is.</summary>
/// <param name="Name"><c>control.temperature</c> and so on.</param>
/// <param name="Title">A short phrase.</param>
/// <param name="Definition">Its definition in one line.</param>
/// <param name="Missing">Why it is missing (no such column, or constant within every prompt), or null.</param>
public sealed record ControlSummary(string Name, string Title, string Definition, string? Missing);

/// <summary>What a line of the table is about.</summary>
public enum MeasureKind
{
    /// <summary>A measure.</summary>
    Measure,

    /// <summary>One of the four baselines of the paper's headline contrast.</summary>
    Baseline,

    /// <summary>A control.</summary>
    Control,
}

/// <summary>Whether a measure ranks better than every control.</summary>
public enum Verdict
{
    /// <summary>
    /// It beats every control: every interval of its differences to them lies above 0, and the largest p of the sign-flip
    /// tests, Holm-adjusted over the primary family, is below 1 - level.
    /// </summary>
    Better,

    /// <summary>The interval of its difference to some control ends below the margin.</summary>
    NotBetter,

    /// <summary>Neither; see <see cref="MeasureResult.PromptsNeeded"/>.</summary>
    Undecided,
}

/// <summary>One measure (or control) against one gold.</summary>
public sealed record MeasureResult
{
    /// <summary>Name of the measure or control.</summary>
    public required string Feature { get; init; }

    /// <summary>Name of the gold.</summary>
    public required string Gold { get; init; }

    /// <summary>A short phrase for tables and figures.</summary>
    public required string Title { get; init; }

    /// <summary>Measure, baseline or control.</summary>
    public required MeasureKind Kind { get; init; }

    /// <summary>The declared direction: <c>larger</c> or <c>lower</c>; <c>either</c> for a control, which is taken the way that serves it.</summary>
    public required string Direction { get; init; }

    /// <summary>Whether it belongs to the declared primary family; if not, it is exploratory and has no verdict.</summary>
    public required bool Primary { get; init; }

    /// <summary>Mean within-prompt Spearman rho; positive when larger values go with better ranks.</summary>
    public required double? RhoWithin { get; init; }

    /// <summary>Its expectation when the measure's own ties are broken at random.</summary>
    public required double? RhoUntied { get; init; }

    /// <summary>Bootstrap interval of <see cref="RhoWithin"/> over prompts: for one look.</summary>
    public required Interval? Ci { get; init; }

    /// <summary>Confidence sequence of <see cref="RhoWithin"/>: holds however often it is looked at.</summary>
    public required Interval? Cs { get; init; }

    /// <summary>Number of prompts that the confidence sequence has used.</summary>
    public required int NCs { get; init; }

    /// <summary>Prompts with a defined rho.</summary>
    public required int NDefined { get; init; }

    /// <summary>Rated prompts without: the measure or the gold is constant, or a value is missing.</summary>
    public required int NUndefined { get; init; }

    /// <summary>Prompts without this gold.</summary>
    public required int NUnrated { get; init; }

    /// <summary>Mean within-prompt Kendall tau-b.</summary>
    public required double? TauWithin { get; init; }

    /// <summary>Spearman over all texts of all prompts, gold as within-prompt mid-ranks (ranked again): mixes what differs between prompts.</summary>
    public double? PooledRho { get; init; }

    /// <summary>Pearson over all texts of within-prompt mid-ranks of measure and gold.</summary>
    public double? PooledWithinRankRho { get; init; }

    /// <summary>How often it says of two texts what the gold says: all pairs, and the pairs of each two temperatures.</summary>
    public IReadOnlyList<PairAccuracy> PairAccuracy { get; init; } = [];

    /// <summary>Correlation among texts of one temperature, where a prompt has several; null where none has.</summary>
    public Estimate? WithinTemperature { get; init; }

    /// <summary>Paired differences to each control and each baseline.</summary>
    public IReadOnlyList<Difference> Differences { get; init; } = [];

    /// <summary>Better, not better, undecided; null for controls and exploratory measures.</summary>
    public Verdict? Verdict { get; init; }

    /// <summary>Why, in one line.</summary>
    public string? Reason { get; init; }

    /// <summary>The largest one-sided p of its sign-flip tests against the controls.</summary>
    public double? P { get; init; }

    /// <summary><see cref="P"/>, Holm-adjusted over the primary family of this gold.</summary>
    public double? PHolm { get; init; }

    /// <summary>Undecided only: about how many prompts in all a decision would take; see <see cref="PromptsNeededFor"/>.</summary>
    public int? PromptsNeeded { get; init; }

    /// <summary>Which decision would need the fewest prompts if the differences stay as they are.</summary>
    public Verdict? PromptsNeededFor { get; init; }

    /// <summary>The same measure at reference temperatures, by name.</summary>
    public IReadOnlyList<string> Twins { get; init; } = [];

    /// <summary>The measure whose twin this is, by name, or null.</summary>
    public string? TwinOf { get; init; }
}

/// <summary>How often measure and gold say the same of two texts of a prompt: which is better, or that both are equal.</summary>
public sealed record PairAccuracy
{
    /// <summary>The lower temperature of the pair; null: all pairs of texts, whatever their temperatures.</summary>
    public required double? Low { get; init; }

    /// <summary>The higher temperature of the pair; null with <see cref="Low"/>.</summary>
    public required double? High { get; init; }

    /// <summary>Number of pairs; a guess is right on half of those that the gold does not tie.</summary>
    public required int NPairs { get; init; }

    /// <summary>Pairs that the gold ties.</summary>
    public required int GoldTies { get; init; }

    /// <summary>Pairs that the measure ties.</summary>
    public required int FeatureTies { get; init; }

    /// <summary>Share of pairs where both agree, with equality exact; null without pairs.</summary>
    public required double? Accuracy { get; init; }

    /// <summary>Wilson interval at the effective number of pairs (pairs of one prompt are not independent).</summary>
    public required Interval? Ci { get; init; }

    /// <summary>
    /// Accuracy with ties calibrated (Deutsch, Foster and Freitag 2023): differences up to a threshold count as equal;
    /// the threshold for each half of the prompts was learned on the other half. Null where not computed.
    /// </summary>
    public double? AccuracyTieCalibrated { get; init; }

    /// <summary>The two thresholds, in the unit of the measure: learned on the first half, and on the second.</summary>
    public IReadOnlyList<double>? Epsilon { get; init; }
}

/// <summary>Measure minus control (or baseline), each in its declared direction, paired by prompt.</summary>
public sealed record Difference
{
    /// <summary>Name of the control or baseline.</summary>
    public required string To { get; init; }

    /// <summary>Control or baseline; only controls count for the verdict.</summary>
    public required MeasureKind Kind { get; init; }

    /// <summary>On the prompts where both rhos are defined.</summary>
    public required PairedDifference Defined { get; init; }

    /// <summary>On all rated prompts, with an undefined rho counted as 0.</summary>
    public required PairedDifference UndefinedAsZero { get; init; }

    /// <summary>Confidence sequence of the mean difference (defined ones); null where not computed.</summary>
    public Interval? Cs { get; init; }
}

/// <summary>A mean of paired differences.</summary>
/// <param name="Mean">The mean, or null.</param>
/// <param name="Ci">Its bootstrap interval over prompts.</param>
/// <param name="P">One-sided sign-flip p: how easily as large a mean comes about if signs are arbitrary.</param>
/// <param name="N">Number of prompts.</param>
public sealed record PairedDifference(double? Mean, Interval? Ci, double? P, int N);

/// <summary>The best primary measure as chosen on one half of the prompts, reported on the other.</summary>
/// <param name="Gold">Name of the gold.</param>
/// <param name="ChosenOn">Half on which it was chosen: 0 or 1 (drawn from the seed).</param>
/// <param name="Feature">Name of the chosen measure.</param>
/// <param name="RhoChosen">Its mean rho, in its declared direction, on the half where it was chosen: optimistic.</param>
/// <param name="Rho">The same on the other half: what may be reported.</param>
/// <param name="BestControl">The control that is best on the half of the choice, or null.</param>
/// <param name="ControlRho">That control's mean rho on the other half.</param>
/// <param name="Difference">Measure minus that control, paired, on the other half.</param>
public sealed record HalfChoice(
    string Gold, int ChosenOn, string Feature, double RhoChosen, Estimate Rho,
    string? BestControl, double? ControlRho, PairedDifference? Difference);

/// <summary>How one measure against one gold ran, by completed prompts in the order drawn from the seed.</summary>
/// <param name="Feature">Name of the measure or control.</param>
/// <param name="Gold">Name of the gold.</param>
/// <param name="Points">A point for each prompt used, thinned where there are many.</param>
/// <param name="Corrected">Numbers of used prompts (1-based, as in the points) whose ranks were corrected or withdrawn at least once.</param>
/// <param name="WaitingFor">The prompt that the sequence waits for, or null where it has used all.</param>
public sealed record RunningSeries(
    string Feature, string Gold, IReadOnlyList<RunningPoint> Points, IReadOnlyList<int> Corrected, string? WaitingFor);

/// <summary>The state after a number of prompts.</summary>
/// <param name="N">Number of prompts used.</param>
/// <param name="Rho">Running mean rho; positive when larger values go with better ranks.</param>
/// <param name="Cs">The band that survives peeking.</param>
public readonly record struct RunningPoint(int N, double Rho, Interval Cs);
