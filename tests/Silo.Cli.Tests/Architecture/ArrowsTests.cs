using System.Xml.Linq;

namespace Silo.Cli.Tests.Architecture;

/// <summary>The house's first rule: project references point inward only.</summary>
public class ArrowsTests
{
    /// <summary>What each room may know. A room that is not listed here does not exist yet.</summary>
    private static readonly Dictionary<string, string[]> s_mayKnow = new()
    {
        ["Silo.Core"] = [],
        ["Silo.Experiments"] = ["Silo.Core"],
        ["Silo.Models"] = ["Silo.Core", "Silo.Experiments"],
        ["Silo.Models.Cuda"] = ["Silo.Core"],
        ["Silo.Storage"] = ["Silo.Core", "Silo.Experiments"],
        ["Silo.Reporting"] = ["Silo.Core", "Silo.Experiments"],
        ["Silo.Local"] = ["Silo.Core", "Silo.Experiments", "Silo.Models", "Silo.Storage", "Silo.Reporting"],
        ["Silo.Cli"] = ["Silo.Core", "Silo.Experiments", "Silo.Models", "Silo.Models.Cuda", "Silo.Storage", "Silo.Reporting", "Silo.Local"],
        ["Silo.Cluster.Contracts"] = ["Silo.Core", "Silo.Experiments"],
        ["Silo.Cluster.Grains"] = ["Silo.Core", "Silo.Experiments", "Silo.Cluster.Contracts"],
        ["Silo.Cluster.Inference"] = ["Silo.Core", "Silo.Experiments", "Silo.Models", "Silo.Cluster.Contracts"],
        ["Silo.Cluster.Hosting"] = ["Silo.Core", "Silo.Experiments", "Silo.Cluster.Contracts"],
        ["Silo.Cluster.Telemetry"] = ["Silo.Cluster.Contracts"],
        ["Silo.Cluster.Azure"] = ["Silo.Cluster.Hosting"],
        ["Silo.Cluster.Postgres"] = ["Silo.Cluster.Hosting"],
        ["Silo.Client"] = ["Silo.Core", "Silo.Experiments", "Silo.Storage", "Silo.Cluster.Contracts"],
        ["Silo.Ctl"] = ["Silo.Client", "Silo.Storage"],
        ["Silo.Host"] = ["Silo.Cluster.Grains", "Silo.Cluster.Hosting", "Silo.Cluster.Telemetry", "Silo.Cluster.Azure", "Silo.Cluster.Postgres"],
        ["Silo.Host.Cpu"] = ["Silo.Cluster.Grains", "Silo.Cluster.Hosting", "Silo.Cluster.Telemetry", "Silo.Cluster.Azure", "Silo.Cluster.Postgres", "Silo.Cluster.Inference", "Silo.Models"],
        ["Silo.Host.Cuda"] = ["Silo.Cluster.Grains", "Silo.Cluster.Hosting", "Silo.Cluster.Telemetry", "Silo.Cluster.Azure", "Silo.Cluster.Postgres", "Silo.Cluster.Inference"],
    };

    private static readonly string[] s_projects = Directory.GetFiles(Path.Combine(Shared.Repository, "src"), "*.csproj", SearchOption.AllDirectories);

    [Fact]
    public void References_point_inward_only()
    {
        foreach (var project in s_projects)
        {
            var room = Path.GetFileNameWithoutExtension(project);
            Assert.True(s_mayKnow.TryGetValue(room, out var allowed), $"{room} is not listed here: say what it may know");
            Assert.Empty(References(project).Except(allowed!));
        }
    }

    [Fact]
    public void Inner_rooms_are_pure()
    {
        // No I/O, clock, randomness or dependency injection: what would bring them is not even referred to, or not used.
        string[] forbidden = ["System.IO.File", "File.", "Directory.", "DateTime.", "DateTimeOffset.", "Stopwatch", "Random(", "Random.Shared", "Guid.NewGuid", "Console.", "Environment.", "HttpClient", "Thread.Sleep", "Task.Delay"];
        foreach (var room in new[] { "Silo.Core", "Silo.Experiments" })
        {
            foreach (var file in Sources(room))
            {
                var code = string.Join('\n', File.ReadLines(file).Select(line => line.Split("//")[0]));
                foreach (var word in forbidden)
                    Assert.False(ContainsWord(code, word), $"{Path.GetRelativePath(Shared.Repository, file)} uses {word}");
            }
        }
    }

    [Fact]
    public void The_solution_holds_every_project_and_the_local_filter_nothing_else()
    {
        var solution = File.ReadAllText(Path.Combine(Shared.Repository, "Silo.sln"));
        var tests = Directory.GetFiles(Path.Combine(Shared.Repository, "tests"), "*.csproj", SearchOption.AllDirectories);
        foreach (var project in s_projects.Concat(tests))
            Assert.Contains(Path.GetRelativePath(Shared.Repository, project).Replace('/', '\\'), solution, StringComparison.Ordinal);
        using var filter = System.Text.Json.JsonDocument.Parse(File.ReadAllText(Path.Combine(Shared.Repository, "Silo.Local.slnf")));
        foreach (var project in filter.RootElement.GetProperty("solution").GetProperty("projects").EnumerateArray())
            Assert.Contains($"\"{project.GetString()}\"", solution, StringComparison.Ordinal);
    }

    private static IEnumerable<string> References(string project) => XDocument.Load(project)
        .Descendants("ProjectReference")
        .Select(reference => Path.GetFileNameWithoutExtension(reference.Attribute("Include")!.Value.Replace('\\', '/')));

    private static IEnumerable<string> Sources(string room)
    {
        var folder = Path.Combine(Shared.Repository, "src", room);
        return Directory.GetFiles(folder, "*.cs", SearchOption.AllDirectories)
            .Where(file => Path.GetRelativePath(folder, file).Split(Path.DirectorySeparatorChar)[0] is not ("obj" or "bin"));
    }

    private static bool ContainsWord(string code, string word)
    {
        for (var at = code.IndexOf(word, StringComparison.Ordinal); at >= 0; at = code.IndexOf(word, at + 1, StringComparison.Ordinal))
            if (at == 0 || !(char.IsLetterOrDigit(code[at - 1]) || code[at - 1] is '_' or '.')) return true;
        return false;
    }
}
