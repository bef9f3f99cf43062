using Silo.Cluster.Contracts;
using Silo.Core;

namespace Silo.Cluster.Tests.Contracts;

public class KeysTests
{
    [Theory]
    [InlineData("p1"), InlineData("b_c"), InlineData("b/c"), InlineData("%5F"), InlineData("火の鳥"), InlineData("."), InlineData("a\0b")]
    public void A_prompts_id_is_read_back_from_its_key(string id)
    {
        var key = Keys.Prompt("e", id);
        Assert.Equal(("e", id), (Keys.ExperimentOf(key), Keys.PromptIdOf(key)));
        Assert.DoesNotContain('_', key);
    }

    [Fact]
    public void Keys_differ_in_stores_that_write_a_slash_as_an_underscore()
    {
        string[] parts = ["a", "a_b", "b", "c", "b_c", "_", "a_"];
        var keys = parts.Where(e => e != "_").SelectMany(e => parts.Select(p => Keys.Prompt(e, p).Replace('/', '_'))).ToArray();
        Assert.Equal(keys.Length, keys.Distinct(StringComparer.Ordinal).Count());
    }

    [Fact]
    public void Ids_that_are_no_text_are_refused()
    {
        // Half a surrogate pair cannot stand in an attribute.
        foreach (var id in (string[])["", ((char)0xD800).ToString(), (char)0xDC00 + "x"])
            Assert.Throws<SiloException>(() => Keys.Prompt("e", id));
    }

    [Fact]
    public void Ids_that_no_store_could_hold_are_refused()
    {
        Assert.Equal(2 + 384, Keys.Prompt("e", new string('é', 64)).Length);
        Assert.Contains("takes 390 characters in a key", Assert.Throws<SiloException>(() => Keys.Prompt("e", new string('é', 65))).Message, StringComparison.Ordinal);
        Assert.Throws<SiloException>(() => Keys.Prompt("e", new string('x', 201)));
    }

    /// <summary>ADO.NET stores take a key of hexadecimal digits for a number.</summary>
    [Theory]
    [InlineData("01"), InlineData("00"), InlineData("0abc"), InlineData("00000000000000000000000000000001")]
    public void Numbers_have_one_spelling(string id) => Assert.Throws<SiloException>(() => Keys.Experiment(id));

    [Theory]
    [InlineData("0"), InlineData("1"), InlineData("abc"), InlineData("0x1"), InlineData("0-1"), InlineData("2026.05")]
    public void Other_experiments_are_called_as_they_like(string id) => Assert.Equal(id, Keys.Experiment(id));
}
