namespace Silo.Core.Features;

/// <summary>Where a share of the mass is reached.</summary>
/// <param name="Bucket">The tail bucket, or -1 where it is at a top token.</param>
/// <param name="Above">Sum over the tokens above that bucket.</param>
/// <param name="TokensAbove">Their number.</param>
/// <param name="Width">Number of tokens that reach it; 0 until resolved.</param>
/// <param name="Target">The sum to be reached.</param>
/// <param name="Certain">False where the error might decide.</param>
internal readonly record struct Crossing(int Bucket, double Above, int TokensAbove, int Width, double Target, bool Certain);
