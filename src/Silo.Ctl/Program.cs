using OpenTelemetry;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using Silo.Cluster.Contracts;
using Silo.Ctl;

AppDomain.CurrentDomain.UnhandledException += (_, e) =>
{
    Output.Note(((Exception)e.ExceptionObject).Message);
    Environment.Exit(1);
};
// Where a collector is named, a submission's trace begins here; what the hosts do for it links to that.
using var traces = string.IsNullOrEmpty(Environment.GetEnvironmentVariable("OTEL_EXPORTER_OTLP_ENDPOINT"))
    ? null
    : Sdk.CreateTracerProviderBuilder().ConfigureResource(resource => resource.AddService("siloctl", "silo"))
        .AddSource(ClusterMetrics.MeterName, "Microsoft.Orleans.*").AddOtlpExporter().Build();
return await CtlCommandLine.RunAsync(args);
