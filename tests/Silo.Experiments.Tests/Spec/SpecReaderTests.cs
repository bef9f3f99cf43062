using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using Silo.Core;
using Silo.Experiments.Generation;
using Silo.Experiments.Spec;

namespace Silo.Experiments.Tests.Spec;

public class SpecReaderTests
{
    private static readonly JsonElement s_schema = JsonElement.Parse(SpecReader.Schema);

    [Theory]
    [InlineData("""{""", "s.json: line 1, byte 2: no valid JSON")]
    [InlineData("{\n \"prompts\": [NaN]}", "s.json: line 2, byte 14: no valid JSON")]
    [InlineData("""[]""", "s.json: expected an object, found an array")]
    [InlineData("""{}""", "s.json: prompts: missing; expected an array of prompts or the path of a .txt or .jsonl file")]
    [InlineData("""{"prompts":[]}""", "s.json: prompts: expected at least one prompt, found none")]
    [InlineData("""{"prompts":7}""", "s.json: prompts: expected an array of prompts or the path of a .txt or .jsonl file, found 7")]
    [InlineData("""{"prompts":"p.csv"}""", "s.json: prompts: expected an array of prompts or the path of a .txt or .jsonl file, found \"p.csv\"")]
    [InlineData("""{"prompts":["a"],"temprature":[1]}""", "s.json: unknown key \"temprature\"; known are $schema, name, seed, model, prompts, temperatures, samples, max_tokens, sampler, capture_k, reference_temperatures, primary_measures, traces, gold")]
    [InlineData("""{"prompts":["a"],"seed":1,"seed":2}""", "s.json: seed: given twice")]
    [InlineData("""{"prompts":["a"],"temperatures":[0.3,-1]}""", "s.json: temperatures[1]: expected a temperature: a number greater than 0, at most 1000, found -1")]
    [InlineData("""{"prompts":["a"],"temperatures":[0]}""", "s.json: temperatures[0]: expected a temperature: a number greater than 0, at most 1000, found 0")]
    [InlineData("""{"prompts":["a"],"temperatures":["NaN"]}""", "s.json: temperatures[0]: expected a temperature: a number greater than 0, at most 1000, found \"NaN\"")]
    [InlineData("""{"prompts":["a"],"temperatures":[1e999]}""", "s.json: temperatures[0]: expected a temperature: a number greater than 0, at most 1000, found 1e999")]
    [InlineData("""{"prompts":["a"],"temperatures":[]}""", "s.json: temperatures: expected at least one temperature, found none")]
    [InlineData("""{"prompts":["a"],"temperatures":[0.8,0.80]}""", "s.json: temperatures[1]: 0.8 is given twice")]
    [InlineData("""{"prompts":["a"],"samples":0}""", "s.json: samples: expected a whole number from 1 to 10000, found 0")]
    [InlineData("""{"prompts":["a"],"max_tokens":2.5}""", "s.json: max_tokens: expected a whole number from 1 to 1000000, found 2.5")]
    [InlineData("""{"prompts":["a"],"seed":-1}""", "s.json: seed: expected a whole number from 0 to 18446744073709551615, found -1")]
    [InlineData("""{"prompts":["a"],"name":"../x"}""", "s.json: name: expected a name of at most 100 letters, digits, '.', '_', '-', beginning with a letter or digit, found \"../x\"")]
    [InlineData("""{"prompts":["a"],"sampler":{"top_p":0}}""", "s.json: sampler.top_p: expected a number greater than 0, at most 1, found 0")]
    [InlineData("""{"prompts":["a"],"sampler":{"order":"first"}}""", "s.json: sampler.order: expected \"before_truncation\" or \"after_truncation\", found \"first\"")]
    [InlineData("""{"prompts":["a"],"traces":true}""", "s.json: traces: expected \"none\" or \"own\" or \"all\", found true")]
    [InlineData("""{"prompts":["a"],"gold":{"ranks":["r.csv","r.csv"]}}""", "s.json: gold.ranks[1]: given twice")]
    [InlineData("""{"prompts":[{"id":"x","text":"a"},{"id":"x","text":"b"}]}""", "s.json: prompts[1]: this id is given twice")]
    [InlineData("""{"prompts":[{"id":"p2","text":"a"},"b"]}""", "s.json: prompts[1]: this id is given twice")]
    [InlineData("""{"prompts":[{"id":"","text":"a"}]}""", "s.json: prompts[0].id: expected an id: a string that is not empty, found \"\"")]
    [InlineData("""{"prompts":[{"id":"x"}]}""", "s.json: prompts[0]: text: missing; expected the prompt's text")]
    [InlineData("""{"prompts":[null]}""", "s.json: prompts[0]: expected a string or an object with id and text, found null")]
    [InlineData("""{"prompts":["\ud800"]}""", "s.json: prompts[0]: holds half of a surrogate pair, which is no text")]
    [InlineData("""{"prompts":["a"],"reference_temperatures":[1.5,[]]}""", "s.json: reference_temperatures[1]: expected a temperature: a number greater than 0, at most 1000, found an array")]
    public void What_is_wrong_is_said_in_one_line_with_the_place(string json, string expected) =>
        Assert.Equal(expected, Assert.Throws<SiloException>(() => SpecReader.Parse(json, "s.json")).Message);

