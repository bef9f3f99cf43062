using Silo.Local.Running;

namespace Silo.Cli.Running;

/// <summary>Shows a run while it goes on: as JSON events, as lines, or redrawn on a terminal.</summary>
internal interface IRunDisplay
{
    /// <summary>Shows the events to their end; returns the last.</summary>
    Task<RunEvent> ShowAsync(IAsyncEnumerable<RunEvent> events);
}
