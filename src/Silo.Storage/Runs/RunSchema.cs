namespace Silo.Storage.Runs;

/// <summary>The tables of run.db. A text's number is its place in the plan: prompt * rows per prompt + row.</summary>
internal static class RunSchema
{
    /// <summary>Format of the database; a higher one is refused.</summary>
    public const int Format = 1;

    public const string Create = """
        CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
        CREATE TABLE prompts (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, text TEXT NOT NULL);
        CREATE TABLE engines (id INTEGER PRIMARY KEY, fingerprint TEXT NOT NULL UNIQUE);
        CREATE TABLE catalogs (id INTEGER PRIMARY KEY, names TEXT NOT NULL UNIQUE);
        CREATE TABLE generations (number INTEGER PRIMARY KEY, engine INTEGER NOT NULL, finish INTEGER NOT NULL,
            tokens INTEGER NOT NULL, feature_hash BLOB NOT NULL, made TEXT NOT NULL);
        CREATE TABLE texts (number INTEGER PRIMARY KEY, tokens BLOB NOT NULL, text TEXT NOT NULL);
        CREATE TABLE measures (id INTEGER PRIMARY KEY, number INTEGER NOT NULL, catalog INTEGER NOT NULL, data BLOB NOT NULL,
            UNIQUE (number, catalog));
        CREATE TABLE traces (number INTEGER PRIMARY KEY, data BLOB NOT NULL);
        CREATE TABLE failures (id INTEGER PRIMARY KEY, number INTEGER NOT NULL, attempt INTEGER NOT NULL, reason TEXT NOT NULL,
            final INTEGER NOT NULL, happened TEXT NOT NULL);
        CREATE TABLE discards (id INTEGER PRIMARY KEY, prompt INTEGER NOT NULL, engine TEXT NOT NULL, texts INTEGER NOT NULL,
            happened TEXT NOT NULL);
        CREATE TABLE ranks (id INTEGER PRIMARY KEY AUTOINCREMENT, prompt TEXT NOT NULL, item TEXT NOT NULL, rater TEXT NOT NULL,
            panel TEXT, rank REAL, source TEXT NOT NULL, came TEXT NOT NULL);
        CREATE INDEX ranks_by_item ON ranks (prompt, item, rater, panel);
        """;
}
