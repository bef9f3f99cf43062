using System.Text.Json;

namespace Silo.Core.Tests.Statistics;

/// <summary>The cases of one section of <c>golden/statistics.json</c>.</summary>
internal static class GoldenStatistics
{
    public static IEnumerable<JsonElement> Section(string name) => Golden.Load("statistics.json").Items(name);
}
