using System.Globalization;
using Silo.ModelMaker;
using Silo.Models.Tests.Gguf.Llama;

// Makes models for tests and timings:
//   dotnet run --project tests/Silo.ModelMaker -- random MODEL.gguf [vocabulary] [width] [layers] [context]
//   dotnet run --project tests/Silo.ModelMaker -- onnx MODEL.gguf FOLDER [half] [states] [pruned]
// and runs a folder in a process that may take no more than so many megabytes, for as many rows:
//   dotnet run --project tests/Silo.ModelMaker -- starve FOLDER MEGABYTES ROWS
switch (args)
{
    case ["random", var path, .. var sizes]:
        int Size(int index, int otherwise) => index < sizes.Length ? int.Parse(sizes[index], CultureInfo.InvariantCulture) : otherwise;
        var width = Size(1, 64);
        var model = RandomLlama.With(new TinyLlama
        {
            Vocabulary = Size(0, 128_256),
            Width = width,
            Layers = Size(2, 2),
            Context = Size(3, 512),
            Heads = 4,
            KeyValueHeads = 2,
            HeadSize = Math.Max(16, width / 64 * 16),
            RotaryDimensions = Math.Max(16, width / 64 * 16),
            FeedForward = width * 5 / 2,
        });
        File.WriteAllBytes(path, model.File());
        return 0;
    case ["onnx", var gguf, var folder, .. var options]:
        GenAIFolder.Write(gguf, folder, new FolderOptions
        {
            Half = options.Contains("half"),
            HiddenStates = options.Contains("states"),
            LastLogitsOnly = options.Contains("pruned"),
        });
        return 0;
    case ["starve", var folder, var megabytes, var rows]:
        return await Starved.RunAsync(folder, int.Parse(megabytes, CultureInfo.InvariantCulture), int.Parse(rows, CultureInfo.InvariantCulture));
    default:
        Console.Error.WriteLine("expected: random MODEL.gguf [vocabulary] [width] [layers] [context], onnx MODEL.gguf FOLDER [half] [states] [pruned], or starve FOLDER MEGABYTES ROWS");
        return 2;
}
