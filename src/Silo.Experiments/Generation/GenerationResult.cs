namespace Silo.Experiments.Generation;

/// <summary>Why a text ended.</summary>
public enum FinishReason
{
    /// <summary>The model ended it (end-of-text token, which is not part of the tokens).</summary>
    Stop,

    /// <summary>The token limit or the end of the context was reached.</summary>
    Length,
}

/// <summary>What an engine answers for one text, in the process that made it; see <see cref="GenerationRecord"/> for what leaves it.</summary>
/// <param name="Key">The text's key.</param>
/// <param name="Tokens">The generated token ids, without the prompt and without end of text.</param>
/// <param name="Text">The tokens decoded as a continuation (a leading space is kept; invalid UTF-8 becomes U+FFFD).</param>
/// <param name="Finish">Why it ended.</param>
/// <param name="Trace">The features of every step; step i is the distribution that token i was drawn from.</param>
/// <param name="Engine">Fingerprint of what made it: engine, model digest, numeric profile.</param>
public sealed record GenerationResult(
    GenerationKey Key, int[] Tokens, string Text, FinishReason Finish, TokenTrace Trace, string Engine);
