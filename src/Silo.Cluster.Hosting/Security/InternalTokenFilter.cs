using Silo.Cluster.Contracts.Security;

namespace Silo.Cluster.Hosting.Security;

/// <summary>
/// Signs the calls that silos make themselves. A client can write any sender into a message, so "it comes from a grain"
/// proves nothing; a signature does. The token is renewed at half of its life.
/// </summary>
internal sealed class InternalTokenFilter(AccessTokens tokens, TimeProvider time) : IOutgoingGrainCallFilter
{
    private static readonly TimeSpan s_lifetime = TimeSpan.FromMinutes(30);
    private volatile Issued? _current;

    public async Task Invoke(IOutgoingGrainCallContext context)
    {
        // The caller's own token must not travel on: what a grain asks for is asked by the silo.
        var before = RequestContext.Get(CallToken.ContextKey);
        RequestContext.Set(CallToken.ContextKey, Token());
        try
        {
            await context.Invoke();
        }
        finally
        {
            if (before is null) RequestContext.Remove(CallToken.ContextKey);
            else RequestContext.Set(CallToken.ContextKey, before);
        }
    }

    private string Token()
    {
        var now = time.GetUtcNow();
        var issued = _current;
        if (issued is null || now >= issued.RenewAt)
            _current = issued = new Issued(tokens.Issue(new AccessGrant("silo", Access.Internal, "*"), s_lifetime), now + s_lifetime / 2);
        return issued.Token;
    }

    private sealed record Issued(string Token, DateTimeOffset RenewAt);
}
