using System.Globalization;
using Microsoft.Data.Sqlite;
using Silo.Core;
using Silo.Experiments.Spec;

namespace Silo.Storage.Runs;

/// <summary>Meta entries, and the spec with its prompts, as run.db has them.</summary>
internal static class StoredSpec
{
    public static string? Meta(SqliteConnection connection, string key) =>
        (string?)RunConnection.Scalar(connection, "SELECT value FROM meta WHERE key = $key", ("$key", key));

    public static void SetMeta(SqliteConnection connection, string key, string value) =>
        RunConnection.Execute(connection, "INSERT INTO meta VALUES ($key, $value) ON CONFLICT (key) DO UPDATE SET value = $value",
            ("$key", key), ("$value", value));

    public static bool HasTables(SqliteConnection connection) =>
        RunConnection.Scalar(connection, "SELECT 1 FROM sqlite_schema WHERE name = 'meta'") is not null;

    public static void CheckFormat(SqliteConnection connection, RunDirectory directory)
    {
        if (!HasTables(connection)) throw new SiloException($"{directory.Database}: no database of a Silo run (it has no meta table)");
        var format = Meta(connection, "format");
        if (format != RunSchema.Format.ToString(CultureInfo.InvariantCulture))
            throw new SiloException($"{directory.Database}: format {format} is not known to this version of Silo (it knows {RunSchema.Format})");
    }

    public static void Write(SqliteConnection connection, ExperimentSpec spec, SpecIdentity identity)
    {
        // With its prompts in their own table, the spec's JSON names them by file only.
        SetMeta(connection, "spec", SpecWriter.Write(spec with { Prompts = [], PromptsFile = spec.PromptsFile ?? "prompts.jsonl" }));
        SetMeta(connection, "prompts_inline", spec.PromptsFile is null ? "1" : "0");
        SetMeta(connection, "spec_canonical", identity.Canonical);
        SetMeta(connection, "spec_hash", identity.Hash);
        using var insert = RunConnection.Command(connection, "INSERT INTO prompts VALUES ($number, $id, $text)",
            ("$number", 0), ("$id", ""), ("$text", ""));
        for (var number = 0; number < spec.Prompts.Count; number++)
        {
            insert.Parameters[0].Value = number;
            insert.Parameters[1].Value = spec.Prompts[number].Id;
            insert.Parameters[2].Value = spec.Prompts[number].Text;
            insert.ExecuteNonQuery();
        }
    }

    public static ExperimentSpec Read(SqliteConnection connection, RunDirectory directory)
    {
        var spec = SpecReader.Parse(Meta(connection, "spec") ?? "", directory.Database);
        var prompts = new List<Prompt>();
        using var command = RunConnection.Command(connection, "SELECT id, text FROM prompts ORDER BY number");
        using var rows = command.ExecuteReader();
        while (rows.Read()) prompts.Add(new Prompt(rows.GetString(0), rows.GetString(1)));
        return spec with { Prompts = prompts, PromptsFile = Meta(connection, "prompts_inline") == "1" ? null : spec.PromptsFile };
    }

    public static SpecIdentity ReadIdentity(SqliteConnection connection) =>
        new(Meta(connection, "spec_canonical") ?? "{}", Meta(connection, "spec_hash") ?? "");
}
