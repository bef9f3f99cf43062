using System.Text;

namespace Silo.Models.Tests.Gguf;

/// <summary>Writes GGUF files for tests, faulty ones too.</summary>
internal sealed class GgufWriter
{
    private readonly List<byte> _keys = [], _tensors = [];
    private ulong _keyCount, _tensorCount;

    public void Key(string name, object value)
    {
        switch (value)
        {
            case string text: Raw(name, 8, w => Text(w, text)); break;
            case uint whole: Raw(name, 4, w => w.Write(whole)); break;
            case float real: Raw(name, 6, w => w.Write(real)); break;
            case bool flag: Raw(name, 7, w => w.Write(flag)); break;
            case string[] texts: Raw(name, 9, w => { w.Write(8u); w.Write((ulong)texts.Length); foreach (var t in texts) Text(w, t); }); break;
            case float[] reals: Raw(name, 9, w => { w.Write(6u); w.Write((ulong)reals.Length); foreach (var r in reals) w.Write(r); }); break;
            case int[] wholes: Raw(name, 9, w => { w.Write(5u); w.Write((ulong)wholes.Length); foreach (var i in wholes) w.Write(i); }); break;
            default: throw new ArgumentException("no such type", nameof(value));
        }
    }

    public void Raw(string name, uint type, Action<BinaryWriter> value)
    {
        Append(_keys, w =>
        {
            Text(w, name);
            w.Write(type);
            value(w);
        });
        _keyCount++;
    }

    public void Tensor(string name, ulong[] sizes, uint type, ulong offset)
    {
        Append(_tensors, w =>
        {
            Text(w, name);
            w.Write((uint)sizes.Length);
            foreach (var size in sizes) w.Write(size);
            w.Write(type);
            w.Write(offset);
        });
        _tensorCount++;
    }

    public byte[] File(int dataBytes) => File(new byte[dataBytes]);

    public byte[] File(byte[] data)
    {
        using var file = new MemoryStream();
        using var w = new BinaryWriter(file);
        w.Write("GGUF"u8);
        w.Write(3u);
        w.Write(_tensorCount);
        w.Write(_keyCount);
        w.Write(_keys.ToArray());
        w.Write(_tensors.ToArray());
        while (file.Length % 32 != 0) w.Write((byte)0);
        w.Write(data);
        return file.ToArray();
    }

    private static void Append(List<byte> to, Action<BinaryWriter> write)
    {
        using var buffer = new MemoryStream();
        using var w = new BinaryWriter(buffer);
        write(w);
        to.AddRange(buffer.ToArray());
    }

    private static void Text(BinaryWriter w, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        w.Write((ulong)bytes.Length);
        w.Write(bytes);
    }
}
