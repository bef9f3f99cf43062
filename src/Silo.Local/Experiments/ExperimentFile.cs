using Silo.Core;
using Silo.Experiments.Measures;
using Silo.Experiments.Spec;
using Silo.Storage.Files;

namespace Silo.Local.Experiments;

/// <summary>An experiment with all that it names found: its prompts read, its paths resolved.</summary>
/// <param name="Spec">The spec, with its prompts.</param>
/// <param name="ModelPath">The model's file.</param>
/// <param name="RankFiles">The ranking files.</param>
public sealed record ExperimentFile(ExperimentSpec Spec, string ModelPath, IReadOnlyList<string> RankFiles)
{
    /// <summary>The model that comes with Silo.</summary>
    public static string EmbeddedModel => Path.Combine(AppContext.BaseDirectory, "storyteller.gguf");

    /// <summary>The prompts that come with Silo.</summary>
    public static string EmbeddedPrompts => Path.Combine(AppContext.BaseDirectory, "prompts.jsonl");

    /// <summary>Where the run of an experiment goes unless it is said: <c>runs/NAME</c>.</summary>
    public string DefaultDirectory => Path.Combine("runs", Spec.Name);

    /// <summary>The experiment that runs where none is named: paper 1's design with the model and prompts of Silo.</summary>
    /// <param name="model">Another model, or null.</param>
    /// <exception cref="SiloException">The files beside the program are missing.</exception>
    public static ExperimentFile Embedded(string? model = null) =>
        new(SpecTemplates.BeforeAndAfter(PromptList.Parse(InputFile.ReadText(EmbeddedPrompts), EmbeddedPrompts)), model ?? EmbeddedModel, []);

    /// <summary>Reads an experiment's file and the files it names; paths in it are relative to it.</summary>
    /// <param name="path">The JSON file.</param>
    /// <param name="model">Another model than the file's, relative to the working directory, or null.</param>
    /// <exception cref="SiloException">Something is wrong with one of the files; the message names it, the place and the cause.</exception>
    public static ExperimentFile Load(string path, string? model = null)
    {
        var spec = SpecReader.Parse(InputFile.ReadText(path), path);
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        string Resolve(string relative) => Path.GetFullPath(relative, folder);
        if (spec.PromptsFile is { } file)
        {
            var prompts = Resolve(file);
            spec = spec with { Prompts = PromptList.Parse(InputFile.ReadText(prompts), prompts) };
        }
        try
        {
            MeasureCatalog.For(Boards.RunBoard.CatalogOptions(spec, spec.ReferenceTemperatures));
        }
        catch (SiloException e)
        {
            throw new SiloException($"{path}: {e.Message}", e);
        }
        return new ExperimentFile(spec, model ?? (spec.Model is { } own ? Resolve(own) : EmbeddedModel), [.. spec.Gold.Ranks.Select(Resolve)]);
    }
}
