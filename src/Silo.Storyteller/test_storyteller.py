"""python3 -m unittest: the parts that must agree with each other, on small random models."""

import random
import tempfile
import unittest
from pathlib import Path

import numpy as np
import torch

from corpus import clean
from evaluate import windows
from generate import Decoder
from gguf import dequantise, quantise, read_model, write_model
from model import Network, Shape, initial, views
from ops import FusedOps, TorchOps
from tokenizer import BYTE, CONTROL, NORMAL, SPACE, UNKNOWN_TYPE, SpmTokenizer
from train import Batches

SHAPE = Shape(vocabulary=320, width=64, layers=2, heads=4, kv_heads=2, feed_forward=96, context=64)


def random_parameters():
    flat = initial(SHAPE, 3)
    for tensor in views(SHAPE, flat).values():
        tensor.add_(torch.randn(tensor.shape, generator=torch.Generator().manual_seed(tensor.numel())) * .1)
    return flat


def pieces():
    rows = [["<unk>", 0., UNKNOWN_TYPE], ["<s>", 0., CONTROL], ["</s>", 0., CONTROL]] + [[f"<0x{i:02X}>", 0., BYTE] for i in range(256)]
    texts = ["\n\n", "th", SPACE + "th", SPACE + "the", "er", "in", "ing", SPACE + "a"] + sorted(set("abcdefghijklmnopqrstuvwxyz.,'\n" + SPACE))
    rows += [[text, -float(i), NORMAL] for i, text in enumerate(texts)]
    return rows + [[f"filler{i}", -1000., NORMAL] for i in range(SHAPE.vocabulary - len(rows))]


def batch():
    generator = torch.Generator().manual_seed(5)
    ids, targets = (torch.randint(0, SHAPE.vocabulary, (2, 48), generator=generator) for _ in range(2))
    targets[0, :4] = -1
    return ids, targets


class NetworkTests(unittest.TestCase):
    def gradient(self, ops, dtype):
        params = random_parameters()
        gradients = torch.zeros_like(params)
        loss = Network(SHAPE, ops, params, params.to(dtype), gradients).learn(*batch(), 1 / 92)
        return loss, gradients

    def test_gradient_is_that_of_finite_differences(self):
        params = random_parameters()
        _, gradients = self.gradient(TorchOps(), torch.float32)
        direction = gradients / gradients.norm()
        losses = []
        for step in (-1e-2, 1e-2):
            moved = params + step * direction
            logits = Network(SHAPE, TorchOps(), moved, moved).forward(batch()[0])
            losses.append(TorchOps().cross_entropy_(logits, batch()[1].reshape(-1), 1 / 92) / 92)
        self.assertAlmostEqual((losses[1] - losses[0]) / 2e-2 / float(gradients.norm()), 1, delta=.01)

    def test_fused_operations_are_the_reference_to_rounding(self):
        fused = FusedOps.build()
        if fused is None:
            self.skipTest("no C compiler")
        loss, exact = self.gradient(TorchOps(), torch.float32)
        fused_loss, rounded = self.gradient(fused, torch.bfloat16)
        self.assertAlmostEqual(fused_loss / loss, 1, delta=.002)
        for name, tensor in views(SHAPE, exact).items():
            error = (views(SHAPE, rounded)[name] - tensor).norm() / tensor.norm()
            self.assertLess(float(error), .05, name)

    def test_token_by_token_gives_the_logits_of_the_whole(self):
        params, ids = random_parameters(), batch()[0][:1]
        whole = Network(SHAPE, TorchOps(), params, params).forward(ids)
        decoder = Decoder(SHAPE, params, torch.float64)
        for row, token in zip(whole, ids[0].tolist()):
            np.testing.assert_allclose(decoder.feed(token).numpy(), row.numpy(), atol=1e-3)


class FileTests(unittest.TestCase):
    def test_a_file_reads_back_as_written(self):
        params = random_parameters()
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.gguf"
            write_model(path, SHAPE, params, pieces(), {"name": "test"}, quantised=False)
            shape, read, read_pieces = read_model(path)
            self.assertTrue(torch.equal(read, params))
            self.assertEqual(read_pieces, pieces())
            self.assertEqual((shape.layers, shape.kv_heads, shape.feed_forward), (2, 2, 96))
            write_model(path, SHAPE, params, pieces(), {"name": "test"}, quantised=True)
            self.assertLess(float((read_model(path)[1] - params).norm() / params.norm()), .01)

    def test_quantised_values_are_within_half_a_step(self):
        values = np.random.RandomState(1).randn(4, 64).astype(np.float32)
        back = dequantise(quantise(values), values.size).reshape(-1, 32)
        blocks = values.reshape(-1, 32)
        self.assertTrue((np.abs(back - blocks) <= np.abs(blocks).max(1, keepdims=True) / 127 * .57).all())


class TextTests(unittest.TestCase):
    def test_every_text_survives(self):
        tokenizer, generator = SpmTokenizer(pieces()), random.Random(7)
        for _ in range(200):
            text = "".join(generator.choice("the aing\n\t\u00e9\u2603\U0001F600  XZ") for _ in range(generator.randrange(40)))
            self.assertEqual(tokenizer.decode(tokenizer.encode(text)), text)
        raw = bytes(range(256)).decode("utf-8", "surrogateescape")
        self.assertEqual(tokenizer.decode(tokenizer.encode(raw)).encode("utf-8", "surrogateescape"), bytes(range(256)))

    def test_cutting_text_into_chunks_changes_no_id(self):
        tokenizer = SpmTokenizer(pieces())
        text = " the singer  therein\n\n\nthe a"
        self.assertEqual(tokenizer.encode(text), tokenizer.merge((" " + text).replace(" ", SPACE)))

    def test_cleaning_drops_what_is_not_story(self):
        dropped = []
        text = "CHAPTER IV\n\nIt was late.\n\n* * *\n\n[12]\n\nThe public domain is large, he said.\n\nXIV."
        self.assertEqual(clean(text, dropped), "It was late.\n\nThe public domain is large, he said.")
        self.assertEqual(len(dropped), 4)

    def test_windows_score_each_token_once(self):
        for count in (1, 31, 63, 64, 200):
            scored = [i for _, end, first in windows(count, 64) for i in range(first, end)]
            self.assertEqual(scored, list(range(count)))

    def test_batches_depend_on_seed_and_position_alone(self):
        ids = np.arange(1000, dtype=np.uint16) + 10
        one, other = Batches(ids, 1), Batches(ids, 1)
        other.window(0, 32)
        np.testing.assert_array_equal(one.window(320, 32)[1], other.window(320, 32)[1])
        inputs, targets = one.window(64, 32)
        self.assertEqual(inputs[0], 1)
        np.testing.assert_array_equal(inputs[1:], targets[:-1])


if __name__ == "__main__":
    unittest.main()
