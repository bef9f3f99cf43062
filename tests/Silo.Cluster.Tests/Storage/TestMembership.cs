using System.Globalization;

namespace Silo.Cluster.Tests.Storage;

/// <summary>Membership of one cluster, in memory; changes only from the version that was read.</summary>
internal sealed class TestMembership : IMembershipTable
{
    private readonly Lock _turn = new();
    private readonly Dictionary<SiloAddress, MembershipEntry> _rows = [];
    private int _version;

    public Task InitializeMembershipTable(bool tryInitTableVersion) => Task.CompletedTask;

    public Task DeleteMembershipTableEntries(string clusterId)
    {
        lock (_turn) _rows.Clear();
        return Task.CompletedTask;
    }

    public Task CleanupDefunctSiloEntries(DateTimeOffset beforeDate)
    {
        lock (_turn)
            foreach (var row in _rows.Values.Where(r => r.Status != SiloStatus.Active && r.IAmAliveTime < beforeDate.UtcDateTime).ToArray()) _rows.Remove(row.SiloAddress);
        return Task.CompletedTask;
    }

    public Task<MembershipTableData> ReadRow(SiloAddress key)
    {
        lock (_turn) return Task.FromResult(Data(_rows.TryGetValue(key, out var row) ? [row] : []));
    }

    public Task<MembershipTableData> ReadAll()
    {
        lock (_turn) return Task.FromResult(Data(_rows.Values));
    }

    public Task<bool> InsertRow(MembershipEntry entry, TableVersion tableVersion) => Change(tableVersion, () => _rows.TryAdd(entry.SiloAddress, Copy(entry)));

    public Task<bool> UpdateRow(MembershipEntry entry, string etag, TableVersion tableVersion) => Change(tableVersion, () =>
    {
        if (!_rows.ContainsKey(entry.SiloAddress)) return false;
        _rows[entry.SiloAddress] = Copy(entry);
        return true;
    });

    public Task UpdateIAmAlive(MembershipEntry entry)
    {
        lock (_turn)
            if (_rows.TryGetValue(entry.SiloAddress, out var row)) row.IAmAliveTime = entry.IAmAliveTime;
        return Task.CompletedTask;
    }

    private Task<bool> Change(TableVersion to, Func<bool> change)
    {
        lock (_turn)
        {
            if (to.VersionEtag != ETag || !change()) return Task.FromResult(false);
            _version++;
            return Task.FromResult(true);
        }
    }

    private string ETag => _version.ToString(CultureInfo.InvariantCulture);

    private MembershipTableData Data(IEnumerable<MembershipEntry> entries) =>
        new([.. entries.Select(e => Tuple.Create(Copy(e), ETag))], new TableVersion(_version, ETag));

    private static MembershipEntry Copy(MembershipEntry e) => new()
    {
        SiloAddress = e.SiloAddress,
        SiloName = e.SiloName,
        HostName = e.HostName,
        Status = e.Status,
        ProxyPort = e.ProxyPort,
        StartTime = e.StartTime,
        IAmAliveTime = e.IAmAliveTime,
        SuspectTimes = e.SuspectTimes is { } times ? [.. times] : null,
    };
}
