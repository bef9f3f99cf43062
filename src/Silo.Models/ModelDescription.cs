using Silo.Core;
using Silo.Models.Gguf;
using Silo.Models.OnnxGenAI;

namespace Silo.Models;

/// <summary>A tensor of a model's file.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">The format of its values, e.g. Q8_0 or float16.</param>
/// <param name="Shape">Its sizes, in the file's own order.</param>
/// <param name="Bytes">Bytes of its values.</param>
public sealed record ModelTensor(string Name, string Type, IReadOnlyList<long> Shape, long Bytes);

/// <summary>What a model's file or folder says of itself, without being opened as a model.</summary>
/// <param name="Metadata">Names and values, as texts.</param>
/// <param name="Tensors">The weights, in the order in which they lie.</param>
public sealed record ModelDescription(IReadOnlyDictionary<string, string> Metadata, IReadOnlyList<ModelTensor> Tensors)
{
    /// <summary>Reads it from a GGUF file, or from a folder of ONNX Runtime GenAI.</summary>
    /// <exception cref="SiloException">It cannot be read; the message names file and cause.</exception>
    public static ModelDescription Read(string path)
    {
        if (ModelFolder.IsOne(path))
        {
            var folder = ModelFolder.Open(path);
            var operators = folder.Graph.Operators.Select(pair => KeyValuePair.Create($"operator {pair.Key}", $"{pair.Value}"));
            return new ModelDescription(new Dictionary<string, string>(folder.Settings().Concat(operators)),
                [.. folder.Graph.Constants.Where(c => c.Sizes.Count > 0).Select(c => new ModelTensor(c.Name, OnnxHeader.NameOf(c.Type), c.Sizes, c.Bytes))]);
        }
        using var file = GgufFile.Open(path);
        return new ModelDescription(file.Metadata.Values.ToDictionary(pair => pair.Key, pair => GgufMetadata.Show(pair.Value)),
            [.. file.Tensors.Values.OrderBy(tensor => tensor.Offset).Select(tensor => new ModelTensor(tensor.Name, tensor.Type.ToString(), tensor.Dimensions, tensor.Bytes))]);
    }
}
