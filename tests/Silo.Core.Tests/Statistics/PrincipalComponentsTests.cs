using Silo.Core.Statistics;

namespace Silo.Core.Tests.Statistics;

public class PrincipalComponentsTests
{
    [Fact]
    public void Golden_matrices()
    {
        foreach (var golden in Golden.Load("texts.json").Items("pca"))
        {
            string name = golden.Text("name");
            var rows = golden.Items("matrix").Select(r => r.Numbers()).ToList();
            var actual = PrincipalComponents.Compute([.. rows.SelectMany(r => r)], rows.Count);
            double?[] ratios = [.. golden.Numbers("explained_variance_ratio").Select(r => double.IsNaN(r) ? null : (double?)r)];
            Golden.Close(ratios[0], actual.Ratio1, name + " ratio 1", 1e-8);
            Golden.Close(ratios[1], actual.Ratio2, name + " ratio 2", 1e-8);
            var coordinates = golden.Items("abs_coordinates").Select(r => r.Numbers()).ToList();
            Golden.Close([.. coordinates.Select(c => c[0])], [.. actual.First.Select(Math.Abs)], name + " first", 1e-8);
            Golden.Close([.. coordinates.Select(c => c[1])], [.. actual.Second.Select(Math.Abs)], name + " second", 1e-8);
        }
    }

    [Theory]
    [InlineData(6, 40)]
    [InlineData(40, 6)]
    public void A_weak_second_component_is_found_beside_a_strong_first(int rows, int columns)
    {
        // Two orthogonal patterns of rows and of columns; the second has 1e-9 of the first one's size.
        var matrix = new double[rows * columns];
        for (int r = 0; r < rows; r++)
            for (int c = 0; c < columns; c++)
                matrix[r * columns + c] = (r % 2 * 2 - 1) * (c % 2 * 2 - 1) + (r < 2 ? 1e-9 : -2e-9 / (rows - 2)) * (c / 2 % 2 * 2 - 1);
        var actual = PrincipalComponents.Compute(matrix, rows);
        double columnsUsed = Math.Sqrt(columns);
        Assert.Equal(columnsUsed, Math.Abs(actual.First[0]), 1e-8);
        // The patterns of columns are orthogonal up to the last two of 6 columns.
        Assert.Equal(1e-9 * columnsUsed, Math.Abs(actual.Second[0]), 1e-10 * columnsUsed);
        Assert.True(actual.First.Max() >= -actual.First.Min());
    }

    [Fact]
    public void A_wide_matrix_and_its_padding_with_zeros_have_the_same_components()
    {
        double[] narrow = [1, 2, 4, 0, 3, 1, 2, 2, -1, 5, 0, 2];
        var wide = new double[4 * 4096];
        for (int r = 0; r < 4; r++) narrow.AsSpan(r * 3, 3).CopyTo(wide.AsSpan(r * 4096 + 1000));
        PrincipalComponents a = PrincipalComponents.Compute(narrow, 4), b = PrincipalComponents.Compute(wide, 4);
        Golden.Close(a.First, b.First, "first", 1e-12);
        Golden.Close(a.Second, b.Second, "second", 1e-12);
        Golden.Close(a.Ratio2, b.Ratio2, "ratio", 1e-12);
    }

    [Fact]
    public void Equal_observations_have_no_components()
    {
        var actual = PrincipalComponents.Compute([0.1, 0.7, 0.1, 0.7, 0.1, 0.7], 3);
        Assert.Null(actual.Ratio1);
        Assert.Equal([0.0, 0, 0], actual.First);
        Assert.Throws<ArgumentException>(() => PrincipalComponents.Compute([1, 2, 3], 2));
    }
}
