using Silo.Core;
using Silo.Experiments.Spec;

namespace Silo.Ctl;

/// <summary>Reads an experiment file and the prompts file that it names.</summary>
internal static class SpecFiles
{
    public static ExperimentSpec Read(string path)
    {
        var spec = SpecReader.Parse(ReadText(path), path);
        if (spec.PromptsFile is not { } prompts) return spec;
        var file = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, prompts);
        return spec with { Prompts = PromptList.Parse(ReadText(file), file), PromptsFile = null };
    }

    private static string ReadText(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SiloException($"{path}: {e.Message.ReplaceLineEndings(" ")}", e);
        }
    }
}
