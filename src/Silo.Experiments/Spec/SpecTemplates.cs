namespace Silo.Experiments.Spec;

/// <summary>Designs to start from.</summary>
public static class SpecTemplates
{
    /// <summary>Their names.</summary>
    public static IReadOnlyList<string> Names { get; } = ["before-and-after"];

    /// <summary>
    /// The design of "Before and After Temperature" (arXiv 2606.01451): temperatures .3, .8 and 1.5, one text each,
    /// the whole distribution sampled, the top 200 logits captured.
    /// </summary>
    /// <param name="prompts">The prompts.</param>
    public static ExperimentSpec BeforeAndAfter(IReadOnlyList<Prompt> prompts) => new() { Name = "before-and-after", Prompts = prompts };
}
