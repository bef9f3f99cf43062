using System.Text;
using Silo.Core;
using Silo.Core.Features;
using Silo.Experiments.Generation;
using Silo.Experiments.Spec;
using Silo.Storage.Export;
using Silo.Storage.Runs;
using Silo.Storage.Tests.Runs;

namespace Silo.Storage.Tests.Export;

public sealed class RunExportTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Everything_of_a_run_is_in_plain_files()
    {
        using (var store = Sample.Open(_folder["run"]))
            store.Write(batch =>
            {
                for (var row = 0; row < 2; row++)
                {
                    var key = store.Plan.Key(0, row);
                    var trace = new TokenTrace(4, [key.Temperature],
                        [.. Enumerable.Range(0, 4 * TokenFeatures.FullCount).Select(i => (double)(i % 7))],
                        [.. Enumerable.Range(0, 4 * TokenFeatures.CapturedCount).Select(i => (double)(i % 5))]);
                    batch.Keep(0, row, Sample.Record(key, "said \"no\",\r\nand = 1") with { Trace = PackedTrace.Pack(trace, TraceKeeping.Own) }, Sample.Measures);
                }
                batch.Keep(1, 0, Sample.Record(store.Plan.Key(1, 0)) with { Trace = [] }, Sample.Measures);
                batch.Rank(new NewRank("p0", "t0.3-0", "ann", "humans", 2), "r.csv");
                batch.Rank(new NewRank("p0", "t0.3-0", "ann", "humans", 1.5), "r.csv");
                batch.Rank(new NewRank("p0", "t0.3-1", "ann", null, 1), "r.csv");
                batch.Rank(new NewRank("p0", "t0.3-1", "ann", null, null), "r.csv");
            });
        using var run = RunReader.Open(_folder["run"]);
        var written = RunExport.Write(run, _folder["out"]);
        Assert.All(written, path => Assert.True(File.Exists(path), path));

        var generations = File.ReadAllText(_folder["out/generations.csv"]);
        Assert.Contains("p0,t0.3-0,0.3,0,stop,4,", generations, StringComparison.Ordinal);
        Assert.Contains("\"said \"\"no\"\",\r\nand = 1\"", generations, StringComparison.Ordinal);
        Assert.Equal(["prompt,item,temperature,length,leak.mean,entropy_p.mean", "p0,t0.3-0,0.3,19,0.3,", "p0,t0.3-1,0.3,19,0.3,", "p1,t0.3-0,0.3,6,0.3,"],
            File.ReadAllLines(_folder["out/measures.csv"]));
        Assert.Equal(["prompt,item,rater,rank,panel", "p0,t0.3-0,ann,1.5,humans"], File.ReadAllLines(_folder["out/ranks.csv"]));
        Assert.Equal(5, File.ReadAllLines(_folder["out/rank_events.csv"]).Length);
        Assert.Equal(["prompt,item,first,count", "p0,t0.3-0,0,4", "p0,t0.3-1,4,4", "p1,t0.3-0,8,4"], File.ReadAllLines(_folder["out/tokens.csv"]));

        var tokens = File.ReadAllBytes(_folder["out/tokens.npy"]);
        Assert.Equal(128 + 12 * 4, tokens.Length);
        Assert.Equal("\u0093NUMPY\u0001\0", Encoding.Latin1.GetString(tokens, 0, 8));
        Assert.StartsWith("{'descr': '<i4', 'fortran_order': False, 'shape': (12,), }", Encoding.Latin1.GetString(tokens, 10, 118), StringComparison.Ordinal);
        Assert.Equal(int.MaxValue, BitConverter.ToInt32(tokens, 128 + 12));
        var full = File.ReadAllBytes(_folder["out/trace_full.npy"]);
        Assert.Equal(128 + 12 * TokenFeatures.FullCount * 4, full.Length);
        Assert.Contains("'shape': (12, 1, 28)", Encoding.Latin1.GetString(full, 10, 118), StringComparison.Ordinal);
        Assert.Equal(3, BitConverter.ToSingle(full, 128 + 3 * 4));
        Assert.Equal(float.NaN, BitConverter.ToSingle(full, full.Length - 4));
    }

    [Fact]
    public void A_folder_that_cannot_be_written_to_is_told_in_one_line()
    {
        Sample.Open(_folder["run"]).Dispose();
        File.WriteAllText(_folder["file"], "");
        using var run = RunReader.Open(_folder["run"]);
        Assert.Contains("the export cannot be written", Assert.Throws<SiloException>(() => RunExport.Write(run, _folder["file"])).Message, StringComparison.Ordinal);
    }
}
