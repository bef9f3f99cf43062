using System.Text.Json.Serialization;

namespace Silo.Experiments.Campaign;

/// <summary>Something that happened to a prompt run. Any event may come twice, late or never.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "event")]
[JsonDerivedType(typeof(Begin), "begin")]
[JsonDerivedType(typeof(Recover), "recover")]
[JsonDerivedType(typeof(Answer), "answer")]
[JsonDerivedType(typeof(AskEnded), "ask_ended")]
[JsonDerivedType(typeof(AskFailed), "ask_failed")]
[JsonDerivedType(typeof(EngineBusy), "engine_busy")]
[JsonDerivedType(typeof(EngineGone), "engine_gone")]
[JsonDerivedType(typeof(EngineBack), "engine_back")]
[JsonDerivedType(typeof(Tick), "tick")]
[JsonDerivedType(typeof(Pause), "pause")]
[JsonDerivedType(typeof(Continue), "continue")]
[JsonDerivedType(typeof(Cancel), "cancel")]
public abstract record PromptEvent
{
    private PromptEvent() { }

    /// <summary>The campaign wants this prompt made: a new run begins, a paused one goes on, one at its end tells it again.</summary>
    public sealed record Begin : PromptEvent;

    /// <summary>The driver lost everything but the state: what was asked is asked again.</summary>
    public sealed record Recover : PromptEvent;

    /// <summary>A text has come (the driver holds it), from whichever ask.</summary>
    /// <param name="Row">Its row.</param>
    /// <param name="Engine">Fingerprint of what made it.</param>
    public sealed record Answer(int Row, string Engine) : PromptEvent;

    /// <summary>The engine says that an ask is done. Rows that did not come count as failed once.</summary>
    public sealed record AskEnded(int Ask) : PromptEvent;

    /// <summary>An ask failed.</summary>
    /// <param name="Ask">Its number.</param>
    /// <param name="Reason">One line.</param>
    /// <param name="Final">True where another try cannot help: the prompt does not fit into the context, say.</param>
    public sealed record AskFailed(int Ask, string Reason, bool Final) : PromptEvent;

    /// <summary>The engine took nothing of an ask: its queue is full, or there is no capacity yet. Costs no attempt.</summary>
    public sealed record EngineBusy(int Ask) : PromptEvent;

    /// <summary>
    /// No engine of this fingerprint will come back. A prompt of which some texts are from it is made anew on another;
    /// as long as this is not said, it waits.
    /// </summary>
    public sealed record EngineGone(string Engine) : PromptEvent;

    /// <summary>
    /// An engine that was said to be gone answers an ask of now: it makes texts like any other. Without this, a prompt whose only
    /// engine was away for too long would refuse its texts for ever.
    /// </summary>
    public sealed record EngineBack(string Engine) : PromptEvent;

    /// <summary>Time has passed.</summary>
    public sealed record Tick : PromptEvent;

    /// <summary>Ask for no more; keep what comes.</summary>
    public sealed record Pause : PromptEvent;

    /// <summary>Go on after a pause.</summary>
    public sealed record Continue : PromptEvent;

    /// <summary>Give up.</summary>
    public sealed record Cancel : PromptEvent;
}
