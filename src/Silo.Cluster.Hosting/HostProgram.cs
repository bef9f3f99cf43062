using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Hosting;
using Silo.Core;

namespace Silo.Cluster.Hosting;

/// <summary>The main method of every host: what a user caused ends in one line, exit code 1 (2 for a wrong setting).</summary>
public static class HostProgram
{
    /// <summary>Builds and runs a host until it is told to stop.</summary>
    /// <param name="args">
    /// The command line: <c>--Silo:Setting=value</c>; settings also come from appsettings.json and the environment. The
    /// word <c>health</c> first: ask the host that runs here whether it is ready, for containers without curl.
    /// </param>
    /// <param name="compose">Adds storage, telemetry, and an engine.</param>
    /// <param name="map">Adds endpoints.</param>
    public static async Task<int> RunAsync(string[] args, Action<SiloHostBuilder> compose, Action<WebApplication> map)
    {
        SiloHostBuilder builder;
        try
        {
            builder = SiloHostBuilder.Create(args);
            if (args is ["health", ..]) return await AskHealthAsync(builder.Options.HttpPort);
        }
        catch (SiloException e)
        {
            await Console.Error.WriteLineAsync(e.Message);
            return 2;
        }
        try
        {
            compose(builder);
            await using var app = builder.Build();
            map(app);
            using var end = EndInTime(app.Lifetime, TimeSpan.FromSeconds(builder.Options.DrainSeconds + 10));
            await app.RunAsync();
            return 0;
        }
        catch (Exception e) when (Cause(e) is { } cause)
        {
            await Console.Error.WriteLineAsync(cause);
            return 1;
        }
    }

    // A store or a host that is gone is waited for longer than anyone waits for a drain. What is in flight is stored and told
    // again elsewhere, so nothing is lost by an end.
    private static CancellationTokenRegistration EndInTime(IHostApplicationLifetime lifetime, TimeSpan patience) => lifetime.ApplicationStopping.Register(() =>
        new Thread(() =>
        {
            Thread.Sleep(patience);
            Console.Error.WriteLine($"not stopped within {patience.TotalSeconds:0} s: ends now");
            Environment.Exit(1);
        })
        { IsBackground = true }.Start());

    private static async Task<int> AskHealthAsync(int port)
    {
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(10) };
        try
        {
            var answer = await http.GetAsync(new Uri($"http://127.0.0.1:{port}/health/ready"));
            Console.WriteLine(await answer.Content.ReadAsStringAsync());
            return answer.IsSuccessStatusCode ? 0 : 1;
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
        {
            await Console.Error.WriteLineAsync($"no host answers on port {port}: {e.Message}");
            return 1;
        }
    }

    // A storage that does not answer, a port that is taken: said as it is, without a stack.
    private static string? Cause(Exception e) => e is SiloException ? e.Message : $"{e.GetType().Name}: {e.GetBaseException().Message.ReplaceLineEndings(" ")}";
}
