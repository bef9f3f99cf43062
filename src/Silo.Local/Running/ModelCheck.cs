using Silo.Core;
using Silo.Local.Models;
using Silo.Storage.Runs;

namespace Silo.Local.Running;

/// <summary>
/// One run has the texts of one model. Another engine version or numeric profile may go on with it (each prompt stays
/// with one of them); another model may not.
/// </summary>
internal static class ModelCheck
{
    /// <exception cref="SiloException">The run's texts are of another model.</exception>
    public static void Check(RunStore store, LocalModel model)
    {
        var summary = store.Info();
        var stamp = model.Stamp;
        // A finished run whose model file was not touched needs no look into it.
        if (summary.Finished is not null && stamp is not null && store.ModelStamp() == stamp) return;
        var given = ModelOf(model.Engine.Fingerprint);
        foreach (var engine in summary.Engines)
            if (ModelOf(engine) != given)
                throw new SiloException($"{store.Directory.Path}: its texts are of {Short(ModelOf(engine))}, the model given is {Short(given)}: --fresh begins anew, --out takes another directory");
        if (stamp is not null && store.ModelStamp() != stamp) store.Write(batch => batch.SetModelStamp(stamp));
    }

    /// <summary>The part of a fingerprint that names the weights; all of it where it has no parts.</summary>
    private static string ModelOf(string fingerprint) =>
        fingerprint.Split("; ").FirstOrDefault(part => part.StartsWith("model ", StringComparison.Ordinal)) ?? fingerprint;

    private static string Short(string model) => model.Length <= 32 ? model : model[..32] + "…";
}
