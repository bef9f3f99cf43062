using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Silo.Experiments.Board;
using Silo.Experiments.Generation;
using Silo.Experiments.Spec;
using Silo.Reporting.Build;
using Silo.Reporting.Page;
using Silo.Reporting.Tests.Synthetic;
using Silo.Reporting.Texts;

namespace Silo.Reporting.Tests.Page;

public class HtmlReportTests
{
    private static readonly ReportSource s_source = SyntheticRun.Source(prompts: 6, tokens: 20);

    [Fact]
    public void The_nine_parts_stand_in_their_order()
    {
        var ids = Regex.Matches(Write(s_source), "<section id=\"([a-z]+)\"").Select(m => m.Groups[1].Value);

        Assert.Equal(["verdict", "measures", "temperature", "mass", "pairs", "running", "raters", "texts", "how"], ids);
    }

    [Fact]
    public void The_policy_allows_exactly_its_own_style_and_script()
    {
        var html = Write(s_source);
        var policy = Regex.Match(html, "Content-Security-Policy\" content=\"([^\"]+)\"").Groups[1].Value;
        string Hash(string element) => "sha256-" + Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(Regex.Match(html, $"<{element}>(.*?)</{element}>", RegexOptions.Singleline).Groups[1].Value)));

        Assert.Equal($"default-src 'none'; style-src '{Hash("style")}'; script-src '{Hash("script")}'; base-uri 'none'; form-action 'none'", policy);
    }

    [Fact]
    public void Nothing_leads_out_of_the_page_but_its_tables()
    {
        var html = Write(s_source);

        Assert.All(Regex.Matches(html, "(?:href|src)=\"([^\"]*)\"").Select(m => m.Groups[1].Value), target => Assert.Matches("^(#[a-zA-Z0-9_-]+|tables/[a-z_]+\\.csv)$", target));
        Assert.DoesNotMatch(" style=\"| on[a-z]+=\"|@import|url\\((?!#)", html);
    }

    [Fact]
    public void Every_link_within_the_page_has_its_place_and_no_id_stands_twice()
    {
        var html = Write(s_source);
        var ids = Regex.Matches(html, " id=\"([^\"]+)\"").Select(m => m.Groups[1].Value).ToList();

        Assert.Equal(ids.Count, ids.Distinct().Count());
        Assert.Subset(ids.ToHashSet(), Regex.Matches(html, "href=\"#([^\"]+)\"").Select(m => m.Groups[1].Value).ToHashSet());
    }

    [Fact]
    public void Few_prompts_are_said_to_be_few()
    {
        // What 2 T(1.96 sqrt((n - 1) / n)) - 1 is for Student's T with n - 1 degrees of freedom, by SciPy; a simulation of
        // 1,500 bootstraps of 5 and of 10 normal values gave .84 and .89.
        Assert.Equal(0.8455, VerdictSection.Coverage(5, 0.95), 1e-4);
        Assert.Equal(0.9041, VerdictSection.Coverage(10, 0.95), 1e-4);
        Assert.Contains("6 prompts are few for a bootstrap.", Write(s_source), StringComparison.Ordinal);
        Assert.DoesNotContain("few for a bootstrap", Write(SyntheticRun.Source(prompts: 20, tokens: 20)), StringComparison.Ordinal);
    }

    [Fact]
    public void The_same_source_gives_the_same_bytes() => Assert.Equal(Write(s_source), Write(s_source));

    [Fact]
    public void The_verdict_names_counts_gold_and_that_a_heuristic_is_no_person()
    {
        var heuristic = Write(SyntheticRun.Source(prompts: 6, tokens: 20, people: false));

        Assert.Matches("Of 38 primary measures, [0-9]+ ranks? these texts better than knowing the temperature alone", heuristic);
        Assert.Contains("(gold: heuristic judge, which is no person)", heuristic, StringComparison.Ordinal);
        Assert.Contains("One rater only (the heuristic judge, which is no person)", heuristic, StringComparison.Ordinal);
    }

    [Fact]
    public void An_undecided_measure_says_how_many_more_prompts_a_decision_takes()
    {
        var gold = s_source.Board.Golds[0];
        var results = s_source.Board.Results.Select(r => r.Gold == gold.Name && r.Feature == "leak.mean"
            ? r with { Verdict = Verdict.Undecided, PromptsNeeded = gold.NRated + 310, RhoWithin = -1 }
            : r with { PromptsNeeded = null }).ToList();

        Assert.Contains("Deciding on leak.mean, the strongest of the undecided, would take about 310 more prompts", Write(s_source with { Board = s_source.Board with { Results = results } }), StringComparison.Ordinal);
    }

    [Fact]
    public void A_measure_declared_lower_is_shown_negated_with_a_minus_before_its_name()
    {
        var gold = s_source.Board.Golds[0].Name;
        var leak = s_source.Board.Results.Single(r => r.Gold == gold && r.Feature == "leak.mean");
        var row = Regex.Match(Write(s_source), "<tr id=\"m0-family-[0-9]+\"><th scope=\"row\">\u2212leak\\.mean</th>(.*?)</tr>").Groups[1].Value;

        Assert.Equal("lower", leak.Direction);
        Assert.Contains($"<td class=\"n\">{Numbers.Rho(-leak.RhoWithin, leak.Ci)}</td>", row, StringComparison.Ordinal);
        Assert.Contains($"<td class=\"n\">{Numbers.Range(new(-leak.Ci!.Value.Upper, -leak.Ci.Value.Lower))}</td>", row, StringComparison.Ordinal);
    }

    [Fact]
    public void A_run_with_nothing_in_it_has_a_page()
    {
        var nothing = s_source with
        {
            Generations = [],
            Ranks = [],
            Traces = new Dictionary<GenerationKey, TokenTrace>(),
            Details = new Dictionary<GenerationKey, IReadOnlyList<TokenDetail>>(),
            Digest = "",
            Board = new CorrelationBoard(new BoardDesign { Measures = s_source.Catalog.Measures }).Read(),
        };

        var html = Write(nothing);

        Assert.Contains("Nothing is ranked yet", html, StringComparison.Ordinal);
        Assert.Contains("not finished: no digest yet", html, StringComparison.Ordinal);
        Assert.Equal(9, Regex.Count(html, "<section id="));
    }

    [Fact]
    public void Without_traces_and_model_texts_are_shown_whole_and_the_page_says_why()
    {
        var html = Write(s_source with { Traces = new Dictionary<GenerationKey, TokenTrace>(), Details = new Dictionary<GenerationKey, IReadOnlyList<TokenDetail>>() });

        Assert.Contains("Token traces were not kept for some of these texts", html, StringComparison.Ordinal);
        Assert.Contains("Steps were not replayed for this page", html, StringComparison.Ordinal);
        Assert.Contains(s_source.Generations[0].Text[..40].Replace("'", "&#39;", StringComparison.Ordinal), html, StringComparison.Ordinal);
    }

    [Fact]
    public void Ten_thousand_texts_make_no_larger_page_than_they_need()
    {
        var spec = s_source.Spec with { Prompts = [.. Enumerable.Range(0, 3334).Select(i => new Prompt($"p{i}", "Once"))] };
        var template = s_source.Generations.Take(3).ToList();
        var records = spec.Prompts.SelectMany(p => template.Select(r => r with { Key = r.Key with { Prompt = p.Id } })).ToList();
        var many = s_source with { Spec = spec, SpecFile = "{}", Generations = records, Traces = new Dictionary<GenerationKey, TokenTrace>(), Details = new Dictionary<GenerationKey, IReadOnlyList<TokenDetail>>() };

        var html = Write(many);

        Assert.Contains("18 of 10,002 texts are shown: 6 of 3,334 prompts, evenly spaced", html, StringComparison.Ordinal);
        Assert.InRange(html.Length, 0, 4_000_000);
    }

    [Fact]
    public void Hostile_strings_end_no_element_wherever_they_stand()
    {
        const string Hostile = "</script></style></title><script>alert(1)</script>%%main%%\u202E";
        var board = s_source.Board with { Golds = [.. s_source.Board.Golds.Select(g => g with { Name = Hostile + g.Name })], Results = [.. s_source.Board.Results.Select(r => r with { Gold = Hostile + r.Gold, Feature = r.Feature + Hostile, Reason = Hostile })] };
        var html = Write(s_source with
        {
            Board = board,
            Model = Hostile,
            Engine = Hostile,
            SpecFile = Hostile,
            Commands = [Hostile],
            Versions = [new(Hostile, Hostile)],
            Failures = [new(Hostile, 1, [Hostile])],
            Spec = s_source.Spec with { Name = Hostile },
            Ranks = [.. s_source.Ranks.Select(r => r with { Rater = r.Rater + Hostile })],
        });

        Assert.Equal(2, Regex.Count(html, "<script"));
        Assert.Equal(2, Regex.Count(html, "</script"));
        Assert.Equal(1, Regex.Count(html, "</style"));
        Assert.Equal(1, Regex.Count(html, "<main"));
        Assert.DoesNotContain('\u202E', html);
    }

    private static string Write(ReportSource source)
    {
        using var stream = new MemoryStream();
        HtmlReport.Write(ReportBuilder.Build(source), stream);
        return Encoding.UTF8.GetString(stream.ToArray());
    }
}
