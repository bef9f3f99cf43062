# Inference on a GPU: the natives of Microsoft.ML.OnnxRuntimeGenAI.Cuda are built with CUDA 13.1 from 0.15 on (12.x up to 0.14), and want cuDNN 9: no
# older runtime than that, since a minor version's libraries may lack what a later one's callers use.
FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
WORKDIR /source
COPY . .
RUN dotnet publish src/Silo.Host.Cuda -c Release -r linux-x64 --self-contained false -o /app --nologo

FROM mcr.microsoft.com/dotnet/aspnet:10.0-noble AS dotnet

FROM nvidia/cuda:13.1.1-cudnn-runtime-ubuntu24.04
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates libssl3t64 libstdc++6 zlib1g && rm -rf /var/lib/apt/lists/*
COPY --from=dotnet /usr/share/dotnet /usr/share/dotnet
RUN ln -s /usr/share/dotnet/dotnet /usr/bin/dotnet && useradd --uid 1654 --no-create-home --shell /usr/sbin/nologin silo
# The natives read the last one from the process's real environment, before any code of ours runs.
ENV SILO_ENTRY=Silo.Host.Cuda.dll DOTNET_RUNNING_IN_CONTAINER=true ORT_DISABLE_TELEMETRY=1
WORKDIR /app
COPY --from=build /app .
# The model's folder, mounted read-only; one process a GPU, CUDA_VISIBLE_DEVICES says which.
VOLUME /models
USER 1654
EXPOSE 8080 11111
STOPSIGNAL SIGTERM
ENTRYPOINT ["sh", "-c", "exec dotnet \"$SILO_ENTRY\""]
