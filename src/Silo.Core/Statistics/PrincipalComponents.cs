using MathNet.Numerics.LinearAlgebra;
using Silo.Core.Numerics;

namespace Silo.Core.Statistics;

/// <summary>Observations in the plane of their first two principal components.</summary>
/// <param name="Ratio1">Share of the variance along the first, in [0, 1]; null where there is no variance.</param>
/// <param name="Ratio2">Share along the second.</param>
/// <param name="First">First coordinate of each observation, in the unit of the data.</param>
/// <param name="Second">Second coordinate; 0 where there is no second component.</param>
public sealed record PrincipalComponents(double? Ratio1, double? Ratio2, double[] First, double[] Second)
{
    /// <summary>
    /// Columns are centred, not scaled; X = U S V'; the coordinates are the first two columns of U S, the ratios s_i² / sum s².
    /// The sign of a component is arbitrary: here its coordinate of largest magnitude is positive.
    /// </summary>
    /// <param name="matrix">rows x d finite numbers, row after row.</param>
    /// <param name="rows">Number of observations.</param>
    /// <exception cref="ArgumentException">The matrix cannot be cut into so many rows.</exception>
    /// <remarks>
    /// The eigenvectors come from the smaller of X X' and X' X, so a wide matrix costs rows² d. The first component is
    /// taken out of X before the second is sought: squaring would drown a second one below 1e-8 of the first.
    /// </remarks>
    public static PrincipalComponents Compute(ReadOnlySpan<double> matrix, int rows)
    {
        int columns = rows == 0 ? 0 : matrix.Length / rows;
        if (rows < 0 || rows * columns != matrix.Length) throw new ArgumentException($"{matrix.Length} values are not {rows} rows");
        // No variance is decided on the values: rounded means would leave specks of it.
        bool constant = true;
        for (int r = 1; r < rows && constant; r++)
            constant = matrix.Slice(r * columns, columns).SequenceEqual(matrix[..columns]);
        if (constant) return new(null, null, new double[rows], new double[rows]);

        var x = Centred(matrix, rows, columns);
        double total = FixedDot.Product(x, x);
        var first = TakeComponent(x, rows, columns);
        var second = TakeComponent(x, rows, columns);
        return new(Math.Min(1, FixedDot.Product(first, first) / total), FixedDot.Product(second, second) / total, first, second);
    }

    private static double[] Centred(ReadOnlySpan<double> matrix, int rows, int columns)
    {
        var x = matrix.ToArray();
        for (int c = 0; c < columns; c++)
        {
            double sum = 0;
            for (int r = 0; r < rows; r++) sum += x[r * columns + c];
            for (int r = 0; r < rows; r++) x[r * columns + c] -= sum / rows;
        }
        return x;
    }

    // The coordinates on the strongest direction, which is then removed from x.
    private static double[] TakeComponent(double[] x, int rows, int columns)
    {
        var coordinates = new double[rows];
        var direction = Direction(x, rows, columns);
        double norm = Math.Sqrt(FixedDot.Product(direction, direction));
        if (norm == 0) return coordinates;
        for (int c = 0; c < columns; c++) direction[c] /= norm;
        double largest = 0;
        for (int r = 0; r < rows; r++)
        {
            coordinates[r] = FixedDot.Product(x.AsSpan(r * columns, columns), direction);
            if (Math.Abs(coordinates[r]) > Math.Abs(largest)) largest = coordinates[r];
        }
        for (int r = 0; r < rows; r++)
        {
            for (int c = 0; c < columns; c++) x[r * columns + c] -= coordinates[r] * direction[c];
            if (largest < 0) coordinates[r] = -coordinates[r];
        }
        return coordinates;
    }

    private static double[] Direction(double[] x, int rows, int columns)
    {
        if (columns < rows) return StrongestEigenvector(Gram(Transposed(x, rows, columns), columns, rows));
        var weights = StrongestEigenvector(Gram(x, rows, columns));
        var direction = new double[columns];
        for (int r = 0; r < rows; r++)
            for (int c = 0; c < columns; c++) direction[c] += weights[r] * x[r * columns + c];
        return direction;
    }

    private static Matrix<double> Gram(double[] vectors, int count, int length)
    {
        var gram = Matrix<double>.Build.Dense(count, count);
        for (int i = 0; i < count; i++)
            for (int j = i; j < count; j++)
                gram[i, j] = gram[j, i] = FixedDot.Product(vectors.AsSpan(i * length, length), vectors.AsSpan(j * length, length));
        return gram;
    }

    private static double[] StrongestEigenvector(Matrix<double> symmetric)
    {
        var eigen = symmetric.Evd(Symmetricity.Symmetric);
        int strongest = eigen.EigenValues.Real().MaximumIndex();
        return eigen.EigenVectors.Column(strongest).ToArray();
    }

    private static double[] Transposed(double[] x, int rows, int columns)
    {
        var transposed = new double[x.Length];
        for (int r = 0; r < rows; r++)
            for (int c = 0; c < columns; c++) transposed[c * rows + r] = x[r * columns + c];
        return transposed;
    }
}
