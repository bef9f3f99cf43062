using Silo.Experiments.Campaign;
using Silo.Experiments.Generation;

namespace Silo.Experiments.Tests.Campaign;

public class RunDigestTests
{
    [Fact]
    public void The_digest_is_that_of_an_independent_implementation()
    {
        // Python: per prompt sha256 of len32 id f64 T i32 sample i32 count (i32 tokens, 32 bytes) or i32 -1; then sha256 of those.
        var first = RunDigest.OfPrompt(
        [
            new(new GenerationKey("é", 0.3, 0), new[] { 1, -2, int.MaxValue }, Enumerable.Range(0, 32).Select(i => (byte)i).ToArray()),
            new(new GenerationKey("é", 1.5, 1), default, null),
        ]);
        var second = RunDigest.OfPrompt([new(new GenerationKey("b", 0.8, 0), default, new byte[32])]);
        var digest = RunDigest.OfRun([first, second], ["y", "x", "y"]);
        Assert.Equal("7cd8999de7e4953ca05513cc41b3ec1db215974a79a285b102c078ddb3de29a9", digest.Hex);
        Assert.Equal(["x", "y"], digest.Engines);
    }
}
