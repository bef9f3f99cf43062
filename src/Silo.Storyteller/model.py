"""The storyteller's network (the "llama" architecture of GGUF), with its backward pass written out.

Parameters live in one flat float32 vector, their working copies in one flat bfloat16 vector, gradients in one flat float32 vector,
so that processes can share them and an optimiser can walk them.
"""

import math
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Shape:
    vocabulary: int = 4096
    width: int = 256
    layers: int = 6
    heads: int = 4
    kv_heads: int = 2
    feed_forward: int = 640
    context: int = 512
    epsilon: float = 1e-5
    rotary_base: float = 10000.0

    @property
    def head_size(self):
        return self.width // self.heads

    def tensors(self):
        """(name, rows, columns) in the order of the flat vector; names are those of GGUF. Q, k, v and gate, up lie side by side."""
        d, f, kv = self.width, self.feed_forward, self.kv_heads * self.head_size
        yield "token_embd.weight", self.vocabulary, d
        for i in range(self.layers):
            yield f"blk.{i}.attn_norm.weight", 1, d
            yield f"blk.{i}.attn_q.weight", d, d
            yield f"blk.{i}.attn_k.weight", kv, d
            yield f"blk.{i}.attn_v.weight", kv, d
            yield f"blk.{i}.attn_output.weight", d, d
            yield f"blk.{i}.ffn_norm.weight", 1, d
            yield f"blk.{i}.ffn_gate.weight", f, d
            yield f"blk.{i}.ffn_up.weight", f, d
            yield f"blk.{i}.ffn_down.weight", d, f
        yield "output_norm.weight", 1, d

    @property
    def size(self):
        return sum(r * c for _, r, c in self.tensors())


def views(shape, flat):
    """The named tensors of a flat vector."""
    found, at = {}, 0
    for name, rows, columns in shape.tensors():
        found[name] = flat[at:at + rows * columns].view(rows, columns)
        at += rows * columns
    return found


def initial(shape, seed):
    """Small random matrices; those that write into the residual stream start at zero, gains at one."""
    generator = torch.Generator().manual_seed(seed)
    flat = torch.zeros(shape.size)
    for name, tensor in views(shape, flat).items():
        if "norm" in name:
            tensor.fill_(1)
        elif name == "token_embd.weight":
            tensor.normal_(0, .02, generator=generator)
        elif "output" not in name and "down" not in name:
            tensor.normal_(0, .5 / math.sqrt(tensor.shape[1]), generator=generator)
    return flat


