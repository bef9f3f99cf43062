using System.Collections.Concurrent;
using System.Reflection;
using Microsoft.Extensions.Logging;
using Silo.Cluster.Contracts;
using Silo.Cluster.Contracts.Security;

namespace Silo.Cluster.Hosting.Security;

/// <summary>
/// Deny by default: a call of one of Silo's interfaces passes only with a valid token that carries what the method
/// requires, for the experiment in the grain's key. Methods that declare nothing are for silos alone. Orleans' own
/// interfaces pass between silos; of them, clients may use only what the client library itself needs.
/// </summary>
internal sealed partial class TokenFilter(AccessTokens tokens, ClusterMetrics metrics, ILogger<TokenFilter> logger) : IIncomingGrainCallFilter
{
    private static readonly Assembly s_contracts = typeof(CallToken).Assembly;
    private readonly ConcurrentDictionary<MethodInfo, Access> _required = new();

    public async Task Invoke(IIncomingGrainCallContext context)
    {
        var method = context.InterfaceMethod;
        var isOurs = method?.DeclaringType?.Assembly == s_contracts;
        // Watch and its like arrive wrapped into Orleans' enumeration extension, which hides the method: reading is asked for.
        var isEnumeration = method?.DeclaringType == typeof(IAsyncEnumerableGrainExtension);
        if (isOurs || (isEnumeration && !IsSystem(context.TargetId)))
        {
            var access = isEnumeration ? Access.Read : _required.GetOrAdd(method!, RequiredBy);
            var (grant, reason) = await tokens.CheckAsync(RequestContext.Get(CallToken.ContextKey) as string);
            // A grain that is no experiment's is for tokens of all of them; its key may look like an experiment's.
            var experiment = typeof(IGrainWithIntegerKey).IsAssignableFrom(method!.DeclaringType) ? "" : Keys.ExperimentOf(context.TargetId.Key.ToString() ?? "");
            if (grant is null) throw Denied(context, reason);
            if (!grant.Access.HasFlag(Access.Internal) && !grant.Allows(access, experiment))
                throw Denied(context, grant.Allows(access, grant.Experiment) ? "token is for another experiment" : $"token lacks '{access}'");
        }
        else if (!isEnumeration && IsFromClient(context) && !ClientMayUse(method?.DeclaringType))
        {
            // A silo's own services call as clients, too (it hosts one): what tells them apart is the signature.
            var (grant, _) = await tokens.CheckAsync(RequestContext.Get(CallToken.ContextKey) as string);
            if (grant?.Access.HasFlag(Access.Internal) != true) throw Denied(context, "not for clients");
        }
        if (context.TargetContext is { } target && target.GetComponent<Admitted>() is null) target.SetComponent(Admitted.Once);
        await context.Invoke();
    }

    private static Access RequiredBy(MethodInfo method) => method.GetCustomAttribute<RequiresAttribute>()?.Access ?? Access.Internal;

    private static bool IsSystem(GrainId id) => id.Type.IsSystemTarget();

    private static bool IsFromClient(IIncomingGrainCallContext context) => context.SourceId is not { } source || source.Type.IsClient();

    // What Orleans' client library calls on a gateway: the cluster manifest, and its own end of an enumeration.
    private static bool ClientMayUse(Type? type) => type?.Name is "IClusterManifestSystemTarget";

    private AccessDeniedException Denied(IIncomingGrainCallContext context, string reason)
    {
        metrics.CallRefused(reason);
        var call = $"{context.InterfaceName}.{context.MethodName}";
        LogDenied(call, reason);
        // The call may have brought the grain to life. Left alive, a caller without a token could fill the memory with them.
        if (context.TargetContext is { } target && !target.GrainId.IsSystemTarget() && target.GetComponent<Admitted>() is null)
            target.Deactivate(new DeactivationReason(DeactivationReasonCode.ApplicationRequested, "no call of it was allowed"));
        return new AccessDeniedException($"{call} refused: {reason}");
    }

    [LoggerMessage(LogLevel.Warning, "Refused {Call}: {Reason}")]
    private partial void LogDenied(string call, string reason);

    /// <summary>Marks an activation that has answered a call.</summary>
    private sealed class Admitted
    {
        public static readonly Admitted Once = new();
    }
}
