using System.Text.Json.Serialization;

namespace Silo.Experiments.Campaign;

/// <summary>Something that happened to a campaign. Any event may come twice or late.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "event")]
[JsonDerivedType(typeof(Begin), "begin")]
[JsonDerivedType(typeof(Remind), "remind")]
[JsonDerivedType(typeof(PromptEnded), "prompt_ended")]
[JsonDerivedType(typeof(EnginesBusy), "engines_busy")]
[JsonDerivedType(typeof(SetWindow), "set_window")]
[JsonDerivedType(typeof(Pause), "pause")]
[JsonDerivedType(typeof(Continue), "continue")]
[JsonDerivedType(typeof(Cancel), "cancel")]
public abstract record CampaignEvent
{
    private CampaignEvent() { }

    /// <summary>Begin.</summary>
    public sealed record Begin : CampaignEvent;

    /// <summary>A reminder, or a driver that lost everything but the state: what is in flight is told again.</summary>
    public sealed record Remind : CampaignEvent;

    /// <summary>A prompt has come to its end.</summary>
    /// <param name="Prompt">Its number.</param>
    /// <param name="Kept">Texts kept.</param>
    /// <param name="Failed">Texts failed.</param>
    public sealed record PromptEnded(int Prompt, int Kept, int Failed) : CampaignEvent;

    /// <summary>The engines did not take one prompt's ask: one prompt fewer at once.</summary>
    public sealed record EnginesBusy : CampaignEvent;

    /// <summary>Another window.</summary>
    /// <param name="Window">Most prompts in flight, at least 1.</param>
    public sealed record SetWindow(int Window) : CampaignEvent;

    /// <summary>Begin no more prompts; those in flight ask for no more.</summary>
    public sealed record Pause : CampaignEvent;

    /// <summary>Go on after a pause.</summary>
    public sealed record Continue : CampaignEvent;

    /// <summary>Give up.</summary>
    public sealed record Cancel : CampaignEvent;
}
