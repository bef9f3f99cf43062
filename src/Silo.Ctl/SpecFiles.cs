using Silo.Experiments.Spec;
using Silo.Storage.Files;

namespace Silo.Ctl;

/// <summary>Reads an experiment file and the prompts file that it names.</summary>
internal static class SpecFiles
{
    public static ExperimentSpec Read(string path)
    {
        var spec = SpecReader.Parse(InputFile.ReadText(path), path);
        if (spec.PromptsFile is not { } prompts) return spec;
        var file = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, prompts);
        return spec with { Prompts = PromptList.Parse(InputFile.ReadText(file), file), PromptsFile = null };
    }
}
