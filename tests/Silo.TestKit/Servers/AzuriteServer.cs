using Xunit;

namespace Silo.TestKit.Servers;

/// <summary>
/// Azurite, which answers as Azure's tables and blobs do, on ports and in a folder of a test's own. What is acknowledged
/// survives <see cref="StopAsync"/>: it is told to end (killed hard, Azurite loses what it has acknowledged last).
/// </summary>
public sealed class AzuriteServer : IAsyncDisposable
{
    /// <summary>The account that every Azurite has; its key is public knowledge.</summary>
    public const string Account = "devstoreaccount1";

    private const string Key = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";
    private readonly string _script;
    private readonly string _folder = Path.Combine(Path.GetTempPath(), "silo-azurite-" + Path.GetRandomFileName());
    private ServerProcess? _server;

    private AzuriteServer(string script) => _script = script;

    /// <summary>Port of blobs.</summary>
    public int BlobPort { get; } = Ports.Free();

    /// <summary>Port of tables.</summary>
    public int TablePort { get; } = Ports.Free();

    /// <summary>What hosts connect with.</summary>
    public string ConnectionString => ConnectionStringTo(BlobPort, TablePort);

    /// <summary>The same over other ports, of somebody who passes requests on.</summary>
    public static string ConnectionStringTo(int blobPort, int tablePort) =>
        $"DefaultEndpointsProtocol=http;AccountName={Account};AccountKey={Key};BlobEndpoint=http://127.0.0.1:{blobPort}/{Account};TableEndpoint=http://127.0.0.1:{tablePort}/{Account};";

    /// <summary>Starts an empty one; skips the running test, by name, where Azurite is not installed.</summary>
    public static async Task<AzuriteServer> StartNewAsync()
    {
        var script = FindScript();
        if (script is null) Assert.Skip("Azurite is not installed (npm install --prefix artifacts/azurite azurite)");
        var made = new AzuriteServer(script);
        Directory.CreateDirectory(made._folder);
        await made.StartAsync();
        return made;
    }

    /// <summary>Starts it again on what it has stored.</summary>
    public async Task StartAsync()
    {
        _server = new ServerProcess("TERM", ["node", _script, "--silent", "--disableTelemetry", "--skipApiVersionCheck", "--location", _folder,
            "--blobPort", $"{BlobPort}", "--tablePort", $"{TablePort}", "--queuePort", $"{Ports.Free()}"]);
        await _server.UntilAsync(async () => await Ports.AnswersAsync(BlobPort) && await Ports.AnswersAsync(TablePort), "Azurite");
    }

    /// <summary>Ends it; connections are cut.</summary>
    public async Task StopAsync()
    {
        await _server!.StopAsync();
        _server.Dispose();
        _server = null;
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        if (_server is not null) await StopAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private static string? FindScript()
    {
        if (OperatingSystem.IsWindows()) return null;
        string[] roots = [Path.Combine(Shared.Repository, "artifacts", "azurite", "node_modules"), "/usr/lib/node_modules", "/usr/local/lib/node_modules"];
        return roots.Select(root => Path.Combine(root, "azurite", "dist", "src", "azurite.js")).FirstOrDefault(File.Exists);
    }
}
