using System.CommandLine;
using System.Text;
using Silo.Core;
using Silo.Experiments.Spec;
using Silo.Local.Experiments;

namespace Silo.Cli.Commands;

/// <summary><c>silo new</c>: an experiment's file to start from.</summary>
internal static class NewCommand
{
    public static Command Create()
    {
        var template = Common.Path("TEMPLATE", $"The design: {string.Join(", ", SpecTemplates.Names)}.");
        template.AcceptOnlyFromAmong([.. SpecTemplates.Names]);
        var output = Common.Out("The file to write; it must not exist. Default: TEMPLATE.json.", "FILE");
        return new Command("new", "Write an experiment's file to start from, with everything that can be said in it.") { template, output }
            .WithExamples("silo new before-and-after", "silo new before-and-after --out mine.json && silo run mine.json --dry-run")
            .Does((result, terminal) =>
            {
                var name = result.GetRequiredValue(template);
                var path = result.GetValue(output) ?? $"{name}.json";
                try
                {
                    using var file = new FileStream(path, FileMode.CreateNew);
                    file.Write(Encoding.UTF8.GetBytes(SpecWriter.Write(ExperimentFile.Embedded().Spec)));
                }
                catch (IOException) when (File.Exists(path))
                {
                    throw new SiloException($"{path}: exists already");
                }
                terminal.WriteLine(terminal.Json ? $"{{\"file\":{System.Text.Json.JsonSerializer.Serialize(path, Results.CliJson.Readable.String)}}}" : path);
            });
    }
}
