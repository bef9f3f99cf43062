using System.Collections.Concurrent;
using System.Globalization;

namespace Silo.Cluster.Tests.Fixtures;

/// <summary>Reminders that outlive every silo.</summary>
internal sealed class TestReminders : IReminderTable
{
    private readonly ConcurrentDictionary<(GrainId, string), ReminderEntry> _rows = new();
    private long _versions;

    public int Count => _rows.Count;

    /// <summary>How often one was set.</summary>
    public long Made => Interlocked.Read(ref _versions);

    public Task<ReminderTableData> ReadRows(GrainId grainId) => Task.FromResult(new ReminderTableData(_rows.Values.Where(r => r.GrainId == grainId)));

    public Task<ReminderTableData> ReadRows(uint begin, uint end) => Task.FromResult(new ReminderTableData(_rows.Values.Where(r =>
        begin < end ? r.GrainId.GetUniformHashCode() > begin && r.GrainId.GetUniformHashCode() <= end
            : r.GrainId.GetUniformHashCode() > begin || r.GrainId.GetUniformHashCode() <= end)));

    public Task<ReminderEntry?> ReadRow(GrainId grainId, string reminderName) => Task.FromResult(_rows.GetValueOrDefault((grainId, reminderName)));

    public Task<string?> UpsertRow(ReminderEntry entry)
    {
        entry.ETag = Interlocked.Increment(ref _versions).ToString(CultureInfo.InvariantCulture);
        _rows[(entry.GrainId, entry.ReminderName)] = entry;
        return Task.FromResult<string?>(entry.ETag);
    }

    public Task<bool> RemoveRow(GrainId grainId, string reminderName, string eTag) => Task.FromResult(
        _rows.TryGetValue((grainId, reminderName), out var row) && row.ETag == eTag && _rows.TryRemove((grainId, reminderName), out _));

    public Task TestOnlyClearTable()
    {
        _rows.Clear();
        return Task.CompletedTask;
    }
}
