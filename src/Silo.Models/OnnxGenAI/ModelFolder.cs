using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Silo.Core;

namespace Silo.Models.OnnxGenAI;

/// <summary>What the folder of a GenAI model says: genai_config.json and the head of its graph, checked.</summary>
internal sealed class ModelFolder
{
    public const string ConfigFile = "genai_config.json";

    private static readonly string[] s_tokenizerFiles =
        ["tokenizer.json", "tokenizer_config.json", "tokenizer.model", "special_tokens_map.json", "added_tokens.json", "vocab.json", "merges.txt", "chat_template.jinja"];

    private readonly JsonElement _config;
    private readonly string _configPath;

    private ModelFolder(string path, JsonElement config)
    {
        (Path, _config, _configPath) = (path, config, System.IO.Path.Combine(path, ConfigFile));
        Name = new DirectoryInfo(path).Name;
        Architecture = Find("model.type").GetString() ?? "unknown";
        VocabularySize = Whole("model.vocab_size", 1, 1 << 24);
        Context = Whole("model.context_length", 1, 1 << 24);
        Layers = Whole("model.decoder.num_hidden_layers", 1, 1 << 12);
        Width = Whole("model.decoder.hidden_size", 1, 1 << 20);
        EndOfText = Find("model.eos_token_id") is { ValueKind: JsonValueKind.Array } list
            ? [.. list.EnumerateArray().Select(id => Id("model.eos_token_id", id))]
            : [Id("model.eos_token_id", Find("model.eos_token_id"))];
        if (EndOfText.Count == 0) throw Fault("model.eos_token_id is empty; at least one id was expected");
        Bos = TryFind("model.bos_token_id") is { ValueKind: JsonValueKind.Number } bos ? Id("model.bos_token_id", bos) : null;
        SharesCache = TryFind("search.past_present_share_buffer") is { ValueKind: JsonValueKind.True };
        Providers = TryFind("model.decoder.session_options.provider_options") is { ValueKind: JsonValueKind.Array } providers
            ? [.. providers.EnumerateArray().Where(p => p.ValueKind == JsonValueKind.Object).SelectMany(p => p.EnumerateObject()).Select(p => p.Name.ToLowerInvariant())]
            : [];
        GraphFile = Text("model.decoder.filename");
        NeedsInside("model.decoder.filename", GraphFile);
        // A model is data. Where it brings native code of its own, the runtime would run that in this process.
        if (Settings().FirstOrDefault(pair => pair.Key.EndsWith("custom_ops_library", StringComparison.Ordinal)) is { Key: { } library, Value: var code })
            throw Fault($"{library} is '{code}': native code that comes with a model is not loaded");
        Graph = OnnxHeader.Read(Inside(GraphFile));
        foreach (var constant in Graph.Constants)
            if (constant.File is { } values) NeedsInside($"the constant {constant.Name} of {GraphFile}", values);

        var heads = Whole("model.decoder.num_key_value_heads", 1, 1 << 14);
        var headSize = Whole("model.decoder.head_size", 1, 1 << 14);
        var cache = Graph.Inputs.Where(input => IsNamed(input.Name, "past_key_names", "past_key_values.%d.key") || IsNamed(input.Name, "past_value_names", "past_key_values.%d.value")).ToList();
        if (cache.Count == 0) throw Fault("no input of the graph is a key/value cache as model.decoder.inputs names them");
        CacheType = cache[0].Type;
        CacheBytesPerToken = cache.Sum(input => (long)heads * headSize * OnnxHeader.BitsOf(input.Type) / 8);
        if (CacheBytesPerToken > 1 << 30) throw Fault($"heads, sizes and layers make {CacheBytesPerToken / 1e9:0.0} GB of cache a token; at most 1 was expected");
        LogitsName = TryFind("model.decoder.outputs.logits")?.GetString() ?? "logits";
        var logits = Graph.Outputs.FirstOrDefault(output => output.Name == LogitsName) ?? throw Fault($"the graph has no output '{LogitsName}'");
        LogitsType = logits.Type;
        // The runtime believes the configuration, and would copy more or less than there is.
        if (logits.Sizes is [_, _, >= 0 and var given] && given != VocabularySize) throw Fault($"model.vocab_size is {VocabularySize}, and the graph gives {given} logits");
        GivesAllLogits = logits.Sizes.Count != 3 || logits.Sizes[1] != 1;
        HiddenStates = [.. Enumerable.Range(0, Layers + 1).Select(i => $"hidden_states.{i}")];
        if (!HiddenStates.All(name => Graph.Outputs.Exists(output => output.Name == name))) HiddenStates = [];
    }

    public string Path { get; }

    public string Name { get; }

    public string Architecture { get; }

    public int VocabularySize { get; }

    public int Context { get; }

    public int Layers { get; }

    public int Width { get; }

    public int? Bos { get; }

    public IReadOnlyList<int> EndOfText { get; }

    /// <summary>Whether past and present key/value cache are one buffer of max_length.</summary>
    public bool SharesCache { get; }

    /// <summary>The execution providers that the folder asks for; none means the CPU.</summary>
    public IReadOnlyList<string> Providers { get; }

    public string GraphFile { get; }

    public OnnxHeader Graph { get; }

    /// <summary>onnx.TensorProto.DataType of the cache.</summary>
    public int CacheType { get; }

    public long CacheBytesPerToken { get; }

    public string LogitsName { get; }

    public int LogitsType { get; }

    /// <summary>Whether a prompt's forward pass gives the logits of every position, or of the last alone.</summary>
    public bool GivesAllLogits { get; }

    /// <summary>Outputs of the residual stream: the embedding, then after each block; empty where the graph lacks one.</summary>
    public IReadOnlyList<string> HiddenStates { get; }

