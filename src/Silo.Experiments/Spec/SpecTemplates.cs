namespace Silo.Experiments.Spec;

/// <summary>Designs to start from, as files to edit.</summary>
public static class SpecTemplates
{
    /// <summary>Their names.</summary>
    public static IReadOnlyList<string> Names { get; } = ["before-and-after"];

    /// <summary>
    /// The design of "Before and After Temperature" (arXiv 2606.01451): temperatures .3, .8 and 1.5, one text each,
    /// the whole distribution sampled, the top 200 logits captured. Model and prompts are the embedded ones.
    /// </summary>
    /// <param name="prompts">Path of the prompts file.</param>
    public static ExperimentSpec BeforeAndAfter(string prompts) => new() { Name = "before-and-after", PromptsFile = prompts };
}