    [Fact]
    public void Everything_but_the_prompts_has_a_default_and_the_schema_names_it()
    {
        var spec = SpecReader.Parse("""{"prompts":["", "b"]}""", "s.json");
        Assert.Equal([new Prompt("p1", ""), new Prompt("p2", "b")], spec.Prompts);
        using var written = JsonDocument.Parse(SpecWriter.Write(spec));
        foreach (var property in s_schema.GetProperty("properties").EnumerateObject())
            CheckDefault(property.Value, written.RootElement, property.Name);

        static void CheckDefault(JsonElement schema, JsonElement parent, string name)
        {
            if (schema.TryGetProperty("default", out var expected))
                Assert.True(JsonElement.DeepEquals(expected, parent.GetProperty(name)), $"{name}: {expected} in the schema, {parent.GetProperty(name)} in the spec");
            if (!schema.TryGetProperty("properties", out var inner)) return;
            foreach (var property in inner.EnumerateObject()) CheckDefault(property.Value, parent.GetProperty(name), property.Name);
        }
    }

    [Fact]
    public void A_spec_is_written_as_it_is_read()
    {
        const string Json = """
            {"$schema":"x","name":"n.1","seed":18446744073709551615,"model":"m.gguf","prompts":[{"id":"x","text":"a\u0000\"\n"},"b"],"temperatures":[1.5,0.3],
            "samples":2.0,"max_tokens":5e1,"sampler":{"top_k":40,"top_p":0.9,"min_p":0.05,"order":"after_truncation"},"capture_k":50,
            "reference_temperatures":[],"primary_measures":["leak.mean"],"traces":"all","gold":{"heuristic_judge":false,"ranks":["r.csv"]}}
            """;
        var spec = SpecReader.Parse(Json, "s.json");
        Assert.Equal(new SamplerOptions { TopK = 40, TopP = 0.9, MinP = 0.05, Order = TemperatureOrder.AfterTruncation }, spec.Sampler);
        Assert.Equal((2, 50, ulong.MaxValue, TraceKeeping.All), (spec.Samples, spec.MaxTokens, spec.Seed, spec.Traces));
        var again = SpecReader.Parse(SpecWriter.Write(spec), "again.json");
        Assert.Equal(SpecIdentity.Of(spec), SpecIdentity.Of(again));
        Assert.Equal(SpecWriter.Write(spec), SpecWriter.Write(again));
        Assert.Equal("m.gguf", again.Model);
    }

    [Fact]
    public void The_published_schema_and_the_reader_accept_the_same_files()
    {
        // Values that are right in some places and wrong in others, put into every place.
        string[] values =
        [
            "0", "1", "2.0", "1.5", "-1", "0.5", "1000", "1000.5", "10001", "1000001", "2147483648", "18446744073709551616", "true", "null", "\"\"", "\"a\"", "\"own\"",
            "\"before_truncation\"", "\"../a\"", "\"p.txt\"", "\"p.JSONL\"", "[]", "[1]", "[1,1]", "[1,2]", "[0]", "[\"a\"]", "[\"a\",\"a\"]", "[\"\"]", "{}",
            "[{\"text\":\"a\"}]", "[{\"id\":\"a\"}]", "[{\"id\":\"\",\"text\":\"\"}]", "[{\"text\":\"a\",\"x\":1}]", "{\"top_k\":3}", "{\"top_p\":1}", "{\"top_p\":0}", "{\"min_p\":0}", "{\"min_p\":1}",
            "{\"order\":\"after_truncation\"}", "{\"heuristic_judge\":false}", "{\"ranks\":[\"a\"]}", "{\"ranks\":[1]}", "{\"x\":1}",
        ];
        string[] keys = [.. s_schema.GetProperty("properties").EnumerateObject().Select(p => p.Name), "unknown"];
        var accepted = 0;
        foreach (var key in keys)
            foreach (var value in values)
                accepted += Agree(key == "prompts" ? $$"""{"prompts":{{value}}}""" : $$"""{"prompts":["a"],"{{key}}":{{value}}}""") ? 1 : 0;
        Assert.InRange(accepted, 40, keys.Length * values.Length / 2);

        var member = from key in Gen.Elements(keys) from value in Gen.Elements(values) select $"\"{key}\":{value}";
        Prop.ForAll(member.ArrayOf().ToArbitrary(), members =>
        {
            // A key that is given twice is valid to a schema; the reader refuses it.
            Agree($"{{{string.Join(",", members.DistinctBy(m => m.Split(':')[0]))}}}");
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Whatever_text_is_given_it_is_read_or_refused_in_one_line() =>
        Prop.ForAll(Gen.Elements("{", "}", "[", "]", ",", ":", "\"", "prompts", "\"a\"", "1e9", "-", "null", "\\u", "\n", "\0", "é").ArrayOf().ToArbitrary(), parts =>
        {
            try
            {
                SpecReader.Parse(string.Concat(parts), "s.json");
            }
            catch (SiloException e)
            {
                Assert.StartsWith("s.json: ", e.Message, StringComparison.Ordinal);
                Assert.DoesNotContain('\n', e.Message);
            }
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(1_000));

    private static bool Agree(string json)
    {
        using var document = JsonDocument.Parse(json);
        var bySchema = SchemaChecker.Accepts(s_schema, document.RootElement);
        string? error = null;
        try
        {
            SpecReader.Parse(json, "s.json");
        }
        catch (SiloException e)
        {
            error = e.Message;
        }
        Assert.True(bySchema == (error is null), $"{json}: the schema says {bySchema}, the reader {error ?? "nothing"}");
        return bySchema;
    }
}
