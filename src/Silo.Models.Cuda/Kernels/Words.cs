namespace Silo.Models.Cuda.Kernels;

/// <summary>Where a block's few shared words lie beyond those of <see cref="RowKernel"/> itself.</summary>
internal static class Words
{
    /// <summary>Not 0: an error could decide a whole number, or the row cannot be computed here.</summary>
    public const int Undecided = 14;

    /// <summary>Number of wanted buckets.</summary>
    public const int Slots = 15;

    /// <summary>Of each wanted bucket: its number, its tokens so far, and the smallest and largest key among them.</summary>
    public const int Bucket = 16, Tokens = Bucket + RowShape.MaxSlots, Low = Tokens + RowShape.MaxSlots, High = Low + RowShape.MaxSlots;

    public const int Count = High + RowShape.MaxSlots;
}
