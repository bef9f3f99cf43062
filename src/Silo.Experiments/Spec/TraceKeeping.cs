namespace Silo.Experiments.Spec;

/// <summary>What a run keeps of its token traces.</summary>
public enum TraceKeeping
{
    /// <summary>Nothing: only the measures of each text remain.</summary>
    None,

    /// <summary>Full and captured rows at the text's own temperature, about 100 bytes a token.</summary>
    Own,

    /// <summary>Those of the reference temperatures as well, about as much again for each.</summary>
    All,
}
