using Silo.Ctl;

AppDomain.CurrentDomain.UnhandledException += (_, e) =>
{
    Console.Error.WriteLine(((Exception)e.ExceptionObject).Message.ReplaceLineEndings(" "));
    Environment.Exit(1);
};
return await CtlCommandLine.RunAsync(args);
