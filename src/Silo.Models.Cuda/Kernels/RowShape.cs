namespace Silo.Models.Cuda.Kernels;

/// <summary>Sizes of what a block works on: one row, and its part of the device's memory.</summary>
internal readonly struct RowShape(int vocabulary, int temperatures, int capture)
{
    /// <summary>Words of shared memory that the histogram may take: with the rest below the 48 KB that every device has.</summary>
    public const int Pool = 9_792;

    /// <summary>Buckets where two words each suffice, and where each takes three.</summary>
    public const int NarrowBuckets = Pool / 2, WideBuckets = Pool / 3;

    /// <summary>Most tokens that are sorted one by one; rows of no more are nothing but these.</summary>
    public const int TopCapacity = 2_048;

    /// <summary>Tokens of one bucket that are fetched.</summary>
    public const int ListCapacity = 1_024;

    /// <summary>Largest K.</summary>
    public const int MaxCapture = 1_024;

    /// <summary>Temperatures that share the passes over a row; more are computed in turn.</summary>
    public const int MaxTemperatures = 8;

    /// <summary>Buckets of which the tokens are wanted: four masses under p; four, and where p crosses q, under each q.</summary>
    public const int MaxSlots = 4 + (5 * MaxTemperatures);

    /// <summary>Tokens that are sorted at least, so that the largest masses are exact.</summary>
    private const int LeastTop = 128;

    /// <summary>Values kept of each temperature.</summary>
    public const int StateSize = 16;

    public readonly int Vocabulary = vocabulary, Temperatures = temperatures, Capture = capture;

    public int TopWanted => Capture > LeastTop ? Capture : LeastTop;

    /// <summary>Masses that are looked for: four of p, four of each q.</summary>
    public int Crossings => 4 + (4 * Temperatures);

    // Float64: moments and masses of the buckets, the sorted tokens and the captured ones, crossings, temperatures.
    public int Reals => CapturedAt + (5 * CapturedCapacity) + (2 * Crossings) + (StateSize * Temperatures);

    public static int TopAt => 4 * NarrowBuckets;

    public static int CapturedAt => TopAt + (5 * TopCapacity);

    public int CapturedCapacity => Capture + 2;

    public int AboveAt => CapturedAt + (5 * CapturedCapacity);

    public int TargetAt => AboveAt + Crossings;

    public int StateAt => TargetAt + Crossings;

    // Whole numbers: tokens of the buckets, crossings, the tokens fetched.
    public int Wholes => ListsAt + (MaxSlots * ListCapacity);

    public static int CrossingsAt => NarrowBuckets;

    public int ListsAt => CrossingsAt + (6 * Crossings);

    /// <summary>Masses of the tokens fetched, as whole numbers.</summary>
    public int Fixeds => Crossings * ListCapacity;

    /// <summary>Bytes that a row takes beside its logits and features.</summary>
    public long Bytes => (8L * Reals) + (4L * Wholes) + (8L * Fixeds);
}
