"""Bits per byte as `silo perplexity` reports it."""

import math

import torch

from tokenizer import BOS

DIVIDER = "<|endoftext|>"


def windows(count, context):
    """(start, end, first scored) over `count` tokens: windows of the context's length less BOS, stride half; each token scored once."""
    length, stride, scored = context - 1, context // 2, 0
    start = 0
    while scored < count:
        end = min(start + length, count)
        yield start, end, scored
        scored, start = end, start + stride


def token_losses(network, ids, device, context, every=1):
    """(token index, nats) for each token of a document, in windows opened by BOS; with `every` only each such window."""
    for n, (start, end, first) in enumerate(windows(len(ids), context)):
        if n % every:
            continue
        inputs = torch.tensor([[BOS] + ids[start:end - 1]], device=device)
        targets = torch.tensor(ids[start:end], device=device)
        logits = network.forward(inputs).float()
        nats = torch.nn.functional.cross_entropy(logits, targets, reduction="none")
        for i in range(first, end):
            yield i, i - start, float(nats[i - start])


def bits_per_byte(network, tokenizer, text, device, every=1, by_position=None):
    """Over all documents of a text. `by_position`, a dict, receives the list of losses at each position of the window."""
    nats, size = 0., 0
    for document in text.split(DIVIDER):
        document = document.strip("\n")
        if not document:
            continue
        ids = tokenizer.encode(document)
        for i, position, loss in token_losses(network, ids, device, network.shape.context, every):
            nats += loss
            size += len(tokenizer.token_bytes(ids[i])) - (i == 0)
            if by_position is not None:
                by_position.setdefault(position, []).append(loss)
    return nats / math.log(2) / size
