using Silo.Cli;

// Whatever fails on any thread ends in one line, never in a stack trace.
AppDomain.CurrentDomain.UnhandledException += (_, e) =>
{
    Terminal.WriteError(CommandLine.Describe((Exception)e.ExceptionObject));
    Environment.Exit(ExitCode.Failed);
};
return await CommandLine.RunAsync(args);
