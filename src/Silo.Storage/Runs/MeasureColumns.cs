using Microsoft.Data.Sqlite;

namespace Silo.Storage.Runs;

/// <summary>
/// Brings a text's stored measures into the order that is asked for. They may be stored in several parts (those of a
/// reference temperature that was added later are one of their own); a name that is nowhere gives NaN.
/// </summary>
internal sealed class MeasureColumns
{
    private readonly SqliteConnection _connection;
    private readonly Dictionary<long, (int From, int To)[]> _moves = [];
    private readonly int _count;

    public MeasureColumns(SqliteConnection connection, IReadOnlyList<string> names)
    {
        _connection = connection;
        _count = names.Count;
        var wanted = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var i = 0; i < names.Count; i++) wanted.TryAdd(names[i], i);
        foreach (var (id, stored) in Catalogs(connection))
            _moves.Add(id, [.. stored.Select((name, from) => (from, to: wanted.GetValueOrDefault(name, -1))).Where(m => m.to >= 0)]);
    }

    public static IEnumerable<(long Id, string[] Names)> Catalogs(SqliteConnection connection)
    {
        using var command = RunConnection.Command(connection, "SELECT id, names FROM catalogs ORDER BY id");
        using var rows = command.ExecuteReader();
        while (rows.Read()) yield return (rows.GetInt64(0), MeasureBytes.Names(rows.GetString(1)));
    }

    public double[] Of(long number)
    {
        if (_count == 0) return [];
        var values = new double[_count];
        Array.Fill(values, double.NaN);
        using var command = RunConnection.Command(_connection,
            "SELECT catalog, data FROM measures WHERE number = $number ORDER BY catalog", ("$number", number));
        using var rows = command.ExecuteReader();
        while (rows.Read())
        {
            var data = (byte[])rows.GetValue(1);
            foreach (var (from, to) in _moves[rows.GetInt64(0)]) values[to] = MeasureBytes.Double(data, from);
        }
        return values;
    }
}
