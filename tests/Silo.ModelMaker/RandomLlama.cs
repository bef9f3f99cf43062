using Silo.Models.Gguf;
using Silo.Models.Tests.Gguf.Llama;

namespace Silo.ModelMaker;

/// <summary>A llama model of random weights with the storyteller's vocabulary, which is cut or filled up to any size.</summary>
internal static class RandomLlama
{
    /// <summary>The model's description; its <see cref="TinyLlama.File"/> is a GGUF file.</summary>
    /// <param name="shape">Sizes; the vocabulary holds at least the 259 tokens of bytes and control.</param>
    public static TinyLlama With(TinyLlama shape)
    {
        using var storyteller = GgufFile.Open(Path.Combine(AppContext.BaseDirectory, "storyteller.gguf"));
        var metadata = storyteller.Metadata;
        T[] Sized<T>(T[] known, Func<int, T> filled) =>
            [.. known.Take(shape.Vocabulary), .. Enumerable.Range(0, Math.Max(0, shape.Vocabulary - known.Length)).Select(filled)];
        return shape with
        {
            Keys = new Dictionary<string, object>(shape.Keys)
            {
                ["tokenizer.ggml.tokens"] = Sized(metadata.Texts("tokenizer.ggml.tokens"), i => $"<filled {i}>"),
                ["tokenizer.ggml.scores"] = Sized(metadata.Reals("tokenizer.ggml.scores"), i => -10_000f - i),
                ["tokenizer.ggml.token_type"] = Sized([.. metadata.Wholes("tokenizer.ggml.token_type").Select(type => (int)type)], _ => 1),
            },
        };
    }
}
