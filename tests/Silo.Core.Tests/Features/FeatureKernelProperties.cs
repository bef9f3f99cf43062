using FsCheck;
using FsCheck.Fluent;

namespace Silo.Core.Tests.Features;

public class FeatureKernelProperties
{
    private static bool Long => Environment.GetEnvironmentVariable("SILO_LONG") == "1";

    [Fact]
    public void Short_rows_agree_with_the_oracle() => Agree(FeatureRows.Upto(900), Long ? 20_000 : 400);

    [Fact]
    public void Rows_long_enough_for_the_histogram_agree_with_the_oracle() =>
        Agree(FeatureRows.Upto(20_000, 1024), Long ? 5_000 : 80);

    [Fact]
    public void Rows_of_large_vocabularies_agree_with_the_oracle() => Agree(FeatureRows.Upto(150_000, 100_000), Long ? 500 : 4);

    [Fact]
    public void Every_kind_of_row_agrees_with_the_oracle()
    {
        foreach (var kind in FeatureRows.Kinds)
            foreach (var (v, k) in new[] { (1, 3), (2, 1), (37, 200), (4096, 200), (10_000, 20) })
                FeatureRows.Check(new FeatureRows.Row(kind, v, v + k, k, [0.3, 0.8, 1.5]));
    }

    private static void Agree(Arbitrary<FeatureRows.Row> rows, int tests) =>
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(tests).WithQuietOnSuccess(true),
            Prop.ForAll(rows, row => { FeatureRows.Check(row); }));
}
