using Silo.Reporting.Model;

namespace Silo.Reporting.Page;

/// <summary>Part 9: how it was made, what failed, and how to make it again.</summary>
internal static class HowSection
{
    public static Markup Write(ReportModel model)
    {
        var run = model.Run;
        var method = model.Board.Method;
        var html = new Html().Add(HeaderSection.Open("how")).Add($"<h3>Run it again</h3><pre tabindex=\"0\"><code>{string.Join('\n', run.Commands)}</code></pre><p class=\"soft\">With the managed engine the same spec, model and numeric profile give the same digest: it covers keys, tokens and the bits of all features.</p><h3>What was run</h3><dl class=\"facts\">");
        Fact("Experiment", run.Name);
        Fact("Design", $"{Numbers.Count(run.Prompts, "prompt")}, T in {{{string.Join(", ", run.Temperatures.Select(Numbers.Temperature))}}}, {Numbers.Count(run.Samples, "sample")} each, at most {Numbers.Count(run.MaxTokens, "token")}");
        Fact("Made", $"{Numbers.Count(run.Texts, "text")}, {Numbers.Count(run.Tokens, "token")}");
        Fact("Model", run.Model);
        Fact("Engine and numeric profile", run.Engine);
        Fact("Digest", run.Digest.Length > 0 ? run.Digest : "none: the run is not finished");
        Fact("Seed", $"{run.Seed}");
        Fact("Processors, in order", string.Join(" \u2192 ", run.Processors));
        Fact("p and q", "softmax(z) and softmax(z/T) over the whole row, before any truncation");
        Fact("Captured features", $"top K = {Numbers.Count(run.CaptureK)} logits and the sampled token, renormalised");
        Fact("Reference temperatures", run.ReferenceTemperatures.Count == 0 ? "none" : string.Join(", ", run.ReferenceTemperatures.Select(Numbers.Temperature)));
        Fact("Intervals", $"{Numbers.Mark(100 * method.Level)} %, {method.Bootstrap} bootstrap over prompts, {Numbers.Count(method.Resamples)} resamples, seed {method.Seed}; confidence sequence: empirical Bernstein (Waudby-Smith and Ramdas 2023), in an order drawn from the seed");
        Fact("Verdicts", $"margin {Numbers.Mark(method.Margin)}, Holm over {Numbers.Count(method.PrimaryFamily, "primary measure")}, prompts needed at power {Numbers.Mark(method.Power)}");
        Fact("Ranks without a text", $"{Numbers.Count(model.Board.UnmatchedRanks)}; texts without a rank in ranked prompts: {Numbers.Count(model.Board.UnrankedTexts)}");
        foreach (var version in run.Versions) Fact(version.Name, version.Value);
        html.Add($"</dl><h3>What failed</h3>").Add(Failures(run));
        html.Add($"<h3>Spec</h3><details class=\"numbers\"><summary>The experiment\u2019s file, as it was accepted</summary><pre tabindex=\"0\"><code>{run.Spec}</code></pre></details>");
        html.Add($"<h3>Source</h3><p>Features, aggregates and the design: <i>Before and After Temperature</i>, arXiv 2606.01451. Every measure names its own source in the table of part 2.</p></section>");
        return html.ToMarkup();

        void Fact(string name, string value) => html.Add($"<div><dt>{name}</dt><dd>{value}</dd></div>");
    }

    private static Markup Failures(RunFacts run)
    {
        if (run.Failures.Count == 0) return new Html().Add($"<p>Nothing: every planned text was made.</p>").ToMarkup();
        var table = new TableMarkup("Failures", "reason", "count", "for example");
        foreach (var failure in run.Failures)
            table.Row(null, failure.Reason, Cell.Of(Numbers.Count(failure.Count)), string.Join(", ", failure.Examples));
        return table.Table();
    }
}
