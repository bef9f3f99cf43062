using Silo.Cluster.Contracts.Security;

namespace Silo.Client;

/// <summary>Lets every call carry the client's token.</summary>
internal sealed class ClientTokenFilter(string token) : IOutgoingGrainCallFilter
{
    public Task Invoke(IOutgoingGrainCallContext context)
    {
        RequestContext.Set(CallToken.ContextKey, token);
        return context.Invoke();
    }
}