    /// <summary>Weights; of 4-bit blocks each byte holds two.</summary>
    public long Parameters => Graph.Constants.Where(IsWeight).Sum(c => IsPacked(c) ? 2 * c.Count : c.Count);

    /// <summary>The format in which most of the weights lie.</summary>
    public string WeightFormat => Graph.Constants.Where(IsWeight).GroupBy(c => IsPacked(c) ? "int4" : OnnxHeader.NameOf(c.Type)).OrderByDescending(g => g.Sum(c => c.Bytes)).ThenBy(g => g.Key, StringComparer.Ordinal)
        .Select(g => g.Key).FirstOrDefault("unknown");

    /// <summary>Bytes of the graph and of the files that its constants lie in.</summary>
    public long WeightBytes => WeightFiles.Sum(file => new FileInfo(Inside(file)).Length);

    private IEnumerable<string> WeightFiles => Graph.Constants.Select(c => c.File).OfType<string>().Distinct(StringComparer.Ordinal).Prepend(GraphFile);

    /// <summary>Whether a path is such a folder.</summary>
    public static bool IsOne(string path) => File.Exists(System.IO.Path.Combine(path, ConfigFile));

    /// <exception cref="SiloException">A file is missing or contradicts itself; the message names it.</exception>
    public static ModelFolder Open(string path)
    {
        var file = System.IO.Path.Combine(path, ConfigFile);
        try
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(file), new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
            return new ModelFolder(path, json.RootElement.Clone());
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new SiloException($"{file}: not a GenAI configuration: {e.Message.ReplaceLineEndings(" ")}", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SiloException($"{file}: {(e is FileNotFoundException or DirectoryNotFoundException ? "no such file" : e.Message)}", e);
        }
    }

    /// <summary>SHA-256 over the SHA-256 of every file that texts depend on, in the order of their names.</summary>
    /// <exception cref="SiloException">A file cannot be read.</exception>
    public string Digest()
    {
        var files = WeightFiles.Concat(s_tokenizerFiles.Where(name => File.Exists(Inside(name)))).Append(ConfigFile).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal);
        var lines = new StringBuilder();
        foreach (var name in files)
        {
            try
            {
                using var stream = File.OpenRead(Inside(name));
                lines.Append(CultureInfo.InvariantCulture, $"{Convert.ToHexStringLower(SHA256.HashData(stream))}  {name}\n");
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new SiloException($"{Inside(name)}: {e.Message}", e);
            }
        }
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(lines.ToString())));
    }

    public string Inside(string name) => System.IO.Path.Combine(Path, name);

    /// <summary>All settings, as dotted names and texts; a name that occurs twice counts as it is read last.</summary>
    public IEnumerable<KeyValuePair<string, string>> Settings() => Flatten("", _config).GroupBy(pair => pair.Key).Select(same => same.Last());

    private static IEnumerable<KeyValuePair<string, string>> Flatten(string name, JsonElement value) => value.ValueKind == JsonValueKind.Object
        ? value.EnumerateObject().SelectMany(p => Flatten(name.Length == 0 ? p.Name : $"{name}.{p.Name}", p.Value))
        : [KeyValuePair.Create(name, (value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText()).ReplaceLineEndings(" "))];

    private static bool IsWeight(OnnxConstant constant) => constant.Sizes.Count > 0 && constant.Type is 1 or 2 or 3 or 10 or 16 or 21 or 22;

    // MatMulNBits: [outputs, blocks, bytes of a block].
    private static bool IsPacked(OnnxConstant constant) => constant is { Type: 2, Sizes.Count: 3 };

    private bool IsNamed(string name, string setting, string otherwise)
    {
        var parts = (TryFind($"model.decoder.inputs.{setting}")?.GetString() ?? otherwise).Split("%d");
        return parts.Length == 2 && name.StartsWith(parts[0], StringComparison.Ordinal) && name.EndsWith(parts[1], StringComparison.Ordinal)
            && int.TryParse(name.AsSpan(parts[0].Length, Math.Max(0, name.Length - parts[0].Length - parts[1].Length)), NumberStyles.None, CultureInfo.InvariantCulture, out _);
    }

    private JsonElement? TryFind(string name)
    {
        var at = _config;
        foreach (var part in name.Split('.'))
            if (at.ValueKind != JsonValueKind.Object || !at.TryGetProperty(part, out at)) return null;
        return at;
    }

    private JsonElement Find(string name) => TryFind(name) ?? throw Fault($"{name} is missing");

    private string Text(string name) => Find(name) is { ValueKind: JsonValueKind.String } text ? text.GetString()! : throw Fault($"{name} is no text");

    private int Whole(string name, int least, int most)
    {
        var value = Find(name);
        return value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var whole) && whole >= least && whole <= most
            ? whole
            : throw Fault($"{name} is {value}; a whole number from {least} to {most} was expected");
    }

    private int Id(string name, JsonElement value) => value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var id) && id >= 0 && id < VocabularySize
        ? id
        : throw Fault($"{name} is {value}; an id below {VocabularySize} was expected");

    /// <summary>A folder's files lie in it: what a downloaded folder names elsewhere is not read.</summary>
    private void NeedsInside(string what, string name)
    {
        var root = System.IO.Path.GetFullPath(Path);
        if (!System.IO.Path.GetFullPath(System.IO.Path.Combine(root, name)).StartsWith(System.IO.Path.TrimEndingDirectorySeparator(root) + System.IO.Path.DirectorySeparatorChar, StringComparison.Ordinal))
            throw Fault($"{what} names '{name}', which lies outside the folder");
    }

    // What a file holds may be shown, on one line.
    private SiloException Fault(string cause) => new($"{_configPath}: {cause.ReplaceLineEndings(" ")}");
}
