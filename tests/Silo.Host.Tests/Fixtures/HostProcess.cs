using System.Globalization;

namespace Silo.Host.Tests.Fixtures;

/// <summary>A host of this build (or another) as a process, on ports of its own.</summary>
internal sealed class HostProcess : IAsyncDisposable
{
    private static readonly HttpClient s_http = new() { Timeout = TimeSpan.FromSeconds(30) };
    private readonly string _executable;
    private readonly string[] _arguments;
    private HeldProcess _process;

    /// <param name="project"><c>Silo.Host</c> or <c>Silo.Host.Cpu</c>.</param>
    /// <param name="settings">Its settings, <c>Silo:Name=value</c>; ports are added.</param>
    /// <param name="repository">The checkout that it was built in; null: this one.</param>
    public HostProcess(string project, IEnumerable<string> settings, string? repository = null)
    {
        _executable = Path.Combine(repository ?? Shared.Repository, "src", project, "bin", SiloProcess.Configuration, "net10.0", project);
        _arguments = [.. settings.Append($"Silo:SiloPort={SiloPort}").Append($"Silo:GatewayPort={GatewayPort}").Append($"Silo:HttpPort={HttpPort}").Select(s => "--" + s)];
        _process = new HeldProcess(_executable, _arguments);
    }

    public int SiloPort { get; } = Ports.Next();

    public int GatewayPort { get; } = Ports.Next();

    public int HttpPort { get; } = Ports.Next();

    public string Gateway => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{GatewayPort}");

    public string Said => _process.Said;

    /// <summary>Waits until the host says that it is ready.</summary>
    public async Task ReadyAsync()
    {
        for (var tries = 0; ; tries++)
        {
            Assert.False(_process.HasEnded, $"{_arguments[0]} ended:\n{_process.Said}");
            Assert.True(tries < 600, $"{_arguments[0]} is not ready:\n{_process.Said}");
            if (await StatusAsync("/health/ready") == 200) return;
            await Task.Delay(200, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>The HTTP status of a path; 0 where nothing answers.</summary>
    public async Task<int> StatusAsync(string path)
    {
        try
        {
            using var answer = await s_http.GetAsync(Address(path), TestContext.Current.CancellationToken);
            return (int)answer.StatusCode;
        }
        catch (HttpRequestException)
        {
            return 0;
        }
    }

    /// <summary>The sum of a metric's values whose line holds all of the given pieces.</summary>
    public async Task<double> MetricAsync(string name, params string[] pieces)
    {
        var text = await s_http.GetStringAsync(Address("/metrics"), TestContext.Current.CancellationToken);
        return text.Split('\n')
            .Where(line => line.StartsWith(name + "{", StringComparison.Ordinal) && pieces.All(p => line.Contains(p, StringComparison.Ordinal)))
            .Sum(line => double.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture));
    }

    /// <summary>Ends it as a burning machine would.</summary>
    public async Task KillAsync()
    {
        _process.Signal("KILL");
        Assert.Equal(137, await _process.EndAsync());
    }

    /// <summary>Asks it to end; its exit code.</summary>
    public Task<int> TerminateAsync()
    {
        _process.Signal("TERM");
        return _process.EndAsync();
    }

    /// <summary>Starts it again, after it has ended.</summary>
    public async Task RestartAsync()
    {
        await _process.DisposeAsync();
        _process = new HeldProcess(_executable, _arguments);
    }

    /// <summary>Waits for its end without asking for it; its exit code.</summary>
    public Task<int> EndAsync() => _process.EndAsync();

    public ValueTask DisposeAsync() => _process.DisposeAsync();

    private Uri Address(string path) => new(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{HttpPort}{path}"));
}
