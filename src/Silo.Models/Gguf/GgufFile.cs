using System.IO.MemoryMappedFiles;
using Silo.Core;

namespace Silo.Models.Gguf;

/// <summary>
/// A GGUF file (version 2 or 3, little-endian), mapped into memory. Every count, length and offset is checked against the file's
/// size before it is used. Source: ggml/docs/gguf.md.
/// </summary>
public sealed unsafe class GgufFile : IDisposable
{
    private readonly MemoryMappedFile _mapping;
    private readonly MemoryMappedViewAccessor _view;
    private readonly byte* _start;
    private bool _disposed;

    private GgufFile(string path, MemoryMappedFile mapping, long length)
    {
        (Path, Length, _mapping) = (path, length, mapping);
        _view = mapping.CreateViewAccessor(0, length, MemoryMappedFileAccess.Read);
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref _start);
        _start += _view.PointerOffset;
        try
        {
            var content = new GgufParser(path, _start, length).Parse();
            (Version, Metadata, Tensors) = (content.Version, new GgufMetadata(path, content.Metadata), content.Tensors);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The path it was opened by.</summary>
    public string Path { get; }

    /// <summary>The file's size in bytes.</summary>
    public long Length { get; }

    /// <summary>The format's version: 2 or 3.</summary>
    public int Version { get; }

    /// <summary>Keys and values.</summary>
    public GgufMetadata Metadata { get; }

    /// <summary>The tensors by name.</summary>
    public IReadOnlyDictionary<string, GgufTensor> Tensors { get; }

    /// <summary>Maps a file and reads its header.</summary>
    /// <exception cref="SiloException">The file cannot be read or is not a whole, well-formed GGUF file.</exception>
    public static GgufFile Open(string path)
    {
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
            if (stream.Length == 0) throw new SiloException($"{path}: the file is empty; a GGUF model was expected");
            var mapping = MemoryMappedFile.CreateFromFile(stream, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: false);
            return new GgufFile(path, mapping, stream.Length);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            var cause = e switch
            {
                FileNotFoundException or DirectoryNotFoundException => "no such file",
                UnauthorizedAccessException when Directory.Exists(path) => "a directory, not a GGUF file",
                _ => e.Message,
            };
            throw new SiloException($"{path}: {cause}", e);
        }
    }

    /// <summary>The tensor's first byte. Valid until the file is disposed.</summary>
    internal byte* Data(GgufTensor tensor)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return _start + tensor.Offset;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _mapping.Dispose();
    }
}
