using Silo.Core.Numerics;

namespace Silo.Experiments.Board;

/// <summary>
/// What one gold's rows add up to: exact, order-free sums, from which a row that was added can be taken away again, and
/// which merge in any order to the same bits. This, not the rows, is what a shard of a large campaign holds.
/// </summary>
public sealed class GoldSums
{
    private readonly ColumnSums[] _columns;
    private readonly PairSums[] _pairs;
    private readonly int _kinds;

    /// <summary>Sums of nothing.</summary>
    /// <param name="columnCount">Number of columns: the controls, then the measures.</param>
    /// <param name="kindCount">Number of kinds of pairs.</param>
    internal GoldSums(int columnCount, int kindCount)
    {
        _columns = new ColumnSums[columnCount];
        _pairs = new PairSums[columnCount * kindCount];
        _kinds = kindCount;
    }

    /// <summary>Sums of one column over the prompts.</summary>
    /// <param name="Rho">Within-prompt rhos; the count is that of defined prompts.</param>
    /// <param name="RhoSquared">Their squares.</param>
    /// <param name="RhoUntied">Rhos with the column's ties broken at random.</param>
    /// <param name="Tau">Within-prompt tau-b.</param>
    /// <param name="Within">Rhos within one temperature.</param>
    public readonly record struct ColumnSums(ExactSum Rho, ExactSum RhoSquared, ExactSum RhoUntied, ExactSum Tau, ExactSum Within)
    {
        internal ColumnSums Merge(ColumnSums other) => new(Rho.Merge(other.Rho), RhoSquared.Merge(other.RhoSquared),
            RhoUntied.Merge(other.RhoUntied), Tau.Merge(other.Tau), Within.Merge(other.Within));
    }

    /// <summary>Sums of one column and kind of pairs; a_i agreements among n_i pairs of prompt i.</summary>
    /// <param name="Pairs">Sum of n_i over the prompts where the column has its values.</param>
    /// <param name="PairsSquared">Sum of n_i².</param>
    /// <param name="Agree">Sum of a_i.</param>
    /// <param name="AgreeSquared">Sum of a_i².</param>
    /// <param name="AgreePairs">Sum of a_i n_i.</param>
    /// <param name="GoldTies">Pairs that the gold ties.</param>
    /// <param name="FeatureTies">Pairs that the column ties.</param>
    public readonly record struct PairSums(
        long Pairs, long PairsSquared, long Agree, long AgreeSquared, long AgreePairs, long GoldTies, long FeatureTies)
    {
        internal static PairSums Of(long pairs, long agree, long goldTies, long featureTies) =>
            new(pairs, pairs * pairs, agree, agree * agree, agree * pairs, goldTies, featureTies);

        internal PairSums Plus(PairSums other, int sign = 1) => new(
            Pairs + sign * other.Pairs, PairsSquared + sign * other.PairsSquared, Agree + sign * other.Agree,
            AgreeSquared + sign * other.AgreeSquared, AgreePairs + sign * other.AgreePairs,
            GoldTies + sign * other.GoldTies, FeatureTies + sign * other.FeatureTies);
    }

    /// <summary>Prompts with this gold.</summary>
    public int Rated { get; private set; }

    /// <summary>Of these, prompts where it ties some texts.</summary>
    public int Tied { get; private set; }

    /// <summary>Of these, prompts where it ties all texts.</summary>
    public int Constant { get; private set; }

    /// <summary>Of these, prompts whose majorities run in a circle.</summary>
    public int Cycles { get; private set; }

    /// <summary>Rated prompts with several ranked texts at one temperature.</summary>
    public int WithSeveral { get; private set; }

    /// <summary>Sums by column.</summary>
    public ReadOnlySpan<ColumnSums> Columns => _columns;

    /// <summary>Number of kinds of pairs: 0 = any pair, then each two temperatures of the design.</summary>
    public int Kinds => _kinds;

    /// <summary>Sums of a column and a kind of pairs.</summary>
    public PairSums Pairs(int column, int kind) => _pairs[column * _kinds + kind];

