using System.CommandLine;
using Silo.Cli.Results;
using Silo.Core;
using Silo.Local.Remeasuring;
using Silo.Storage.Runs;

namespace Silo.Cli.Commands;

/// <summary><c>silo remeasure</c>: the features of stored texts at a further reference temperature; nothing is generated.</summary>
internal static class RemeasureCommand
{
    public static Command Create()
    {
        var directory = StoredRun.Directory();
        var temperature = new Option<double>("--reference-temperature")
        {
            Description = "The temperature at which the features of every text are computed as well: leak@T and the like.",
            HelpName = "T",
            Required = true,
            CustomParser = Common.Number("--reference-temperature", 1, double.Epsilon, "").CustomParser,
        };
        var model = StoredRun.Model();
        return new Command("remeasure", "Measure the stored texts at another reference temperature; nothing is generated.") { directory, temperature, model }
            .WithExamples("silo remeasure runs/before-and-after --reference-temperature 1")
            .Does(async (result, terminal) =>
            {
                using var store = RunStore.OpenExisting(result.GetRequiredValue(directory), TimeProvider.System);
                await using var opened = StoredRun.ModelOf(store, result.GetValue(model))
                    ?? throw new SiloException($"{store.Directory.Path}: the model that made the texts is no longer where it was; name it with --model");
                var measured = ReferenceTemperatureMeasuring.Add(store, opened, result.GetValue(temperature), progress: null, CancellationToken.None);
                if (!terminal.Json) terminal.WriteLine($"{Numbers.Count(measured)} texts measured");
                var refreshed = StoredRun.Refresh(store, opened, terminal);
                if (terminal.Json) terminal.WriteJson(new RemeasureResult(measured, refreshed.Report), CliJson.Readable.RemeasureResult);
                return ExitCode.Done;
            });
    }
}
