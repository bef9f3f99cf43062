using System.Globalization;
using Silo.Experiments.Generation;
using Silo.Models;

namespace Silo.Local.Models;

/// <summary>The model of a run in this process. It is opened when it is first needed: a finished run answers without it.</summary>
public sealed class LocalModel : IAsyncDisposable
{
    private readonly string? _path;
    private readonly ModelOptions? _options;
    private ILanguageModel? _model;
    private GenerationEngine? _owned;
    private IGenerationEngine? _engine;

    /// <summary>A model's file or folder.</summary>
    /// <param name="path">Its path.</param>
    /// <param name="options">How it is opened.</param>
    public LocalModel(string path, ModelOptions? options = null) => (_path, _options) = (path, options);

    /// <summary>An engine that is there already; it stays the caller's.</summary>
    public LocalModel(IGenerationEngine engine) => _engine = engine;

    /// <summary>The engine.</summary>
    /// <exception cref="Core.SiloException">The model cannot be opened.</exception>
    public IGenerationEngine Engine => _engine ??= _owned = new GenerationEngine(Model!);

    /// <summary>The model itself, for replays; null where only an engine was given.</summary>
    /// <exception cref="Core.SiloException">The model cannot be opened.</exception>
    public ILanguageModel? Model => _model ??= _path is null ? null : LanguageModels.Open(_path, _options);

    /// <summary>
    /// Says whether the model is still the one it was, without reading it: path, size and time of change; of a folder, of all its files. Null where
    /// there is none, or the folder is empty.
    /// </summary>
    public string? Stamp
    {
        get
        {
            if (_path is null) return null;
            var folder = new DirectoryInfo(_path);
            FileSystemInfo model = folder.Exists ? folder : new FileInfo(_path);
            if (!model.Exists) return null;
            var files = folder.Exists ? folder.GetFiles() : [(FileInfo)model];
            if (files.Length == 0) return null;
            return string.Create(CultureInfo.InvariantCulture, $"{model.FullName}|{files.Sum(file => file.Length)}|{files.Max(file => file.LastWriteTimeUtc.Ticks)}");
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_owned is not null) await _owned.DisposeAsync();
        (_model as IDisposable)?.Dispose();
    }
}
