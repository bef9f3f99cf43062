namespace Silo.EndToEnd.Runs;

/// <summary>An experiment of some seconds with the small test model.</summary>
internal static class SmallSpec
{
    /// <summary>Its texts: 20 prompts, 3 temperatures, 2 samples: more than the engine's batch holds.</summary>
    public const int Texts = 120;

    /// <summary>Its file.</summary>
    public const string Json = """
        {
          "name": "small",
          "seed": 7,
          "prompts": [
            { "id": "a", "text": "Once upon a time" }, { "id": "b", "text": "The dog" }, { "id": "c", "text": "Lily saw" },
            { "id": "d", "text": "One day, Tim" }, { "id": "e", "text": "There was a big" }, { "id": "f", "text": "Mom said" },
            { "id": "g", "text": "In the park" }, { "id": "h", "text": "A bird" }, { "id": "i", "text": "The sun" }, { "id": "j", "text": "" },
            { "id": "k", "text": "Ben had" }, { "id": "l", "text": "The cat" }, { "id": "m", "text": "At night" }, { "id": "n", "text": "A little boy" },
            { "id": "o", "text": "She wanted" }, { "id": "p", "text": "They went" }, { "id": "q", "text": "He found" }, { "id": "r", "text": "It was cold" },
            { "id": "s", "text": "\"No!\"" }, { "id": "t", "text": "The end" }
          ],
          "temperatures": [0.3, 0.8, 1.5],
          "samples": 2,
          "max_tokens": 80
        }
        """;

    /// <summary>The model; skips the running test where it is absent.</summary>
    public static string Model => Shared.Path("models/stories260k/stories260K-f32.gguf");

    /// <summary>The command line that runs it in a directory below a folder.</summary>
    public static string[] Command(TemporaryFolder folder, string run)
    {
        var file = folder["small.json"];
        if (!File.Exists(file)) File.WriteAllText(file, Json);
        return ["run", file, "--model", Model, "--out", folder[run], "--json"];
    }

    /// <summary>The same with a thousand prompts: whatever a test does to it comes before its end, however busy the machine.</summary>
    public static string[] LongCommand(TemporaryFolder folder, string run)
    {
        folder.Write("prompts.txt", string.Concat(Enumerable.Range(1, 1000).Select(i => $"Once upon a time {i}\n")));
        var file = folder.Write("long.json", """{ "name": "long", "prompts": "prompts.txt", "max_tokens": 40 }""");
        return ["run", file, "--model", Model, "--out", folder[run], "--json"];
    }
}
