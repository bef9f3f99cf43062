using Silo.Core.Features;

namespace Silo.Models;

/// <summary>What one thread needs to reduce rows of logits: a sampler and feature kernels.</summary>
internal sealed class TokenWorker(int vocabularySize)
{
    private readonly Dictionary<int, FeatureKernel> _kernels = [];

    public Sampler Sampler { get; } = new(vocabularySize);

    /// <summary>The kernel that captures the top <paramref name="captureK"/>.</summary>
    public FeatureKernel Kernel(int captureK)
    {
        if (!_kernels.TryGetValue(captureK, out var kernel)) _kernels[captureK] = kernel = new FeatureKernel(vocabularySize, captureK);
        return kernel;
    }
}
