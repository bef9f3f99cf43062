"""Generation token by token in any precision, written apart from model.py's forward pass: each checks the other."""

import math

import numpy as np
import torch

from model import views
from tokenizer import BOS


class Decoder:
    def __init__(self, shape, params, dtype=torch.float32):
        self.shape, self.dtype = shape, dtype
        self.w = {name: tensor.to(dtype) for name, tensor in views(shape, params).items()}
        self.frequencies = shape.rotary_base ** (-torch.arange(0, shape.head_size, 2, dtype=torch.float64) / shape.head_size)
        self.reset()

    def reset(self):
        self.position = 0
        self.keys = [[] for _ in range(self.shape.layers)]
        self.values = [[] for _ in range(self.shape.layers)]

    def _norm(self, x, gain):
        return x * torch.rsqrt((x * x).mean() + self.shape.epsilon) * self.w[gain][0]

    def _turn(self, heads):
        angle = self.position * self.frequencies
        c, d = angle.cos().to(self.dtype), angle.sin().to(self.dtype)
        a, b = heads[:, 0::2], heads[:, 1::2]
        return torch.stack((a * c - b * d, a * d + b * c), -1).flatten(1)

    def feed(self, token):
        """The logits after one more token."""
        z, w = self.shape, self.w
        x = w["token_embd.weight"][token]
        for i in range(z.layers):
            h = self._norm(x, f"blk.{i}.attn_norm.weight")
            q = self._turn((w[f"blk.{i}.attn_q.weight"] @ h).view(z.heads, -1))
            self.keys[i].append(self._turn((w[f"blk.{i}.attn_k.weight"] @ h).view(z.kv_heads, -1)))
            self.values[i].append((w[f"blk.{i}.attn_v.weight"] @ h).view(z.kv_heads, -1))
            keys, values = torch.stack(self.keys[i], 1), torch.stack(self.values[i], 1)   # [kv head][position][size]
            q = q.view(z.kv_heads, -1, z.head_size)                                       # query head h reads key head h div group
            p = torch.softmax(q @ keys.transpose(1, 2) / math.sqrt(z.head_size), -1)
            x = x + w[f"blk.{i}.attn_output.weight"] @ (p @ values).reshape(-1)
            h = self._norm(x, f"blk.{i}.ffn_norm.weight")
            gate = w[f"blk.{i}.ffn_gate.weight"] @ h
            x = x + w[f"blk.{i}.ffn_down.weight"] @ (gate * torch.sigmoid(gate) * (w[f"blk.{i}.ffn_up.weight"] @ h))
        self.position += 1
        return w["token_embd.weight"] @ self._norm(x, "output_norm.weight")


def greedy(decoder, ids, count):
    """The argmax continuation, and the smallest gap between the two largest logits on the way."""
    decoder.reset()
    for token in ids:
        logits = decoder.feed(token)
    chosen, gap = [], math.inf
    for _ in range(count):
        top = torch.topk(logits, 2)
        gap = min(gap, float(top.values[0] - top.values[1]))
        chosen.append(int(top.indices[0]))
        logits = decoder.feed(chosen[-1])
    return chosen, gap


def sample(decoder, tokenizer, prompt, count, temperature, seed):
    """A text of `count` tokens drawn from softmax(logits / temperature), control tokens barred; the prompt is not part of it."""
    generator = np.random.RandomState(seed)
    decoder.reset()
    for token in [BOS] + tokenizer.encode(prompt):
        logits = decoder.feed(token)
    chosen = []
    for _ in range(count):
        scaled = logits.double().numpy() / temperature
        scaled[:3] = -np.inf
        p = np.exp(scaled - scaled.max())
        cumulative = np.cumsum(p)
        token = int(np.searchsorted(cumulative, generator.random_sample() * cumulative[-1], side="right"))
        chosen.append(token)
        logits = decoder.feed(token)
    return tokenizer.decode(chosen, start_of_text=False)
