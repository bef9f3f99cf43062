namespace Silo.Experiments.Campaign;

/// <summary>What a campaign wants done. Every command may be given again, and is idempotent for a prompt run.</summary>
public abstract record CampaignCommand
{
    private CampaignCommand() { }

    /// <summary>Tell a prompt to begin; one that has ended answers with its end again.</summary>
    public sealed record BeginPrompt(int Prompt) : CampaignCommand;

    /// <summary>Tell a prompt to pause.</summary>
    public sealed record PausePrompt(int Prompt) : CampaignCommand;

    /// <summary>Tell a prompt to go on.</summary>
    public sealed record ContinuePrompt(int Prompt) : CampaignCommand;

    /// <summary>Tell a prompt to give up.</summary>
    public sealed record CancelPrompt(int Prompt) : CampaignCommand;

    /// <summary>The campaign is at its end: compute the digest, write the summary.</summary>
    public sealed record Finish(long Kept, long Failed, bool Cancelled) : CampaignCommand;
}
