using System.Text.Json.Serialization;

namespace Silo.Experiments.Campaign;

/// <summary>States and events of the machines as JSON, for drivers that keep or send them.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, UseStringEnumConverter = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(PromptRunState))]
[JsonSerializable(typeof(PromptEvent))]
[JsonSerializable(typeof(PromptEvent.Begin), TypeInfoPropertyName = "PromptBegin")]
[JsonSerializable(typeof(PromptEvent.Pause), TypeInfoPropertyName = "PromptPause")]
[JsonSerializable(typeof(PromptEvent.Continue), TypeInfoPropertyName = "PromptContinue")]
[JsonSerializable(typeof(PromptEvent.Cancel), TypeInfoPropertyName = "PromptCancel")]
[JsonSerializable(typeof(CampaignState))]
[JsonSerializable(typeof(CampaignEvent))]
public sealed partial class CampaignJson : JsonSerializerContext;
