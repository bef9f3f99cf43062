namespace Silo.Cluster.Grains;

/// <summary>How often the grains of a campaign do what they do again and again.</summary>
public sealed class CampaignTiming
{
    /// <summary>How often a campaign reminds itself: what a crash swallowed is told again within this time. Default a minute.</summary>
    public TimeSpan RemindEvery { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>
    /// After how long an ask without an answer costs its texts an attempt. Default 55 minutes: the call itself may take an hour,
    /// and would then end without having cost one.
    /// </summary>
    public TimeSpan AskTimeout { get; set; } = TimeSpan.FromMinutes(55);

    /// <summary>How long a correlation shard gathers changes for one write. Default a quarter of a second.</summary>
    public TimeSpan ShardGathers { get; set; } = TimeSpan.FromMilliseconds(250);

    /// <summary>
    /// How many writes a second all shards of an experiment together make at most: of a very large one each gathers longer.
    /// Default 400.
    /// </summary>
    public int ShardWritesPerSecond { get; set; } = 400;

    /// <summary>How long a page and a campaign gather ends of prompts for one write. Default 25 milliseconds.</summary>
    public TimeSpan EndsGather { get; set; } = TimeSpan.FromMilliseconds(25);

    /// <summary>
    /// How long a submission that has not started keeps its place among the open experiments when others need it. Default a day.
    /// </summary>
    public TimeSpan StartWithin { get; set; } = TimeSpan.FromDays(1);

    /// <summary>How long the gauges of the running table may lag. Default 15 seconds.</summary>
    public TimeSpan GaugesLag { get; set; } = TimeSpan.FromSeconds(15);
}
