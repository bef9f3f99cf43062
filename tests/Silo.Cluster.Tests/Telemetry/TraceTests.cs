using System.Collections.Concurrent;
using System.Diagnostics;
using Silo.Client;
using Silo.Cluster.Contracts;
using Silo.Cluster.Tests.Fixtures;
using Silo.Models;

namespace Silo.Cluster.Tests.Telemetry;

public class TraceTests
{
    [Fact]
    public async Task A_submission_can_be_followed_to_the_engine()
    {
        var ended = new ConcurrentQueue<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name is ClusterMetrics.MeterName or EngineMetrics.Name || source.Name.StartsWith("Microsoft.Orleans.", StringComparison.Ordinal),
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = ended.Enqueue,
        };
        ActivitySource.AddActivityListener(listener);
        using var model = LanguageModels.Open(Path.Combine(Shared.Repository, "src", "Silo.Storyteller", "storyteller.gguf"));
        await using var engine = new GenerationEngine(model);
        await using var cluster = await TestCluster.StartAsync(new TestWorld { Engine = () => engine, InferenceSilos = 1 });
        // Other tests trace beside this one: what is looked at belongs to this submission.
        await cluster.Client.SubmitAsync("traced", Specs.Small(2) with { MaxTokens = 4 }, new SubmitOptions(), null, TestContext.Current.CancellationToken);
        var end = await cluster.Client.WatchAsync("traced", 0, TestContext.Current.CancellationToken).LastAsync(TestContext.Current.CancellationToken);

        var all = ended.ToArray();
        var submit = Assert.Single(all, a => a.OperationName == "submit" && "traced".Equals(a.GetTagItem("silo.experiment")));
        Assert.Contains(all, a => a.TraceId == submit.TraceId && a.Kind == ActivityKind.Server && a.OperationName.EndsWith("/Submit", StringComparison.Ordinal));
        // An ask that came before anybody knew what the host serves has found nobody, and was made again.
        var asks = all.Where(a => a.OperationName == "ask" && a.Links.Any(link => link.Context.TraceId == submit.TraceId) && all.Any(b => b.TraceId == a.TraceId && b.Source.Name == EngineMetrics.Name)).ToArray();
        Assert.Equal(["traced/p1", "traced/p2"], asks.Select(a => (string)a.GetTagItem("silo.prompt")!).Order());
        var tokens = 0;
        foreach (var ask in asks)
        {
            var trace = all.Where(a => a.TraceId == ask.TraceId).ToDictionary(a => a.SpanId);
            var made = Assert.Single(trace.Values, a => a.Source.Name == EngineMetrics.Name);
            Assert.Equal(3, made.GetTagItem("silo.rows"));
            tokens += (int)made.GetTagItem("silo.tokens")!;
            var way = new List<string>();
            for (var at = made; at.SpanId != ask.SpanId; at = trace[at.ParentSpanId]) way.Add($"{at.Kind} {at.OperationName}");
            Assert.Equal(["Internal generate", "Server IInferenceGrain/Generate", "Client IInferenceGrain/Generate"], way);
            Assert.Equal(default, ask.ParentSpanId);
        }
        Assert.Equal(end.Tokens, tokens);
    }
}
