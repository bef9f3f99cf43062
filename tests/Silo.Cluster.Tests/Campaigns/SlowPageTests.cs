using Silo.Client;
using Silo.Cluster.Contracts;
using Silo.Cluster.Contracts.Campaigns;
using Silo.Cluster.Tests.Fixtures;

namespace Silo.Cluster.Tests.Campaigns;

public class SlowPageTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_page_that_does_not_answer_keeps_no_other_from_being_told()
    {
        var gate = new TaskCompletionSource();
        var spec = Specs.Small(Limits.PageSize + 30) with { MaxTokens = 1 };
        await using var cluster = await TestCluster.StartAsync(new TestWorld
        {
            InferenceSilos = 1,
            BeforeCalls = context => context.InterfaceMethod?.DeclaringType == typeof(IPromptPageGrain) && context.MethodName == nameof(IPromptPageGrain.Tell)
                && context.TargetId.Key.ToString() == Keys.Part("e", 0) ? gate.Task : Task.CompletedTask,
        });
        // All prompts are in the window: the first page is told of 200 and hears of none, the second of 30.
        await cluster.Client.SubmitAsync("e", spec, new SubmitOptions { Window = spec.Prompts.Count }, null, Cancellation);
        await foreach (var seen in cluster.Client.WatchAsync("e", 0, Cancellation))
            if (seen.Ended == 30) break;
        Assert.Equal(30, (await cluster.Orleans.GetGrain<IPromptPageGrain>(Keys.Part("e", 1)).Ends()).Count);
        Assert.Empty(await cluster.Orleans.GetGrain<IPromptPageGrain>(Keys.Part("e", 0)).Ends());
        // Steering passes by it, too.
        Assert.Equal("paused", (await cluster.Client.PauseAsync("e", Cancellation)).Status);
        Assert.Equal("running", (await cluster.Client.ResumeAsync("e", Cancellation)).Status);
        gate.SetResult();
        var end = await cluster.Client.WatchAsync("e", 0, Cancellation).LastAsync(Cancellation);
        Assert.Equal(await Specs.LocalDigestAsync(spec, new ToyEngine()), end.Digest);
    }
}
