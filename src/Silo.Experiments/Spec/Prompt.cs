namespace Silo.Experiments.Spec;

/// <summary>One prompt of an experiment.</summary>
/// <param name="Id">Unique within the experiment, not empty; ranking files name the prompt by it.</param>
/// <param name="Text">What the model continues. Any string, the empty one too.</param>
public sealed record Prompt(string Id, string Text);
