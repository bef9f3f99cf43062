using Silo.Models.Tests.Gguf.Llama;

namespace Silo.Models.Tests.Decoding;

public sealed class ReplayTests
{
    [Fact]
    public async Task A_stored_text_is_measured_again_from_the_logits_it_was_drawn_from()
    {
        using var model = LanguageModels.Open(GoldenLogits.Model("q8_0"));
        await using var engine = new GenerationEngine(model);
        var request = GenerationEngineTests.Request("Once upon a time, there was a little girl", 200, [0.8, 1.5, 0]) with { ReferenceTemperatures = [1] };
        foreach (var text in await engine.GenerateAsync(request, null, TestContext.Current.CancellationToken))
        {
            var trace = new Replay(model).Trace(request.Prompt, text.Tokens, text.Key.Temperature, [1], 200, TestContext.Current.CancellationToken);
            Assert.Equal(text.Trace.Full, trace.Full);
            Assert.Equal(text.Trace.Captured, trace.Captured);
            Assert.Equal(text.Trace.Temperatures, trace.Temperatures);
        }
    }

    [Fact]
    public void A_text_longer_than_the_context_is_measured_to_its_end()
    {
        using var model = LanguageModels.Open(GoldenLogits.Model("f32"));
        var text = string.Concat(Enumerable.Repeat(" Lily and Ben went to the park to play with the big red ball.", 60));
        var replay = new Replay(model);
        var tokens = replay.TokensOf("Once", text);
        Assert.True(tokens.Length > 1000);
        Assert.Equal(text, model.Tokenizer.DecodeContinuation(tokens));
        Assert.Equal(tokens.Length, replay.Trace("Once", tokens, 1, [], 20, TestContext.Current.CancellationToken).Steps);
    }
}
