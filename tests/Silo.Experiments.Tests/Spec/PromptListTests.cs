using Silo.Core;
using Silo.Experiments.Spec;

namespace Silo.Experiments.Tests.Spec;

public class PromptListTests
{
    [Fact]
    public void A_text_file_has_a_prompt_a_line() =>
        Assert.Equal([new Prompt("p1", " one "), new Prompt("p2", "{\"id\":1}")], PromptList.Parse("\uFEFF one \r\n\r\n  \n{\"id\":1}", "p.txt"));

    [Fact]
    public void A_jsonl_file_has_a_string_or_an_object_a_line() =>
        Assert.Equal([new Prompt("p1", "a"), new Prompt("x", "b\n"), new Prompt("p3", "")],
            PromptList.Parse("\"a\"\n\n{\"text\":\"b\\n\",\"id\":\"x\"}\n{\"text\":\"\"}\n", "p.jsonl"));

    [Theory]
    [InlineData("p.txt", " \n", "p.txt: expected at least one prompt, found none")]
    [InlineData("p.jsonl", "", "p.jsonl: expected at least one prompt, found none")]
    [InlineData("p.jsonl", "\"a\"\n{\"text\":", "p.jsonl: line 2, byte 9: no valid JSON")]
    [InlineData("p.jsonl", "\"a\"\n{\"text\":3}", "p.jsonl: line 2: text: expected the prompt's text, found 3")]
    [InlineData("p.jsonl", "{\"id\":\"a\",\"text\":\"\"}\n{\"id\":\"a\",\"text\":\"\"}", "p.jsonl: line 2: this id is given twice")]
    [InlineData("p.jsonl", "{\"prompt\":\"a\"}", "p.jsonl: line 1: unknown key \"prompt\"; known are id, text")]
    public void What_is_wrong_is_said_with_its_line(string file, string content, string expected) =>
        Assert.Equal(expected, Assert.Throws<SiloException>(() => PromptList.Parse(content, file)).Message);
}
