using System.Text;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Serialization;
using Silo.Cluster.Contracts;
using Silo.Cluster.Grains.State;

namespace Silo.Cluster.Tests.Serialization;

/// <summary>
/// Silos of two versions serve together, and states outlive versions: whatever was released is read by all that comes
/// after. The bytes lie in the folder Released; they are added to, never changed. SILO_WRITE_RELEASED=1 writes those of
/// types that have none yet.
/// </summary>
public class ReleasedTests
{
    private static readonly Serializer s_serializer = new ServiceCollection().AddSerializer().BuildServiceProvider().GetRequiredService<Serializer>();

    private static string Folder => Path.Combine(Shared.Repository, "tests", "Silo.Cluster.Tests", "Released");

    public static TheoryData<string> Messages => [.. Samples.Messages.Keys];

    public static TheoryData<string> States => [.. Samples.States.Keys];

    public static TheoryData<string> Forms => [.. Samples.Forms.Keys];

    [Theory, MemberData(nameof(Messages))]
    public void Released_messages_are_read(string name)
    {
        foreach (var (file, sample) in Samples.ReleasesOf(name))
        {
            var read = s_serializer.Deserialize<object>(Released(file, () => s_serializer.SerializeToArray<object>(sample)));
            Assert.IsType(sample.GetType(), read);
            Assert.Equal(Shown(sample), Shown(read));
        }
    }

    [Theory, MemberData(nameof(States))]
    public void Released_states_are_read(string name)
    {
        var (json, again) = Samples.States[name];
        Assert.Equal(JsonDocument.Parse(json).RootElement.GetRawText(), JsonDocument.Parse(again(Released($"{name}.json", () => json))).RootElement.GetRawText());
    }

    [Theory, MemberData(nameof(Forms))]
    public void Released_forms_are_read_and_damaged_ones_are_not(string name)
    {
        var (bytes, toJson) = Samples.Forms[name];
        var released = Released($"{name}.form", () => bytes);
        Assert.Equal(Encoding.UTF8.GetString(Samples.States[name].Json), Encoding.UTF8.GetString(toJson(released)));
        for (var length = 0; length < released.Length; length++) Assert.Throws<InvalidDataException>(() => toJson(released[..length]));
        Assert.Contains("later version", Assert.Throws<InvalidDataException>(() => toJson([99, .. released])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_message_has_a_sample_with_every_member_set()
    {
        var types = typeof(PackedState).Assembly.GetTypes().Where(t => t.IsDefined(typeof(GenerateSerializerAttribute), false) && !t.Name.Contains("Invokable", StringComparison.Ordinal) && t.Namespace?.StartsWith("OrleansCodeGen", StringComparison.Ordinal) != true);
        Assert.Equal(types.Select(t => t.Name).Order(StringComparer.Ordinal), Samples.Messages.Keys.Order(StringComparer.Ordinal));
        // A default would not tell whether a member is written at all.
        foreach (var (name, sample) in Samples.Messages)
            foreach (var property in sample.GetType().GetProperties().Where(p => p.IsDefined(typeof(IdAttribute), false) && (name, p.Name) != ("ShardUpdate", "From")))
                Assert.False(Equals(property.GetValue(sample), property.PropertyType.IsValueType ? Activator.CreateInstance(property.PropertyType) : null), $"{name}.{property.Name} has its default");
    }

    [Fact]
    public void Every_state_has_a_sample()
    {
        var names = typeof(StateTooLargeException).Assembly.GetTypes().SelectMany(t => t.GetConstructors()).SelectMany(c => c.GetParameters())
            .SelectMany(p => p.GetCustomAttributes(typeof(PersistentStateAttribute), false)).Cast<PersistentStateAttribute>().Select(a => a.StateName);
        Assert.Equal(names.Distinct().Order(StringComparer.Ordinal), Samples.States.Keys.Where(name => !name.Contains('.', StringComparison.Ordinal)).Order(StringComparer.Ordinal));
    }

    private static string Shown(object value) => value is Exception e ? e.Message : JsonSerializer.Serialize(value, value.GetType());

    private static byte[] Released(string file, Func<byte[]> write)
    {
        var path = Path.Combine(Folder, file);
        if (!File.Exists(path) && Environment.GetEnvironmentVariable("SILO_WRITE_RELEASED") == "1")
        {
            Directory.CreateDirectory(Folder);
            File.WriteAllBytes(path, write());
        }
        Assert.True(File.Exists(path), $"Released/{file} is missing: SILO_WRITE_RELEASED=1 writes it");
        return File.ReadAllBytes(path);
    }
}
