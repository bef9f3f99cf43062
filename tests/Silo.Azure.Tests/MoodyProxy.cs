using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using Silo.TestKit.Servers;

namespace Silo.Azure.Tests;

/// <summary>
/// Stands before a storage server and, by a seed, throttles as Azure does (503, before anything is done), loses answers of
/// requests that were done, and cuts connections.
/// </summary>
internal sealed class MoodyProxy : IAsyncDisposable
{
    private readonly Random _random;
    private readonly HttpClient _client = new(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false });
    private readonly WebApplication _app;
    private readonly int _target;
    private int _throttled, _lost;

    private MoodyProxy(int target, int seed)
    {
        _target = target;
        _random = new Random(seed);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.ListenLocalhost(Port);
            kestrel.Limits.MaxRequestBodySize = null;
        });
        _app = builder.Build();
        _app.Run(PassAsync);
    }

    public int Port { get; } = Ports.Free();

    /// <summary>Share of requests that something happens to.</summary>
    public double Share { get; set; }

    public (int Throttled, int Lost) Counts => (_throttled, _lost);

    public static async Task<MoodyProxy> StartAsync(int target, int seed)
    {
        var proxy = new MoodyProxy(target, seed);
        await proxy._app.StartAsync();
        return proxy;
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _client.Dispose();
    }

    private async Task PassAsync(HttpContext context)
    {
        var mood = Draw();
        if (mood < 0.6)
        {
            Interlocked.Increment(ref _throttled);
            await BusyAsync(context);
            return;
        }
        using var answer = await AskAsync(context.Request);
        if (mood < 1)
        {
            Interlocked.Increment(ref _lost);
            if (mood < 0.8) context.Abort();
            else await BusyAsync(context);
            return;
        }
        context.Response.StatusCode = (int)answer.StatusCode;
        foreach (var (name, values) in answer.Headers.Concat(answer.Content.Headers))
            if (!name.Equals("Transfer-Encoding", StringComparison.OrdinalIgnoreCase)) context.Response.Headers[name] = values.ToArray();
        await answer.Content.CopyToAsync(context.Response.Body, context.RequestAborted);
    }

    private async Task<HttpResponseMessage> AskAsync(HttpRequest request)
    {
        // The path as it was sent: the signature is over it.
        var path = request.HttpContext.Features.Get<IHttpRequestFeature>()!.RawTarget;
        var uri = new Uri($"http://127.0.0.1:{_target}{path}", new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
        using var asked = new HttpRequestMessage(new HttpMethod(request.Method), uri);
        if (request.ContentLength is not null || request.Headers.ContainsKey("Transfer-Encoding"))
        {
            var body = new MemoryStream();
            await request.Body.CopyToAsync(body);
            asked.Content = new ByteArrayContent(body.ToArray());
        }
        foreach (var (name, values) in request.Headers)
            if (!asked.Headers.TryAddWithoutValidation(name, values.AsEnumerable())) asked.Content?.Headers.TryAddWithoutValidation(name, values.AsEnumerable());
        return await _client.SendAsync(asked, request.HttpContext.RequestAborted);
    }

    private static async Task BusyAsync(HttpContext context)
    {
        context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
        context.Response.Headers["x-ms-error-code"] = "ServerBusy";
        await context.Response.WriteAsync("""{"odata.error":{"code":"ServerBusy","message":{"lang":"en-US","value":"The server is busy."}}}""");
    }

    // In [0, 1): something happens; otherwise nothing does.
    private double Draw()
    {
        lock (_random) return _random.NextDouble() < Share ? _random.NextDouble() : 2;
    }
}
