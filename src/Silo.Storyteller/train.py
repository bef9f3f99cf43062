"""Train the storyteller: a run of any number of processes on one machine, or one process on a GPU.

Each process takes pieces of the batch from a common counter until none is left, then groups of tensors to update, so that one that
is held up delays the others little. A run can be stopped at any moment and goes on from its last checkpoint.
"""

import json
import math
import mmap
import os
import signal
import time
from pathlib import Path

import numpy as np
import torch

from evaluate import bits_per_byte
from model import Network, Shape, initial, views
from ops import FusedOps, TorchOps
from optimiser import Optimiser
from tokenizer import BOS, SpmTokenizer


class Batches:
    """Windows of the packed ids in a shuffled order that depends on the seed and the number of windows consumed alone."""

    def __init__(self, ids, seed):
        self.ids, self.seed, self.order = ids, seed, {}

    def window(self, position, s):
        """Input and target of the window at a position in tokens (a multiple of s): BOS and s - 1 tokens, and the s tokens they predict."""
        a_pass = (len(self.ids) // s - 1) * s
        epoch, index = position // a_pass, position % a_pass // s
        if (epoch, s) not in self.order:
            generator = np.random.RandomState(self.seed + epoch)
            self.order = {(epoch, s): (generator.randint(s), generator.permutation(a_pass // s))}
        shift, order = self.order[epoch, s]
        start = shift + order[index] * s
        target = self.ids[start:start + s].astype(np.int64)
        ids = np.concatenate(([BOS], target[:-1]))
        return ids, np.where(target == BOS, -1, target)

    def batch(self, position, count, s):
        ids, targets = zip(*(self.window(position + i * s, s) for i in range(count)))
        return torch.from_numpy(np.stack(ids)), torch.from_numpy(np.stack(targets))


def shared(count, dtype):
    """A zeroed flat tensor that processes forked later share."""
    size = torch.empty(0, dtype=dtype).element_size()
    return torch.frombuffer(mmap.mmap(-1, count * size), dtype=dtype)


class Schedule:
    """The rate: a short rise, then one, then linear to zero at the deadline, whatever pauses come between.

    `control` is a file that may be written while the run goes on: minutes from then until the rate is to reach zero.
    """

    def __init__(self, minutes, decay_minutes, control, remaining):
        self.deadline, self.decay_from = time.time() + 60 * minutes, time.time() + 60 * (minutes - decay_minutes)
        self.control, self.read, self.remaining, self.step_time, self.last = control, 0, remaining, None, None

    def next(self, step):
        now = time.time()
        if self.last is not None:
            # A step that took far longer than usual was a pause, not progress.
            took, usual = now - self.last, self.step_time
            self.step_time = .95 * usual + .05 * min(took, 3 * usual) if usual else took
        self.last = now
        if self.control.exists() and self.control.stat().st_mtime > self.read:
            self.read = self.control.stat().st_mtime
            try:
                self.deadline, self.decay_from = self.read + 60 * float(self.control.read_text()), self.read
            except ValueError:
                print(f"{self.control} does not hold a number of minutes", flush=True)
        usual = self.step_time or 0
        if now >= self.decay_from:
            self.remaining = max(0., self.remaining * (1 - usual / max(self.deadline - now, usual, 1e-3)))
        return self.remaining * min(1, step / 50)


class Run:
    def __init__(self, options):
        self.options = options
        self.folder = Path(options.run)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.data = Path(options.data)
        self.device = torch.device("cuda" if torch.cuda.is_available() and not options.cpu else "cpu")
        torch.set_num_threads(1 if options.processes > 1 or self.device.type == "cpu" else max(1, torch.get_num_threads()))
        fused = FusedOps.build() if self.device.type == "cpu" and not options.plain else None
        self.ops = fused or TorchOps()
        self.processes = options.processes if self.device.type == "cpu" else 1
        dtype = torch.float32 if options.plain and self.device.type == "cpu" else torch.bfloat16

        self.tokenizer = SpmTokenizer(json.loads((self.data / "tokenizer.json").read_text()))
        state = self.restore()
        self.shape = Shape(**state["shape"])
        n = self.shape.size
        if self.device.type == "cpu":
            make = shared
        else:
            make = lambda count, kind: torch.zeros(count, dtype=kind, device=self.device)
        self.flat = {"params": make(n, torch.float32), "first": make(n, torch.float32), "second": make(n, torch.float32), "average": make(n, torch.float32)}
        for name, tensor in self.flat.items():
            tensor.copy_(state[name])
        self.step, self.tokens, self.seconds, self.curve, self.remaining = (state[k] for k in ("step", "tokens", "seconds", "curve", "remaining"))
        self.weights = make(n, dtype)
        self.weights.copy_(self.flat["params"])
        self.gradients = [make(n, torch.float32) for _ in range(self.processes)]
        self.common = shared(8, torch.float64)   # rate, then one loss for each process
        named = {k: views(self.shape, v) for k, v in self.flat.items()}
        self.optimiser = Optimiser(named["params"], views(self.shape, self.weights), named["first"], named["second"],
                                   [views(self.shape, g) for g in self.gradients])
        self.batches = Batches(np.load(self.data / "train.npy", mmap_mode="r"), options.seed)
        self.best = min([bits for *_, bits in self.curve], default=math.inf)

    def restore(self):
        """The state to start from: this run's checkpoint, else another's or a GGUF's, else fresh."""
        latest = self.folder / "latest.pt"
        source = latest if latest.exists() else self.options.start
        shape = Shape(vocabulary=len(self.tokenizer.pieces), layers=self.options.layers, feed_forward=self.options.feed_forward)
        if source is None:
            params = initial(shape, self.options.seed)
            state = None
        elif str(source).endswith(".gguf"):
            from gguf import read_model
            shape, params, pieces = read_model(source)
            if [p[0] for p in pieces] != [p[0] for p in self.tokenizer.pieces]:
                raise ValueError(f"{source} has another tokenizer than the data: prepare the data with --model {source}")
            state = None
        else:
            state = torch.load(source)
            if self.options.restart_rate:
                state["remaining"] = 1.
            print(f"going on from {source}: {state['tokens']:,} tokens", flush=True)
        zeros = torch.zeros(shape.size) if state is None else None
        return state or {"shape": vars(shape).copy(), "params": params, "first": zeros, "second": zeros, "average": params.clone(),
                         "step": 0, "tokens": 0, "seconds": 0., "curve": [], "remaining": 1.}

    def save(self, name, remaining):
        state = {k: v.cpu().clone() for k, v in self.flat.items()}
        state.update(shape=vars(self.shape).copy(), step=self.step, tokens=self.tokens, seconds=self.seconds, curve=self.curve, remaining=remaining)
        partial = self.folder / (name + ".partial")
        torch.save(state, partial)
        os.replace(partial, self.folder / name)

    def work(self, rank, barrier, counter):
        """One process: forward and backward passes, then updates, step after step; process 0 also keeps time and saves."""
        o, step, tokens = self.options, self.step, self.tokens
        network = Network(self.shape, self.ops, self.flat["params"], self.weights, self.gradients[rank])
        schedule = Schedule(o.minutes, o.decay_minutes, self.folder / "decay", self.remaining) if rank == 0 else None
        started, saved, valued, shown, loss = time.time() - self.seconds, time.time(), time.time(), time.time(), None
        decaying, groups, stop = self.remaining < 1, len(self.optimiser.groups), []
        # A polite request to stop is heard by process 0 alone, which saves first.
        signal.signal(signal.SIGTERM, (lambda *_: stop.append(True)) if rank == 0 else signal.SIG_IGN)

        def take():
            with counter.get_lock():
                counter.value += 1
                return counter.value - 1

        while True:
            if rank == 0:
                counter.value = 0
                self.common[0] = schedule.next(step + 1) if not stop else 0
            barrier.wait()
            rate = float(self.common[0])
            if rate <= 0:
                break
            s = o.window if o.long_below < schedule_fraction(rate, step) else self.shape.context
            pieces, rows = o.batch // o.piece, max(1, o.piece // s)
            total = 0.
            while (i := take()) < pieces:
                ids, targets = self.batches.batch((tokens // s + i * rows) * s, rows, s)
                total += network.learn(ids.to(self.device), targets.to(self.device), 1 / o.batch)
            self.common[1 + rank] = total
            barrier.wait()
            if rank == 0:
                counter.value = 0
            barrier.wait()
            step, tokens = step + 1, tokens + o.batch
            while (i := take()) < groups:
                self.optimiser.update(i, step, rate)
            barrier.wait()
            if rank:
                continue
            now = time.time()
            self.step, self.tokens, self.seconds = step, tokens, now - started
            if step % 10 == 0:
                self.flat["average"].lerp_(self.flat["params"], max(.04, 1 / (step / 10)))
            mean = float(self.common[1:1 + self.processes].sum()) / o.batch
            loss = mean if loss is None else .98 * loss + .02 * mean
            if now - shown > o.show_minutes * 60:
                shown = now
                print(f"step {step}, {tokens:,} tokens, {(now - started) / 60:.1f} min, rate {rate:.3f}, loss {loss:.3f} nats a token, "
                      f"{o.batch / schedule.step_time:,.0f} tokens/s", flush=True)
            if not decaying and schedule.remaining < 1:
                decaying = True
                self.save("before-decay.pt", 1.)
            if now - valued > 60 * o.value_minutes:
                self.value(rate)
                valued = time.time()
            if now - saved > 60 * o.save_minutes:
                self.save("latest.pt", schedule.remaining)
                saved = time.time()
        if rank == 0:
            self.save("latest.pt", schedule.remaining)
            if not stop:
                self.value(0)

    def value(self, rate):
        """Bits per byte on a part of the validation text, of the weights and of their running average; keeps the best."""
        text = (self.data / "valid.txt").read_text()
        found = {}
        for kind in ("params", "average"):
            flat = self.flat[kind].to(self.weights.dtype)
            network = Network(self.shape, self.ops, self.flat[kind], flat)
            found[kind] = bits_per_byte(network, self.tokenizer, text, self.device, every=12)
        bits = min(found.values())
        self.curve.append((self.tokens, self.seconds, rate, bits))
        print(f"  valid: {found['params']:.4f} bits per byte, averaged weights {found['average']:.4f}", flush=True)
        if bits < self.best:
            self.best = bits
            kind = min(found, key=found.get)
            partial = self.folder / "best.partial"
            torch.save({"shape": vars(self.shape).copy(), "params": self.flat[kind].cpu().clone(), "tokens": self.tokens, "bits": bits}, partial)
            os.replace(partial, self.folder / "best.pt")


def schedule_fraction(rate, step):
    """The rate without its initial rise."""
    return rate / min(1, (step + 1) / 50)


def train(options):
    import multiprocessing
    run = Run(options)
    context = multiprocessing.get_context("fork")
    barrier, counter = context.Barrier(run.processes), context.Value("l", 0)
    others = [context.Process(target=run.work, args=(rank, barrier, counter), daemon=True) for rank in range(1, run.processes)]
    for process in others:
        process.start()
    print(f"{run.shape}: {run.shape.size:,} parameters; {run.processes} process(es), {type(run.ops).__name__} on {run.device}", flush=True)
    try:
        run.work(0, barrier, counter)
    except BaseException:
        barrier.abort()   # or the others would wait for ever
        raise
