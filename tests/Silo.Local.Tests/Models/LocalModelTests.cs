using Silo.Local.Models;

namespace Silo.Local.Tests.Models;

public sealed class LocalModelTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void What_cannot_be_a_model_has_no_stamp()
    {
        Assert.Null(new LocalModel(_folder.Path).Stamp);
        Assert.Null(new LocalModel(_folder["none.gguf"]).Stamp);
    }

    [Fact]
    public void A_folder_is_stamped_by_all_its_files()
    {
        File.WriteAllText(_folder["a"], "1");
        var one = new LocalModel(_folder.Path).Stamp;
        File.WriteAllText(_folder["b"], "23");
        Assert.NotNull(one);
        Assert.NotEqual(one, new LocalModel(_folder.Path).Stamp);
    }
}
