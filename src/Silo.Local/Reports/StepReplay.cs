using System.Text;
using Silo.Experiments.Generation;
using Silo.Experiments.Spec;
using Silo.Models;
using Silo.Reporting.Texts;

namespace Silo.Local.Reports;

/// <summary>Reads shown texts once more through the model, for what traces do not keep: the candidates of each step and the masses by rank.</summary>
internal sealed class StepReplay(ILanguageModel model, ExperimentSpec spec)
{
    private readonly Replay _replay = new(model);
    private readonly Dictionary<string, string> _prompts = spec.Prompts.ToDictionary(p => p.Id, p => p.Text, StringComparer.Ordinal);

    /// <summary>Whether the model is the one that made the texts; the numeric profile may be another, for nothing of a page enters a digest.</summary>
    public static bool Fits(ILanguageModel model, IReadOnlyList<string> engines) =>
        engines.Count > 0 && engines.All(engine => engine.Contains(model.Info.WeightsDigest, StringComparison.Ordinal));

    /// <summary>One detail a token.</summary>
    public IReadOnlyList<TokenDetail> Of(GenerationRecord record, CancellationToken cancellationToken)
    {
        var details = new List<TokenDetail>(record.Tokens.Length);
        _replay.Logits(_prompts[record.Key.Prompt], record.Tokens,
            (index, logits) => details.Add(TokenDetail.From(logits, record.Key.Temperature, record.Tokens[index], TokenText)), cancellationToken);
        return details;
    }

    private string TokenText(int id) => Encoding.UTF8.GetString(model.Tokenizer.Bytes(id));
}
