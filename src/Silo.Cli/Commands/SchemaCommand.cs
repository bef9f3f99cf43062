using System.CommandLine;
using System.Text.Json.Nodes;
using Silo.Experiments.Spec;

namespace Silo.Cli.Commands;

/// <summary><c>silo schema</c>: the JSON Schema of experiment files.</summary>
internal static class SchemaCommand
{
    public static Command Create() => new Command("schema", "Print the JSON Schema of experiment files, for editors and checks.")
        .WithExamples("silo schema > experiment.schema.json")
        .Does((_, terminal) => terminal.WriteLine(terminal.Json ? JsonNode.Parse(SpecReader.Schema)!.ToJsonString() : SpecReader.Schema.TrimEnd()));
}
