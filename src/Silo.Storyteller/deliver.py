"""What is made from a trained checkpoint: the GGUF files, golden logits, bits per byte, sample texts, the check against memorising."""

import hashlib
import json
import math
import re
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
import torch

from evaluate import bits_per_byte
from generate import Decoder, greedy, sample
from gguf import read_model, write_model
from model import Network
from ops import TorchOps
from tokenizer import BOS, SpmTokenizer

ABOUT = {
    "type": "model", "name": "storyteller", "author": "Silo",
    "description": "A small storyteller trained from scratch on public-domain stories",
}

GOLDEN = [
    ("The fox looked at the moon", 24, [0, 7, 15, 23]),
    ('"Who is there?" she asked.\n\nNobody answered.', 24, [0, 7, 15, 23]),
    ("In the year 1872, caf\u00e9s  were \u2603 few;", 24, [0, 7, 15, 23]),
    ("Long ago there lived", 512, [127, 255, 383, 511]),
]


def read_prompts(path):
    return [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines() if line]


def export(checkpoint, pieces, target, quantised):
    from model import Shape
    state = torch.load(checkpoint)
    write_model(target, Shape(**state["shape"]), state["params"], json.loads(Path(pieces).read_text()), ABOUT, quantised)
    print(f"{target}: {Path(target).stat().st_size:,} bytes, sha256 {hashlib.sha256(Path(target).read_bytes()).hexdigest()}")


def golden(model, target, greedy_tokens=64):
    """Logits and greedy ids in float64 from the exactly dequantised weights of a file."""
    shape, params, pieces = read_model(model)
    tokenizer, decoder = SpmTokenizer(pieces), Decoder(shape, params, torch.float64)
    cases = []
    for prompt, positions, rows in GOLDEN:
        prompt_ids = [BOS] + tokenizer.encode(prompt)
        chosen, gap = greedy(decoder, prompt_ids, max(greedy_tokens, positions))
        input_ids = (prompt_ids + chosen)[:positions]
        decoder.reset()
        logits = [decoder.feed(token) for token in input_ids]
        if positions > greedy_tokens:   # the long case is there for its positions
            _, gap = greedy(decoder, prompt_ids, greedy_tokens)
        chosen = chosen[:greedy_tokens]
        cases.append({
            "prompt": prompt, "prompt_ids": prompt_ids, "input_ids": input_ids, "logit_positions": rows,
            "logits": [[float(f"{v:.7g}") for v in logits[row].tolist()] for row in rows],
            "greedy_ids": chosen, "greedy_text": tokenizer.decode(chosen, start_of_text=False), "greedy_min_gap": float(f"{gap:.4g}"),
        })
    document = {
        "model": Path(model).name, "sha256": hashlib.sha256(Path(model).read_bytes()).hexdigest(), "vocab_size": shape.vocabulary,
        "greedy_tokens": greedy_tokens, "precision": "float64 from the exactly dequantised weights", "cases": cases,
    }
    Path(target).write_text(json.dumps(document, separators=(",", ":")) + "\n", encoding="utf-8")
    print(f"{target}: {Path(target).stat().st_size:,} bytes; smallest gaps {[c['greedy_min_gap'] for c in cases]}")


def evaluate(model, texts, positions, every):
    """Prints bits per byte in float32; with `every` above 1 only each such window is scored, to compare two files quickly."""
    shape, params, pieces = read_model(model)
    network, tokenizer = Network(shape, TorchOps(), params, params), SpmTokenizer(pieces)
    for text in texts:
        by_position = {}
        started = time.time()
        bits = bits_per_byte(network, tokenizer, Path(text).read_text(encoding="utf-8"), "cpu", every, by_position)
        print(f"{Path(model).name} on {Path(text).name}: {bits:.4f} bits per byte"
              f"{f', every {every}th window' if every > 1 else ''} ({time.time() - started:.0f} s)", flush=True)
        if positions:
            edges = [0, 1, 2, 4, 8, 16, 32, 64, 128, 192, 256, 320, 384, 448, 512]
            means = [(a, np.mean(sum((by_position.get(i, []) for i in range(a, b)), []) or [math.nan])) for a, b in zip(edges, edges[1:])]
            print("  nats a token from position: " + ", ".join(f"{a}: {m:.3f}" for a, m in means))


def samples(model, prompts, count, temperatures, seeds):
    """Markdown of the first seeds' texts: seed n carries on prompt n, counted from 0."""
    shape, params, pieces = read_model(model)
    decoder, tokenizer = Decoder(shape, params), SpmTokenizer(pieces)
    for temperature in temperatures:
        print(f"\n### T = {temperature}\n")
        for seed, prompt in enumerate(read_prompts(prompts)[:seeds]):
            text = sample(decoder, tokenizer, prompt["text"], count, temperature, seed)
            print(f"{seed}. **{prompt['text']}**" + re.sub(r"\s*\n\s*", " / ", text.replace("*", "\\*")))


def words(text):
    return re.findall(r"[a-z0-9']+", text.lower())


def memorised(model, prompts, training, count, temperatures, first=6):
    """For each temperature the longest run of words that one generated text shares with the training text."""
    shape, params, pieces = read_model(model)
    decoder, tokenizer = Decoder(shape, params), SpmTokenizer(pieces)
    texts = defaultdict(list)
    for temperature in temperatures:
        for seed, prompt in enumerate(read_prompts(prompts)):
            texts[temperature].append(words(sample(decoder, tokenizer, prompt["text"], count, temperature, seed)))
    # Where the training text has the first six words of a possible run; runs grow from there.
    wanted = defaultdict(list)
    for generated in texts.values():
        for text in generated:
            for i in range(len(text) - first + 1):
                wanted[tuple(text[i:i + first])] = []
    corpus = words(Path(training).read_text(encoding="utf-8"))
    starts = {key[0] for key in wanted}
    for i, word in enumerate(corpus):
        if word in starts:
            key = tuple(corpus[i:i + first])
            if key in wanted:
                wanted[key].append(i)
    worst = {}
    for temperature, generated in texts.items():
        runs = []
        for text in generated:
            longest = 0
            for i in range(len(text) - first + 1):
                for at in wanted[tuple(text[i:i + first])]:
                    n = first
                    while i + n < len(text) and at + n < len(corpus) and text[i + n] == corpus[at + n]:
                        n += 1
                    longest = max(longest, n)
            runs.append(longest)
        worst[temperature] = max(runs)
        print(f"T = {temperature}: {len(runs)} texts; longest run of words shared with the training text: {max(runs)} (0: below {first}); "
              f"texts with a run: {sum(r > 0 for r in runs)}")
    return worst
