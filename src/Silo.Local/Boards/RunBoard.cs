using Silo.Experiments.Board;
using Silo.Experiments.Generation;
using Silo.Experiments.Measures;
using Silo.Experiments.Spec;
using Silo.Storage.Runs;

namespace Silo.Local.Boards;

/// <summary>The correlation board of a run, and what it takes to fill one.</summary>
/// <param name="Catalog">The run's measures.</param>
/// <param name="Board">The board.</param>
public sealed record RunBoard(MeasureCatalog Catalog, CorrelationBoard Board)
{
    /// <summary>An empty board of a spec, with its prompts planned.</summary>
    /// <param name="spec">The spec, with its prompts.</param>
    /// <param name="referenceTemperatures">Those that measures exist for: the spec's, or more.</param>
    public static RunBoard Create(ExperimentSpec spec, IReadOnlyList<double> referenceTemperatures)
    {
        var catalog = MeasureCatalog.For(CatalogOptions(spec, referenceTemperatures));
        var board = new CorrelationBoard(BoardDesign.Of(spec, catalog.Measures));
        foreach (var prompt in spec.Prompts) board.Plan(prompt.Id);
        return new RunBoard(catalog, board);
    }

    /// <summary>The board of a stored run, filled with its texts and ranks.</summary>
    public static RunBoard Of(RunReader run)
    {
        var info = run.Info();
        var filled = Create(run.Spec, info.ReferenceTemperatures);
        string[] names = [.. filled.Catalog.Measures.Select(m => m.Name)];
        var texts = new List<GenerationRecord>(run.Plan.Rows);
        foreach (var record in run.Records(names))
        {
            if (texts.Count > 0 && texts[0].Key.Prompt != record.Key.Prompt) Take();
            texts.Add(record);
        }
        if (texts.Count > 0) Take();
        foreach (var rank in run.Ranks())
            filled.Board.Apply(Stored.Event(rank));
        if (info.Finished is not null) filled.Board.CloseAll();
        return filled;

        void Take()
        {
            filled.SetTexts(texts);
            texts.Clear();
        }
    }

    /// <summary>Gives a prompt the texts that are kept of it.</summary>
    /// <param name="records">At least one, all of one prompt.</param>
    public void SetTexts(IReadOnlyList<GenerationRecord> records) =>
        Board.SetTexts(records[0].Key.Prompt, [.. records.Select(r => BoardText.Of(r, Catalog))]);

    internal static MeasureCatalogOptions CatalogOptions(ExperimentSpec spec, IReadOnlyList<double> referenceTemperatures) => new()
    {
        CaptureK = spec.CaptureK,
        ReferenceTemperatures = referenceTemperatures,
        Primary = spec.PrimaryMeasures ?? [],
    };
}
