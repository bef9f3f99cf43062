"""Write and read the model as GGUF version 3: F32, and Q8_0 as ggml quantises."""

import struct

import numpy as np
import torch

from model import Shape, views

ALIGNMENT = 32
F32, Q8_0 = 0, 8
U32, I32, FLOAT, BOOL, STRING, ARRAY, U64 = 4, 5, 6, 7, 8, 9, 10
FORMATS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", U32: "<I", I32: "<i", FLOAT: "<f", BOOL: "<?", U64: "<Q", 11: "<q", 12: "<d"}


def quantise(matrix):
    """Rows to Q8_0 blocks of 32: the scale max|x| / 127 as float16, then 32 signed bytes round(x / scale)."""
    blocks = matrix.astype(np.float32).reshape(-1, 32)
    scale = np.abs(blocks).max(1, keepdims=True) / np.float32(127)
    inverse = np.divide(np.float32(1), scale, out=np.zeros_like(scale), where=scale > 0)
    scaled = blocks * inverse
    quants = np.copysign(np.floor(np.abs(scaled) + np.float32(.5)), scaled).astype(np.int8)   # halves away from zero, as roundf
    packed = np.empty(len(blocks), dtype=[("scale", "<f2"), ("quants", "i1", 32)])
    packed["scale"], packed["quants"] = scale[:, 0].astype(np.float16), quants
    return packed.tobytes()


def dequantise(data, count):
    packed = np.frombuffer(data, dtype=[("scale", "<f2"), ("quants", "i1", 32)], count=count // 32)
    return (packed["scale"].astype(np.float32)[:, None] * packed["quants"].astype(np.float32)).reshape(-1)


def _string(text):
    data = text.encode("utf-8")
    return struct.pack("<Q", len(data)) + data


def _value(kind, value):
    if kind == STRING:
        return _string(value)
    if isinstance(kind, tuple):
        return struct.pack("<IQ", kind[1], len(value)) + b"".join(_value(kind[1], v) for v in value)
    return struct.pack(FORMATS[kind], value)


def write_model(path, shape, params, pieces, about, quantised):
    """`about`: general.* strings; `pieces`: [text, score, type] rows in id order."""
    tensors = []
    for name, tensor in views(shape, params).items():
        matrix = tensor.detach().cpu().float().numpy()
        if "norm" in name:
            tensors.append((name, matrix.shape[1:], F32, matrix.tobytes()))
        elif quantised:
            tensors.append((name, matrix.shape, Q8_0, quantise(matrix)))
        else:
            tensors.append((name, matrix.shape, F32, matrix.tobytes()))
    metadata = [("general.architecture", STRING, "llama")]
    metadata += [(f"general.{key}", STRING, value) for key, value in about.items()]
    metadata += [
        ("general.file_type", U32, 7 if quantised else 0),
        ("general.quantization_version", U32, 2),
        ("llama.context_length", U32, shape.context),
        ("llama.embedding_length", U32, shape.width),
        ("llama.block_count", U32, shape.layers),
        ("llama.feed_forward_length", U32, shape.feed_forward),
        ("llama.attention.head_count", U32, shape.heads),
        ("llama.attention.head_count_kv", U32, shape.kv_heads),
        ("llama.attention.layer_norm_rms_epsilon", FLOAT, shape.epsilon),
        ("llama.rope.dimension_count", U32, shape.head_size),
        ("llama.rope.freq_base", FLOAT, shape.rotary_base),
        ("llama.vocab_size", U32, shape.vocabulary),
        ("tokenizer.ggml.model", STRING, "llama"),
        ("tokenizer.ggml.pre", STRING, "default"),
        ("tokenizer.ggml.tokens", (ARRAY, STRING), [p[0] for p in pieces]),
        ("tokenizer.ggml.scores", (ARRAY, FLOAT), [p[1] for p in pieces]),
        ("tokenizer.ggml.token_type", (ARRAY, I32), [p[2] for p in pieces]),
        ("tokenizer.ggml.bos_token_id", U32, 1),
        ("tokenizer.ggml.eos_token_id", U32, 2),
        ("tokenizer.ggml.unknown_token_id", U32, 0),
        ("tokenizer.ggml.add_bos_token", BOOL, True),
        ("tokenizer.ggml.add_eos_token", BOOL, False),
        ("tokenizer.ggml.add_space_prefix", BOOL, True),
    ]
    head = struct.pack("<4sIQQ", b"GGUF", 3, len(tensors), len(metadata))
    for key, kind, value in metadata:
        head += _string(key) + struct.pack("<I", ARRAY if isinstance(kind, tuple) else kind) + _value(kind, value)
    offset = 0
    for name, dimensions, kind, data in tensors:
        head += _string(name) + struct.pack("<I", len(dimensions)) + struct.pack(f"<{len(dimensions)}Q", *reversed(dimensions))
        head += struct.pack("<IQ", kind, offset)
        offset += -(-len(data) // ALIGNMENT) * ALIGNMENT
    with open(path, "wb") as file:
        file.write(head + bytes(-len(head) % ALIGNMENT))
        for *_, data in tensors:
            file.write(data + bytes(-len(data) % ALIGNMENT))


def read_model(path):
    """The shape, the flat float32 parameters (dequantised) and the pieces of a file that `write_model` wrote."""
    with open(path, "rb") as file:
        data = file.read()
    at = 0

    def take(form):
        nonlocal at
        value, = struct.unpack_from(form, data, at)
        at += struct.calcsize(form)
        return value

    def string():
        nonlocal at
        length = take("<Q")
        at += length
        return data[at - length:at].decode("utf-8")

    def value(kind):
        if kind == STRING:
            return string()
        if kind == ARRAY:
            inner, count = take("<I"), take("<Q")
            return [value(inner) for _ in range(count)]
        return take(FORMATS[kind])

    if take("<4s") != b"GGUF" or take("<I") != 3:
        raise ValueError(f"{path} is no GGUF version 3 file")
    tensors, keys = take("<Q"), take("<Q")
    metadata = {string(): value(take("<I")) for _ in range(keys)}
    entries = []
    for _ in range(tensors):
        name = string()
        dimensions = [take("<Q") for _ in range(take("<I"))]
        entries.append((name, int(np.prod(dimensions)), take("<I"), take("<Q")))
    start = -(-at // ALIGNMENT) * ALIGNMENT
    shape = Shape(
        vocabulary=len(metadata["tokenizer.ggml.tokens"]), width=metadata["llama.embedding_length"], layers=metadata["llama.block_count"],
        heads=metadata["llama.attention.head_count"], kv_heads=metadata["llama.attention.head_count_kv"],
        feed_forward=metadata["llama.feed_forward_length"], context=metadata["llama.context_length"],
        epsilon=float(np.float32(metadata["llama.attention.layer_norm_rms_epsilon"])), rotary_base=metadata["llama.rope.freq_base"])
    flat = torch.empty(shape.size)
    named = views(shape, flat)
    for name, count, kind, offset in entries:
        begin = start + offset
        if kind not in (F32, Q8_0):
            raise ValueError(f"{name}: tensor type {kind} is neither F32 nor Q8_0")
        if kind == F32:
            numbers = np.frombuffer(data, np.float32, count, begin).copy()
        else:
            numbers = dequantise(data[begin:begin + count // 32 * 34], count)
        named[name].copy_(torch.from_numpy(numbers).view_as(named[name]))
    pieces = [list(p) for p in zip(metadata["tokenizer.ggml.tokens"], metadata["tokenizer.ggml.scores"], metadata["tokenizer.ggml.token_type"])]
    return shape, flat, pieces
