"""Muon for the matrices, Adam for the embedding and the gains."""

import torch


def orthogonalise(matrices, dtype):
    """The nearest semi-orthogonal matrices of a stack [n][rows][columns], by five quintic Newton-Schulz steps (Jordan et al., 2024)."""
    tall = matrices.shape[1] > matrices.shape[2]
    x = matrices.transpose(1, 2) if tall else matrices
    x = (x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)).to(dtype).contiguous()
    for _ in range(5):
        a = torch.bmm(x, x.transpose(1, 2))
        b = -4.7750 * a + 2.0315 * torch.bmm(a, a)
        x = 3.4445 * x + torch.bmm(b, x)
    return x.transpose(1, 2) if tall else x


class Optimiser:
    """Updates one group of tensors at a time, so that processes can share the groups out."""

    matrix_rate, matrix_momentum, matrix_decay = 4e-3, .95, .1
    other_rate, embedding_decay, betas = .03, .01, (.9, .99)

    def __init__(self, params, weights, first, second, seeds_of_gradient):
        """Named views of the flat vectors; `seeds_of_gradient`: one set of views for each process that adds to the gradient."""
        self.params, self.weights, self.first, self.second, self.gradients = params, weights, first, second, seeds_of_gradient
        by_shape = {}
        for name, tensor in params.items():
            kind = "other" if "norm" in name or name.startswith("token_embd") else tuple(tensor.shape)
            by_shape.setdefault(kind, []).append(name)
        # Groups of at most six matrices of one shape: a stack is one product.
        self.groups = [(kind, names[i:i + 6]) for kind, names in sorted(by_shape.items(), key=str) for i in range(0, len(names), 6)
                       if kind != "other"] + [("other", [name]) for name in by_shape["other"]]
        self.groups.sort(key=lambda g: -sum(params[name].numel() for name in g[1]))

    def gradient(self, name):
        """The summed gradient of a tensor; clears it."""
        total = self.gradients[0][name].clone()
        self.gradients[0][name].zero_()
        for other in self.gradients[1:]:
            total += other[name]
            other[name].zero_()
        return total

    def update(self, group, step, rate):
        """Update group number `group` at step `step` (from 1) with the rates multiplied by `rate`."""
        kind, names = self.groups[group]
        if kind == "other":
            name, = names
            g, m, v = self.gradient(name), self.first[name], self.second[name]
            m.mul_(self.betas[0]).add_(g, alpha=1 - self.betas[0])
            v.mul_(self.betas[1]).addcmul_(g, g, value=1 - self.betas[1])
            decay = self.embedding_decay if name.startswith("token_embd") else 0
            lr = self.other_rate * rate * (1 if decay else .3)
            self.params[name].mul_(1 - lr * decay)
            # Bias-corrected moments: m / (1 - beta1^t) over sqrt(v / (1 - beta2^t)).
            unbias = (1 - self.betas[1] ** step) ** .5
            self.params[name].addcdiv_(m, v.sqrt().add_(1e-10), value=-lr * unbias / (1 - self.betas[0] ** step))
        else:
            stack = []
            for name in names:
                g, m = self.gradient(name), self.first[name]
                m.mul_(self.matrix_momentum).add_(g, alpha=1 - self.matrix_momentum)
                stack.append(g.mul_(1 - self.matrix_momentum).add_(m, alpha=self.matrix_momentum))   # Nesterov
            updates = orthogonalise(torch.stack(stack), self.weights[names[0]].dtype)
            lr = self.matrix_rate * rate
            for name, u in zip(names, updates):
                self.params[name].mul_(1 - lr * self.matrix_decay).add_(u.float(), alpha=-lr * .2 * max(u.shape) ** .5)
        for name in names:
            self.weights[name].copy_(self.params[name])
