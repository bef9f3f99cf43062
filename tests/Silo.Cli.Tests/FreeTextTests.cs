namespace Silo.Cli.Tests;

public class FreeTextTests
{
    [Theory]
    [InlineData("tokenize --text|tokenize --text")]
    [InlineData("tokenize --text=|tokenize --text ")]
    [InlineData("generate --prompt -- --json|generate --prompt=-- --json")]
    [InlineData("generate --prompt --text --text x|generate --prompt=--text --text=x")]
    [InlineData("generate --prompt=a=b --seed 1|generate --prompt=a=b --seed 1")]
    [InlineData("x -- --text y|x -- --text y")]
    [InlineData("x --texts y|x --texts y")]
    public void The_value_of_a_free_text_option_is_bound_to_it(string cases)
    {
        var (given, expected) = (cases.Split('|')[0], cases.Split('|')[1]);
        Assert.Equal(expected.Split(' '), FreeText.Protect(given.Split(' ')));
    }
}
