using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Silo.Core;
using Silo.Experiments.Generation;

namespace Silo.Experiments.Spec;

/// <summary>
/// Reads an experiment from JSON (published schema: <c>experiment.schema.json</c>) and checks it. What is wrong is said
/// in one line that names file, JSON place and what was expected.
/// </summary>
public static partial class SpecReader
{
    /// <summary>Highest temperature and reference temperature.</summary>
    public const double HighestTemperature = 1000;

    /// <summary>The published JSON Schema.</summary>
    public static string Schema
    {
        get
        {
            using var stream = typeof(SpecReader).Assembly.GetManifestResourceStream("experiment.schema.json")!;
            using var reader = new StreamReader(stream);
            return reader.ReadToEnd();
        }
    }

    /// <summary>Reads a spec. A prompts file it names is not opened here: see <see cref="PromptList"/>.</summary>
    /// <param name="json">The JSON text.</param>
    /// <param name="file">What errors call the file.</param>
    /// <exception cref="SiloException">The text is no JSON, or no experiment.</exception>
    public static ExperimentSpec Parse(string json, string file)
    {
        using var document = ParseJson(json, file);
        var root = new JsonPlace(file, "", document.RootElement);
        var members = root.Members("$schema", "name", "seed", "model", "prompts", "temperatures", "samples", "max_tokens", "sampler",
            "capture_k", "reference_temperatures", "primary_measures", "traces", "gold");
        var spec = new ExperimentSpec();
        foreach (var (key, value) in members)
            spec = key switch
            {
                "$schema" => Unread(spec, value.Text("the schema's address")),
                "name" => spec with { Name = Name(value) },
                "seed" => spec with { Seed = value.Seed() },
                "model" => spec with { Model = FilePath(value, "the path of a model") },
                "prompts" => Prompts(spec, value),
                "temperatures" => spec with { Temperatures = Temperatures(value, least: 1) },
                "samples" => spec with { Samples = value.Integer(1, 10_000) },
                "max_tokens" => spec with { MaxTokens = value.Integer(1, 1_000_000) },
                "sampler" => spec with { Sampler = Sampler(value) },
                "capture_k" => spec with { CaptureK = value.Integer(1, 1_000_000) },
                "reference_temperatures" => spec with { ReferenceTemperatures = Temperatures(value, least: 0) },
                "primary_measures" => spec with { PrimaryMeasures = Distinct(value, "an array of measure names", "a measure name") },
                "traces" => spec with
                {
                    Traces = value.Choice(("none", TraceKeeping.None), ("own", TraceKeeping.Own), ("all", TraceKeeping.All)),
                },
                _ => spec with { Gold = Gold(value) },
            };
        if (!members.ContainsKey("prompts"))
            throw root.Wrong("prompts: missing; expected an array of prompts or the path of a .txt or .jsonl file");
        return spec;
    }

    internal static JsonDocument ParseJson(string json, string file, int firstLine = 1)
    {
        try
        {
            return JsonDocument.Parse(json);
        }
        catch (JsonException e)
        {
            var place = string.Create(CultureInfo.InvariantCulture, $"line {firstLine + e.LineNumber}, byte {e.BytePositionInLine + 1}");
            throw new SiloException($"{file}: {place}: no valid JSON", e);
        }
    }

    private static ExperimentSpec Unread(ExperimentSpec spec, string _) => spec;

    private static string Name(JsonPlace value)
    {
        const string Expected = "a name of at most 100 letters, digits, '.', '_', '-', beginning with a letter or digit";
        var name = value.Text(Expected);
        return NamePattern().IsMatch(name) ? name : throw value.Expected(Expected);
    }

    private static string FilePath(JsonPlace value, string expected)
    {
        var path = value.Text(expected);
        return path.Length > 0 && !path.Contains('\0') ? path : throw value.Expected(expected);
    }

    private static ExperimentSpec Prompts(ExperimentSpec spec, JsonPlace value)
    {
        if (value.Kind != JsonValueKind.String)
            return spec with { Prompts = PromptList.FromJson(value) };
        const string Expected = "an array of prompts or the path of a .txt or .jsonl file";
        var path = FilePath(value, Expected);
        return PromptList.Knows(path) ? spec with { PromptsFile = path } : throw value.Expected(Expected);
    }

    private static double[] Temperatures(JsonPlace value, int least)
    {
        var temperatures = new List<double>();
        foreach (var item in value.Items("an array of temperatures"))
        {
            var temperature = item.Number("a temperature: a number greater than 0, at most 1000", t => t is > 0 and <= HighestTemperature);
            if (temperatures.Contains(temperature)) throw item.Wrong(string.Create(CultureInfo.InvariantCulture, $"{temperature:R} is given twice"));
            temperatures.Add(temperature);
        }
        return temperatures.Count >= least ? [.. temperatures] : throw value.Wrong("expected at least one temperature, found none");
    }

    private static SamplerOptions Sampler(JsonPlace value)
    {
        var sampler = new SamplerOptions();
        foreach (var (key, member) in value.Members("top_k", "top_p", "min_p", "order"))
            sampler = key switch
            {
                "top_k" => sampler with { TopK = member.Integer(0, int.MaxValue) },
                "top_p" => sampler with { TopP = member.Number("a number greater than 0, at most 1", p => p is > 0 and <= 1) },
                "min_p" => sampler with { MinP = member.Number("a number from 0 to below 1", p => p is >= 0 and < 1) },
                _ => sampler with
                {
                    Order = member.Choice(("before_truncation", TemperatureOrder.BeforeTruncation), ("after_truncation", TemperatureOrder.AfterTruncation)),
                },
            };
        return sampler;
    }

    private static GoldSources Gold(JsonPlace value)
    {
        var gold = new GoldSources();
        foreach (var (key, member) in value.Members("heuristic_judge", "ranks"))
            gold = key == "heuristic_judge"
                ? gold with { HeuristicJudge = member.Truth() }
                : gold with { Ranks = Distinct(member, "an array of paths of ranking files", "the path of a ranking file") };
        return gold;
    }

    private static string[] Distinct(JsonPlace value, string expected, string item)
    {
        var names = new List<string>();
        foreach (var place in value.Items(expected))
        {
            var name = FilePath(place, item);
            if (names.Contains(name)) throw place.Wrong("given twice");
            names.Add(name);
        }
        return [.. names];
    }

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9._-]{0,99}\z", RegexOptions.CultureInvariant)]
    private static partial Regex NamePattern();
}