    /// <summary>Writes the sums: every number as an integer, so that reading restores every bit.</summary>
    internal void Write(BinaryWriter writer)
    {
        foreach (var count in (ReadOnlySpan<int>)[_columns.Length, _kinds, Rated, Tied, Constant, Cycles, WithSeveral]) writer.Write(count);
        foreach (var c in _columns)
            foreach (var sum in (ReadOnlySpan<ExactSum>)[c.Rho, c.RhoSquared, c.RhoUntied, c.Tau, c.Within])
            {
                writer.Write((long)(sum.Units >> 64));
                writer.Write((ulong)(UInt128)sum.Units);
                writer.Write(sum.Count);
            }
        foreach (var p in _pairs)
            foreach (var count in (ReadOnlySpan<long>)[p.Pairs, p.PairsSquared, p.Agree, p.AgreeSquared, p.AgreePairs, p.GoldTies, p.FeatureTies])
                writer.Write(count);
    }

    /// <summary>Reads what <see cref="Write"/> wrote.</summary>
    /// <exception cref="InvalidDataException">It is of another design.</exception>
    internal static GoldSums Read(BinaryReader reader, int columnCount, int kindCount)
    {
        if (reader.ReadInt32() != columnCount || reader.ReadInt32() != kindCount) throw new InvalidDataException("the sums are of another design");
        var sums = new GoldSums(columnCount, kindCount)
        {
            Rated = reader.ReadInt32(),
            Tied = reader.ReadInt32(),
            Constant = reader.ReadInt32(),
            Cycles = reader.ReadInt32(),
            WithSeveral = reader.ReadInt32(),
        };
        for (var c = 0; c < columnCount; c++) sums._columns[c] = new(Sum(), Sum(), Sum(), Sum(), Sum());
        for (var p = 0; p < sums._pairs.Length; p++) sums._pairs[p] = new(Long(), Long(), Long(), Long(), Long(), Long(), Long());
        return sums;

        ExactSum Sum() => new(((Int128)reader.ReadInt64() << 64) | reader.ReadUInt64(), reader.ReadInt64());
        long Long() => reader.ReadInt64();
    }

    internal void Add(GoldRow row) => Apply(row, 1);

    internal void Remove(GoldRow row) => Apply(row, -1);

    internal void Merge(GoldSums other)
    {
        Rated += other.Rated;
        Tied += other.Tied;
        Constant += other.Constant;
        Cycles += other.Cycles;
        WithSeveral += other.WithSeveral;
        for (var c = 0; c < _columns.Length; c++) _columns[c] = _columns[c].Merge(other._columns[c]);
        for (var p = 0; p < _pairs.Length; p++) _pairs[p] = _pairs[p].Plus(other._pairs[p]);
    }

    /// <summary>Whether both hold the same sums to the last bit.</summary>
    public bool SameAs(GoldSums other) => (Rated, Tied, Constant, Cycles, WithSeveral) == (other.Rated, other.Tied, other.Constant, other.Cycles, other.WithSeveral)
        && _columns.AsSpan().SequenceEqual(other._columns) && _pairs.AsSpan().SequenceEqual(other._pairs);

    private void Apply(GoldRow row, int sign)
    {
        Rated += sign;
        if (row.Gold.HasTie) Tied += sign;
        if (row.Gold.IsConstant) Constant += sign;
        if (row.Gold.Cycle) Cycles += sign;
        if (row.Within is not null) WithSeveral += sign;
        for (var c = 0; c < _columns.Length; c++)
        {
            var rho = row.Rho[c];
            var sums = _columns[c];
            _columns[c] = new(Take(sums.Rho, rho, sign), Take(sums.RhoSquared, rho * rho, sign), Take(sums.RhoUntied, row.RhoUntied[c], sign),
                Take(sums.Tau, row.Tau[c], sign), row.Within is null ? sums.Within : Take(sums.Within, row.Within[c], sign));
            if (!row.HasValues[c]) continue;
            for (var k = 0; k < _kinds; k++)
            {
                ref var pair = ref _pairs[c * _kinds + k];
                pair = pair.Plus(PairSums.Of(row.Pairs[k], row.Agree[c * _kinds + k], row.GoldTies[k], row.FeatureTies[c * _kinds + k]), sign);
            }
        }
    }

    private static ExactSum Take(ExactSum sum, double value, int sign) =>
        double.IsNaN(value) ? sum : sign > 0 ? sum.Add(value) : sum.Remove(value);
}
