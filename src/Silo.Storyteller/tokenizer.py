"""The tokenizer in the SentencePiece form that GGUF carries: byte-pair merging by score, with byte fall-back."""

import heapq
import re

UNKNOWN, BOS, EOS, FIRST_BYTE = 0, 1, 2, 3
NORMAL, UNKNOWN_TYPE, CONTROL, BYTE = 1, 2, 3, 6   # tokenizer.ggml.token_type
SPACE = "\u2581"


def train_pieces(documents, vocabulary, folder):
    """Train with SentencePiece; returns [piece, score, type] rows in id order: <unk>, <s>, </s>, 256 bytes, newlines, the rest.

    SentencePiece reads lines, so no piece of its own holds a newline; "\\n" and "\\n\\n" are added as ordinary pieces that merge.
    """
    import sentencepiece
    prefix = str(folder / "sentencepiece")
    lines = (line for document in documents for line in document.split("\n") if line)
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=lines, model_prefix=prefix, model_type="bpe", vocab_size=vocabulary - 2, byte_fallback=True,
        character_coverage=1.0, normalization_rule_name="identity", remove_extra_whitespaces=False, add_dummy_prefix=False,
        max_sentence_length=1 << 20, unk_id=UNKNOWN, bos_id=BOS, eos_id=EOS, num_threads=1, minloglevel=1)
    trained = sentencepiece.SentencePieceProcessor(model_file=prefix + ".model")
    pieces = [["<unk>", 0.0, UNKNOWN_TYPE], ["<s>", 0.0, CONTROL], ["</s>", 0.0, CONTROL]]
    pieces += [[f"<0x{value:02X}>", 0.0, BYTE] for value in range(256)]
    pieces += [["\n\n", 0.0, NORMAL], ["\n", -float(vocabulary), NORMAL]]
    for i in range(trained.get_piece_size()):
        if not (trained.is_unknown(i) or trained.is_control(i) or trained.is_byte(i)):
            pieces.append([trained.id_to_piece(i), trained.get_score(i), NORMAL])
    return pieces


class SpmTokenizer:
    """Encodes as llama.cpp's "llama" tokenizer does: repeatedly merge the adjacent pair of highest score, the leftmost first."""

    def __init__(self, pieces):
        self.pieces = pieces
        self.ids = {text: i for i, (text, _, kind) in enumerate(pieces) if kind == NORMAL}
        self.cache = {}
        # No piece joins a space to a word before it, nor a newline to anything else, so text can be cut there and cached.
        joins = [p for p in self.ids if SPACE in p[1:] or ("\n" in p and p.strip("\n"))]
        self.chunk = re.compile(f"\n+|{SPACE}?[^{SPACE}\n]+|{SPACE}" if not joins else "(?s).+")

    def encode(self, text, space_prefix=True):
        """The ids of a text, without BOS."""
        if not text:
            return []
        text = (" " + text if space_prefix else text).replace(" ", SPACE)
        ids = []
        for chunk in self.chunk.findall(text):
            known = self.cache.get(chunk)
            if known is None:
                known = self.cache[chunk] = self.merge(chunk)
            ids += known
        return ids

    def merge(self, text):
        symbols = list(text)
        after = list(range(1, len(symbols))) + [-1]
        before = list(range(-1, len(symbols) - 1))
        queue = []

        def propose(left, right):
            if left >= 0 and right >= 0:
                joined = symbols[left] + symbols[right]
                if joined in self.ids:
                    heapq.heappush(queue, (-self.pieces[self.ids[joined]][1], left, right, joined))

        for i in range(len(symbols) - 1):
            propose(i, i + 1)
        while queue:
            _, left, right, joined = heapq.heappop(queue)
            if symbols[left] + symbols[right] != joined or not symbols[right] or not symbols[left] or after[left] != right:
                continue
            symbols[left], symbols[right] = joined, ""
            after[left] = after[right]
            if after[right] >= 0:
                before[after[right]] = left
            propose(before[left], left)
            propose(left, after[left])
        ids = []
        for symbol in filter(None, symbols):
            if symbol in self.ids:
                ids.append(self.ids[symbol])
            else:
                ids += [FIRST_BYTE + value for value in symbol.encode("utf-8", "surrogateescape")]
        return ids

    def token_bytes(self, token):
        """The bytes one id stands for; control pieces stand for none."""
        text, _, kind = self.pieces[token]
        if kind == BYTE:
            return bytes([token - FIRST_BYTE])
        return b"" if kind != NORMAL else text.replace(SPACE, " ").encode("utf-8")

    def decode(self, ids, start_of_text=True):
        """The text of the ids; at the start of a text the space that encoding put there is taken off."""
        data = b"".join(map(self.token_bytes, ids))
        return (data[1:] if start_of_text and data.startswith(b" ") else data).decode("utf-8", "surrogateescape")
