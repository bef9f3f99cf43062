namespace Silo.Core.Tests;

public class SharedTests
{
    [Fact]
    public void The_repository_is_found_from_the_test_binary() =>
        Assert.True(File.Exists(Path.Combine(Shared.Repository, "Directory.Packages.props")));
}
