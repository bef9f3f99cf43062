using Microsoft.Win32.SafeHandles;

namespace Silo.Models.OnnxGenAI.Native;

/// <summary>An object of the library's, destroyed once.</summary>
internal abstract class OgaHandle() : SafeHandleZeroOrMinusOneIsInvalid(ownsHandle: true)
{
    protected abstract void Destroy(nint handle);

    protected sealed override bool ReleaseHandle()
    {
        Destroy(handle);
        return true;
    }
}

internal sealed class OgaConfig : OgaHandle
{
    protected override void Destroy(nint handle) => Oga.DestroyConfig(handle);
}

internal sealed class OgaModel : OgaHandle
{
    protected override void Destroy(nint handle) => Oga.DestroyModel(handle);
}

internal sealed class OgaTokenizer : OgaHandle
{
    protected override void Destroy(nint handle) => Oga.DestroyTokenizer(handle);
}

internal sealed class OgaSequences : OgaHandle
{
    protected override void Destroy(nint handle) => Oga.DestroySequences(handle);
}

internal sealed class OgaGeneratorParams : OgaHandle
{
    protected override void Destroy(nint handle) => Oga.DestroyGeneratorParams(handle);
}

internal sealed class OgaGenerator : OgaHandle
{
    protected override void Destroy(nint handle) => Oga.DestroyGenerator(handle);
}

internal sealed class OgaTensor : OgaHandle
{
    protected override void Destroy(nint handle) => Oga.DestroyTensor(handle);
}
