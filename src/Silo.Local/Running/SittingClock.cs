namespace Silo.Local.Running;

/// <summary>Time and speed of a sitting.</summary>
/// <param name="time">The clock.</param>
/// <param name="generations">Texts planned.</param>
internal sealed class SittingClock(TimeProvider time, long generations)
{
    private readonly long _start = time.GetTimestamp();
    private double _lapped;
    private long _texts;
    private long _tokens;

    /// <summary>Milliseconds since the sitting began.</summary>
    public long Now => (long)time.GetElapsedTime(_start).TotalMilliseconds;

    /// <summary>Seconds since the last call.</summary>
    public double Lap()
    {
        var now = time.GetElapsedTime(_start).TotalSeconds;
        var lap = now - _lapped;
        _lapped = now;
        return lap;
    }

    /// <summary>Counts a finished text.</summary>
    public void Count(int tokens)
    {
        _texts++;
        _tokens += tokens;
    }

    /// <summary>How far and how fast.</summary>
    public RunSpeed Speed(long kept)
    {
        var elapsed = time.GetElapsedTime(_start);
        var left = _texts > 0 ? elapsed * ((double)Math.Max(0, generations - kept) / _texts) : (TimeSpan?)null;
        return new RunSpeed(kept, generations, elapsed > TimeSpan.Zero ? _tokens / elapsed.TotalSeconds : 0, left);
    }
}
