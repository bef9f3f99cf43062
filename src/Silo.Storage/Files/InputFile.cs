using System.Text;
using Silo.Core;

namespace Silo.Storage.Files;

/// <summary>Opens files that a user named, and words what is wrong with them: file, line, cause.</summary>
public static class InputFile
{
    /// <summary>UTF-8 without a mark, which refuses invalid bytes.</summary>
    internal static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Opens a file for sequential reading.</summary>
    /// <exception cref="SiloException">It does not exist, is a directory, or may not be read.</exception>
    public static FileStream Open(string path)
    {
        try
        {
            if (Directory.Exists(path)) throw Error(path, "is a directory, not a file");
            return new FileStream(path, new FileStreamOptions
            {
                Mode = FileMode.Open,
                Access = FileAccess.Read,
                Share = FileShare.ReadWrite,
                Options = FileOptions.SequentialScan,
                BufferSize = 1 << 16,
            });
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw Error(path, "no such file");
        }
        catch (UnauthorizedAccessException)
        {
            throw Error(path, "may not be read (permission denied)");
        }
        catch (Exception e) when (e is IOException or ArgumentException or NotSupportedException)
        {
            throw Error(path, $"cannot be opened: {e.Message}");
        }
    }

    /// <summary>Reads a whole text file in UTF-8 (or as its byte-order mark says).</summary>
    /// <param name="path">The file.</param>
    /// <param name="limit">Most bytes it may have.</param>
    /// <exception cref="SiloException">It cannot be read, is too long, or is not valid UTF-8.</exception>
    public static string ReadText(string path, long limit = 1L << 30)
    {
        using var stream = Open(path);
        try
        {
            if (stream.CanSeek && stream.Length > limit) throw Error(path, $"is longer than {limit} bytes");
            using var reader = new StreamReader(stream, Utf8);
            return reader.ReadToEnd();
        }
        catch (DecoderFallbackException)
        {
            throw Error(path, "is not valid UTF-8 text");
        }
        catch (IOException e)
        {
            throw Error(path, $"cannot be read: {e.Message}");
        }
    }

    /// <summary>The error that names a file and a cause.</summary>
    public static SiloException Error(string path, string cause) => new(OneLine($"{path}: {cause}"));

    /// <summary>The error that names a file, a 1-based line and a cause.</summary>
    public static SiloException Error(string path, long line, string cause) => new(OneLine($"{path}:{line}: {cause}"));

    /// <summary>A piece of a user's data as an error message shows it: quoted, on one line, at most 40 characters.</summary>
    public static string Quote(string value) => OneLine(value.Length > 40 ? $"\"{value.AsSpan(0, 40)}…\"" : $"\"{value}\"");

    private static string OneLine(string message) => string.Create(message.Length, message, static (line, text) =>
    {
        for (var i = 0; i < text.Length; i++) line[i] = char.IsControl(text[i]) ? '\uFFFD' : text[i];
    });
}
