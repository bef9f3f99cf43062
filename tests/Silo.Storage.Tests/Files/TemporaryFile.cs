namespace Silo.Storage.Tests.Files;

/// <summary>A file that lasts as long as a test.</summary>
internal sealed class TemporaryFile : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("silo-").FullName;

    public TemporaryFile(string content, string name = "data.txt") : this(System.Text.Encoding.UTF8.GetBytes(content), name) { }

    public TemporaryFile(ReadOnlySpan<byte> content, string name = "data.txt")
    {
        Path = System.IO.Path.Combine(_folder, name);
        Write(content);
    }

    public string Path { get; }

    public void Write(ReadOnlySpan<byte> content) => File.WriteAllBytes(Path, content);

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