class Network:
    def __init__(self, shape, ops, params, weights, gradients=None):
        """`params` float32, `weights` their working copies in the type of the products, `gradients` float32 or None; all flat."""
        self.shape, self.ops = shape, ops
        self.params, self.weights = views(shape, params), views(shape, weights)
        self.gradients = views(shape, gradients) if gradients is not None else None
        self.fused_weights = self._fuse(weights)
        self.fused_gradients = self._fuse(gradients) if gradients is not None else None
        self.turns = {}

    def _fuse(self, flat):
        """(q, k, v) and (gate, up) of each layer as one matrix each: they lie side by side."""
        at, starts = 0, {}
        for name, rows, columns in self.shape.tensors():
            starts[name] = at
            at += rows * columns
        d = self.shape.width
        def matrix(first, last_exclusive):
            return flat[starts[first]:starts[last_exclusive]].view(-1, d)
        return [(matrix(f"blk.{i}.attn_q.weight", f"blk.{i}.attn_output.weight"), matrix(f"blk.{i}.ffn_gate.weight", f"blk.{i}.ffn_down.weight"))
                for i in range(self.shape.layers)]

    def turn(self, s):
        """[position][pair]: cosine, sine of position * base^(-2 pair / head size), for neighbouring pairs."""
        if s not in self.turns:
            size = self.shape.head_size
            angles = torch.arange(s, dtype=torch.float64)[:, None] * self.shape.rotary_base ** (-torch.arange(0, size, 2, dtype=torch.float64) / size)
            device = self.params["output_norm.weight"].device
            self.turns[s] = torch.stack((angles.cos(), angles.sin()), -1).flatten(1).float().contiguous().to(device)
        return self.turns[s]

    def forward(self, ids, keep=None):
        """Logits [batch * s][vocabulary] of ids [batch][s]; `keep`, a list, receives what the backward pass needs."""
        z, ops, w, p = self.shape, self.ops, self.weights, self.params
        batch, s = ids.shape
        flat_ids, turn, scale = ids.reshape(-1), self.turn(s), z.head_size ** -.5
        table = w["token_embd.weight"]
        x = ops.embed(flat_ids, table)
        for i in range(z.layers):
            wqkv, wgu = self.fused_weights[i]
            x1 = x.clone() if keep is not None else x
            h1, r1 = ops.norm(x1, p[f"blk.{i}.attn_norm.weight"], z.epsilon, table)
            q, k, v = ops.split(h1 @ wqkv.t(), turn, batch, z.heads, z.kv_heads, z.head_size)
            # Query heads of one key/value head lie one after another: one taller product.
            groups = (batch * z.kv_heads, -1, z.head_size)
            probabilities = torch.bmm(q.view(groups), k.view(groups).transpose(1, 2))
            ops.softmax_(probabilities, scale)
            o = ops.join(torch.bmm(probabilities, v.view(groups)).view(batch, z.heads, s, z.head_size))
            ops.add(x, o @ w[f"blk.{i}.attn_output.weight"].t())
            x2 = x.clone() if keep is not None else x
            h2, r2 = ops.norm(x2, p[f"blk.{i}.ffn_norm.weight"], z.epsilon, table)
            gu = h2 @ wgu.t()
            a = ops.swiglu(gu)
            ops.add(x, a @ w[f"blk.{i}.ffn_down.weight"].t())
            if keep is not None:
                keep.append((x1, h1, r1, q, k, v, probabilities, o, x2, h2, r2, gu, a))
        h, r = ops.norm(x, p["output_norm.weight"], z.epsilon, table)
        if keep is not None:
            keep.append((flat_ids, turn, x, h, r))
        return h @ table.t()

    def backward(self, dlogits, kept, batch):
        """Add the gradients of what `forward` kept to `gradients`."""
        z, ops, w, p, g = self.shape, self.ops, self.weights, self.params, self.gradients
        scale = z.head_size ** -.5
        flat_ids, turn, x, h, r = kept.pop()
        g["token_embd.weight"] += dlogits.t() @ h
        dx = torch.zeros_like(x)
        ops.norm_backward(dlogits @ w["token_embd.weight"], x, p["output_norm.weight"], r, dx, g["output_norm.weight"][0])
        for i in reversed(range(z.layers)):
            x1, h1, r1, q, k, v, probabilities, o, x2, h2, r2, gu, a = kept.pop()
            wqkv, wgu = self.fused_weights[i]
            gqkv, ggu = self.fused_gradients[i]
            dy = ops.narrow(dx, dlogits)
            g[f"blk.{i}.ffn_down.weight"] += dy.t() @ a
            dgu = ops.swiglu_backward(gu, dy @ w[f"blk.{i}.ffn_down.weight"])
            ggu += dgu.t() @ h2
            ops.norm_backward(dgu @ wgu, x2, p[f"blk.{i}.ffn_norm.weight"], r2, dx, g[f"blk.{i}.ffn_norm.weight"][0])
            dy = ops.narrow(dx, dlogits)
            g[f"blk.{i}.attn_output.weight"] += dy.t() @ o
            groups = (batch * z.kv_heads, -1, z.head_size)
            do = ops.join_backward(dy @ w[f"blk.{i}.attn_output.weight"], batch, z.heads).view(groups)
            dscores = torch.bmm(do, v.view(groups).transpose(1, 2))
            dv = torch.bmm(probabilities.transpose(1, 2), do)
            ops.softmax_backward_(probabilities, dscores, scale)
            dq = torch.bmm(dscores, k.view(groups))
            dk = torch.bmm(dscores.transpose(1, 2), q.view(groups))
            dqkv = ops.split_backward(dq.view_as(q), dk.view_as(k), dv.view_as(v), turn)
            gqkv += dqkv.t() @ h1
            ops.norm_backward(dqkv @ wqkv, x1, p[f"blk.{i}.attn_norm.weight"], r1, dx, g[f"blk.{i}.attn_norm.weight"][0])
        ops.embed_backward(flat_ids, dx, g["token_embd.weight"])

    def learn(self, ids, targets, scale):
        """Add the gradient of `scale` times the summed loss of a batch; returns the summed loss in nats."""
        kept = []
        logits = self.forward(ids, kept)
        loss = self.ops.cross_entropy_(logits, targets.reshape(-1), scale)
        self.backward(logits, kept, len(ids))
        return loss
