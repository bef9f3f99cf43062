using System.CommandLine;
using Silo.Cli.Results;
using Silo.Cli.Running;
using Silo.Experiments.Plan;
using Silo.Local.Experiments;
using Silo.Local.Models;
using Silo.Local.Running;
using Silo.Models;

namespace Silo.Cli.Commands;

/// <summary><c>silo run</c>: an experiment from wherever it stands to its end.</summary>
internal static class RunCommand
{
    public static Command Create()
    {
        var file = Common.Path("FILE", "The experiment's file (silo new writes one to start from). Without it, the embedded experiment runs.", required: false);
        var output = Common.Out("The run directory. Default: runs/NAME.", "DIR");
        var model = new Option<string>("--model") { Description = "Another model (a GGUF file, or a folder of ONNX Runtime GenAI) than the experiment's.", HelpName = "MODEL" };
        var threads = Common.Whole("--threads", Environment.ProcessorCount, 1, 1024, "Threads; no text depends on them.");
        var dryRun = new Option<bool>("--dry-run") { Description = "Print the plan with estimates of time and disk; do nothing." };
        var fresh = new Option<bool>("--fresh") { Description = "Begin anew: DELETES the run that the directory holds (its texts and ranks); other files stay." };
        var retry = new Option<bool>("--retry-failed") { Description = "Try texts again that had failed for good." };
        return new Command("run", "Run an experiment; the same command goes on after any interruption.") { file, output, model, threads, dryRun, fresh, retry }
            .WithExamples(
                "silo run                            the embedded experiment, in runs/before-and-after",
                "silo run mine.json --dry-run        how long will it take, how much will it write?",
                "silo run mine.json --out runs/a     run it, or go on with it",
                "silo run mine.json --json           one JSON event a line, for programs")
            .Does(async (result, terminal) =>
            {
                var path = result.GetValue(file);
                var experiment = path is null ? ExperimentFile.Embedded(result.GetValue(model)) : ExperimentFile.Load(path, result.GetValue(model));
                var directory = result.GetValue(output) ?? experiment.DefaultDirectory;
                await using var local = new LocalModel(experiment.ModelPath, new ModelOptions { Threads = result.GetValue(threads) });
                if (result.GetValue(dryRun))
                {
                    ShowPlan(terminal, experiment, directory, await PlanPreview.EstimateAsync(experiment.Spec, local, TimeProvider.System, CancellationToken.None));
                    return ExitCode.Done;
                }
                using var interrupts = new Interrupts();
                var events = ExperimentRunner.RunAsync(new RunRequest
                {
                    Spec = experiment.Spec,
                    Directory = directory,
                    Model = local,
                    RankFiles = experiment.RankFiles,
                    Fresh = result.GetValue(fresh),
                    RetryFailed = result.GetValue(retry),
                }, interrupts.Stop, CancellationToken.None);
                IRunDisplay display = terminal.Json ? new JsonRunDisplay(terminal) : terminal.Interactive ? new LiveRunDisplay(terminal) : new PlainRunDisplay(terminal);
                return await display.ShowAsync(events) is RunEvent.Done { Generations: > 0 } ? ExitCode.Done : ExitCode.Failed;
            });
    }

    private static void ShowPlan(Terminal terminal, ExperimentFile experiment, string directory, PlanEstimate estimate)
    {
        var spec = experiment.Spec;
        if (terminal.Json)
        {
            terminal.WriteJson(new PlanLine("plan", spec.Name, directory, estimate.Prompts, estimate.Generations, estimate.Tokens, estimate.Bytes + estimate.TableBytes, estimate.Time?.TotalSeconds), CliJson.Readable.PlanLine);
            return;
        }
        terminal.WriteTable(["", "value"],
        [
            ["experiment", spec.Name], ["run directory", directory], ["model", experiment.ModelPath],
            ["prompts", Numbers.Count(estimate.Prompts)], ["temperatures", string.Join(", ", spec.Temperatures)], ["samples", $"{spec.Samples} at each temperature"],
            ["texts", Numbers.Count(estimate.Generations)], ["tokens", $"at most {Numbers.Count(estimate.Tokens)}"],
            ["disk", $"about {Numbers.Show((estimate.Bytes + estimate.TableBytes) / 1e6, "#,0.0")} MB"], ["time", estimate.Time is { } time ? $"about {RunText.Time(time)}" : "not known"],
        ]);
    }
}
