"""The element-wise operations of the model and their gradients: in PyTorch for any device, fused in C for processors.

Shapes: n tokens = batch * s; x and its gradient are float32 (the residual stream), the rest bfloat16 (float32 without it).
"""

import ctypes
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import torch


class TorchOps:
    """The reference: plain PyTorch on any device, in the type of the weights."""

    def embed(self, ids, table):
        return table[ids].float()

    def embed_backward(self, ids, dx, dtable):
        dtable.index_add_(0, ids, dx)

    def add(self, x, y):
        x += y

    def narrow(self, x, like):
        return x.to(like.dtype)

    def norm(self, x, gain, epsilon, like):
        inverse = torch.rsqrt((x * x).mean(1, keepdim=True) + epsilon)
        return (x * inverse * gain).to(like.dtype), inverse

    def norm_backward(self, dh, x, gain, inverse, dx, dgain):
        dh = dh.float()
        dgain += (dh * x * inverse).sum(0)
        dh = dh * gain
        dx += inverse * (dh - x * inverse * inverse * (dh * x).mean(1, keepdim=True))

    def _turn(self, x, turn, sign):
        a, b = x[..., 0::2].float(), x[..., 1::2].float()
        c, d = turn[:, 0::2], turn[:, 1::2] * sign
        return torch.stack((a * c - b * d, a * d + b * c), -1).flatten(-2).to(x.dtype)

    def split(self, qkv, turn, batch, heads, kv, size):
        q, k, v = qkv.view(batch, -1, heads + 2 * kv, size).transpose(1, 2).split((heads, kv, kv), 1)
        return self._turn(q, turn, 1), self._turn(k, turn, 1), v.contiguous()

    def split_backward(self, dq, dk, dv, turn):
        dqkv = torch.cat((self._turn(dq, turn, -1), self._turn(dk, turn, -1), dv), 1)
        return dqkv.transpose(1, 2).reshape(dq.shape[0] * dq.shape[2], -1)

    def join(self, o):
        return o.transpose(1, 2).reshape(o.shape[0] * o.shape[2], -1)

    def join_backward(self, do, batch, heads):
        return do.view(batch, -1, heads, do.shape[1] // heads).transpose(1, 2).contiguous()

    def softmax(self, scores, scale):
        s = scores.shape[-1]
        mask = torch.ones(s, s, dtype=torch.bool, device=scores.device).triu(1)
        scores = (scores.view(-1, s, s).float() * scale).masked_fill(mask, float("-inf"))
        return torch.softmax(scores, -1)

    def softmax_(self, scores, scale):
        scores.copy_(self.softmax(scores, scale).view_as(scores))

    def softmax_backward_(self, p, dp, scale):
        wide, dwide = p.float(), dp.float()
        dp.copy_(wide * (dwide - (wide * dwide).sum(-1, keepdim=True)) * scale)

    def swiglu(self, gu):
        gate, up = gu.float().chunk(2, 1)
        return (gate * torch.sigmoid(gate) * up).to(gu.dtype)

    def swiglu_backward(self, gu, da):
        gate, up = gu.float().chunk(2, 1)
        da, s = da.float(), torch.sigmoid(gate)
        return torch.cat((da * up * s * (1 + gate * (1 - s)), da * gate * s), 1).to(gu.dtype)

    def cross_entropy_(self, logits, targets, scale):
        """In place: logits to the gradient of the loss times `scale`; returns the summed loss in nats. Targets below 0 do not count."""
        scored = targets >= 0
        logp = torch.log_softmax(logits.float(), 1)
        wanted = targets.clamp(min=0).unsqueeze(1)
        loss = -logp.gather(1, wanted).squeeze(1)[scored].double().sum()
        gradient = logp.exp_()
        gradient.scatter_add_(1, wanted, torch.full_like(wanted, -1, dtype=gradient.dtype))
        logits.copy_(gradient * (scored.unsqueeze(1) * scale))
        return float(loss)


class FusedOps:
    """The same in C, for bfloat16 weights on a processor."""

    def __init__(self, library):
        self.c = library
        self.c.cross_entropy.restype = ctypes.c_double
        self.c.keep_memory()

    @staticmethod
    def build():
        """The operations, or None where there is no C compiler."""
        compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
        if not compiler or sys.platform == "win32":
            return None
        folder = tempfile.mkdtemp()
        target = str(Path(folder) / "kernels.so")
        built = subprocess.run([compiler, "-O3", "-march=native", "-ffast-math", "-shared", "-fPIC", "-o", target,
                                str(Path(__file__).with_name("kernels.c")), "-lm"], capture_output=True)
        library = ctypes.CDLL(target) if built.returncode == 0 else None
        shutil.rmtree(folder)
        return library and FusedOps(library)

    @staticmethod
    def _call(function, *arguments):
        return function(*[
            ctypes.c_void_p(a.data_ptr()) if isinstance(a, torch.Tensor) else ctypes.c_float(a) if isinstance(a, float) else ctypes.c_long(a)
            for a in arguments])

    def embed(self, ids, table):
        x = torch.empty(len(ids), table.shape[1])
        self._call(self.c.embed, len(ids), table.shape[1], ids, table, x)
        return x

    def embed_backward(self, ids, dx, dtable):
        self._call(self.c.embed_backward, len(ids), dx.shape[1], ids, dx, dtable)

    def add(self, x, y):
        self._call(self.c.add, x.numel(), y, x)

    def narrow(self, x, like):
        y = torch.empty(x.shape, dtype=torch.bfloat16)
        self._call(self.c.narrow_all, x.numel(), x, y)
        return y

    def norm(self, x, gain, epsilon, like):
        h, inverse = torch.empty(x.shape, dtype=torch.bfloat16), torch.empty(len(x))
        self._call(self.c.norm, *x.shape, float(epsilon), x, gain, h, inverse)
        return h, inverse

    def norm_backward(self, dh, x, gain, inverse, dx, dgain):
        self._call(self.c.norm_backward, *x.shape, dh, x, gain, inverse, dx, dgain)

    def split(self, qkv, turn, batch, heads, kv, size):
        s = len(qkv) // batch
        q, k, v = (torch.empty(batch, h, s, size, dtype=torch.bfloat16) for h in (heads, kv, kv))
        self._call(self.c.split, batch, s, heads, kv, size, qkv, turn, q, k, v)
        return q, k, v

    def split_backward(self, dq, dk, dv, turn):
        batch, heads, s, size = dq.shape
        kv = dk.shape[1]
        dqkv = torch.empty(batch * s, (heads + 2 * kv) * size, dtype=torch.bfloat16)
        self._call(self.c.split_backward, batch, s, heads, kv, size, dq, dk, dv, turn, dqkv)
        return dqkv

    def join(self, o):
        batch, heads, s, size = o.shape
        joined = torch.empty(batch * s, heads * size, dtype=torch.bfloat16)
        self._call(self.c.join, batch, s, heads, size, o, joined)
        return joined

    def join_backward(self, do, batch, heads):
        s, size = len(do) // batch, do.shape[1] // heads
        parted = torch.empty(batch, heads, s, size, dtype=torch.bfloat16)
        self._call(self.c.join_backward, batch, s, heads, size, do, parted)
        return parted

    def softmax_(self, scores, scale):
        s = scores.shape[-1]
        self._call(self.c.softmax, scores.numel() // (s * s), s, float(scale), scores)

    def softmax_backward_(self, p, dp, scale):
        s = p.shape[-1]
        self._call(self.c.softmax_backward, p.numel() // (s * s), s, float(scale), p, dp)

    def swiglu(self, gu):
        n, width = gu.shape
        a = torch.empty(n, width // 2, dtype=torch.bfloat16)
        self._call(self.c.swiglu, n, width // 2, gu, a)
        return a

    def swiglu_backward(self, gu, da):
        dgu = torch.empty_like(gu)
        self._call(self.c.swiglu_backward, *da.shape, gu, da, dgu)
        return dgu

    def cross_entropy_(self, logits, targets, scale):
        return self._call(self.c.cross_entropy, *logits.shape, float(scale), targets, logits)
