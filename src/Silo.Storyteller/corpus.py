"""From a folder of story text to packed token ids: read, clean, hold works out, train the tokenizer, pack."""

import hashlib
import json
import lzma
import re
from pathlib import Path

import numpy as np

from gguf import read_model
from tokenizer import BOS, SpmTokenizer, train_pieces

DIVIDER = "<|endoftext|>"

# Works kept wholly out of training, by their opening words: none of these authors has another work in the corpus.
HELD_OUT = {
    "The Boxcar Children (Gertrude Chandler Warner, 1924)": "About seven o'clock one hot summer evening a strange family",
    "The Clue of the Twisted Candle (Edgar Wallace, 1916)": "The 4.15 from Victoria to Lewes had been held up at Three Bridges",
    "The Country of the Pointed Firs (Sarah Orne Jewett, 1896)": "There was something about the coast town of Dunnet",
    "Wired Love (Ella Cheever Thayer, 1880)": "Just a noise, that is all.\n\nBut a very significant noise to Miss Nathalie Rogers",
    "The House on the Borderland (William Hope Hodgson, 1908)": "Right away in the west of Ireland lies a tiny hamlet called Kraighten",
}

PLAIN = str.maketrans({
    "\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u2013": "--", "\u2014": "--", "\u2026": "...",
    "\u00a0": " ", "\u00ad": "", "\ufeff": "", "\r": None, "\t": " ",
})

# Whole paragraphs that are not story: licence and transcriber's matter, headings and numerals, page numbers, rules, tables, notes.
NOT_STORY = re.compile(
    r"""(?ix)
    .*\b(project\ gutenberg|gutenberg\.org|all\ rights\ reserved|transcriber'?s?\ note|isbn[\ :-]*\d|copyright,?\ (\(c\)|by|\d{4}))\b.* |
    (chapter|part|book|volume|canto|letter|scene|act)\s+([ivxlcdm]+|\d+)\b.{0,60} |
    [ivxlcdm]{1,7}\.? | \[?\s*(p\.|page|pg\.?)?\s*\d{1,4}\s*\]? | [\W_]+ |
    (the\ )?(end|contents|preface|footnotes?|illustrations?|finis)[.:]? |
    \[(illustration|footnote|note|sidenote)\b.* |
    (.*\|){3,}.* | .*(\.\ ?){8,}\d* | .*\S\ {4,}\S+\ {4,}\S.*""")


def read_documents(source):
    """The documents of a text file, an .xz file or a folder of them; lines `<|endoftext|>` divide documents."""
    source = Path(source)
    files = sorted(f for f in source.rglob("*") if f.suffix in (".txt", ".md", ".xz")) if source.is_dir() else [source]
    for file in files:
        opener = lzma.open if file.suffix == ".xz" else open
        with opener(file, "rt", encoding="utf-8", errors="replace") as stream:
            for document in stream.read().split(DIVIDER):
                document = document.strip("\n")
                if document:
                    yield document


def clean(document, dropped):
    """Plain quotes and spacing, one empty line between paragraphs, and no paragraph that is not story; adds those to `dropped`."""
    document = re.sub(r" +\n", "\n", document.translate(PLAIN))
    kept = []
    for paragraph in re.split(r"\n{2,}", document):
        if NOT_STORY.fullmatch(paragraph):
            dropped.append(paragraph)
        elif paragraph.strip():
            kept.append(paragraph)
    return "\n\n".join(kept)


def load(source):
    """The cleaned training documents, the held-out works, and the paragraphs that cleaning dropped."""
    training, held_out, dropped = [], {}, []
    for raw in read_documents(source):
        document = clean(raw, dropped)
        title = next((t for t, opening in HELD_OUT.items() if document.startswith(opening)), None)
        if title:
            held_out[title] = document
        elif document:
            training.append(document)
    return training, held_out, dropped


def pack(documents, tokenizer):
    """All documents in one array of ids, each opened by BOS: what the inference tokenizer gives for the same text."""
    return np.concatenate([np.array([BOS] + tokenizer.encode(d), dtype=np.uint16) for d in documents])


def prepare(source, valid, folder, vocabulary, model=None):
    """Write tokenizer.json, train.npy, and the texts training.txt, valid.txt and unseen.txt into `folder`.

    With `model`, a .gguf, its tokenizer is taken, so that training can go on from it; else one is trained.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    training, held_out, dropped = load(source)
    missing = set(HELD_OUT) - set(held_out)
    print(f"{len(training)} training documents, {sum(map(len, training)):,} characters; {len(dropped)} paragraphs dropped; "
          f"{len(held_out)} works held out, {sum(map(len, held_out.values())):,} characters; missing: {sorted(missing) or 'none'}")
    (folder / "dropped.txt").write_text("\n\n".join(dropped), encoding="utf-8")
    valid_documents = list(read_documents(valid))
    (folder / "valid.txt").write_text(f"\n{DIVIDER}\n".join(valid_documents) + "\n", encoding="utf-8")
    (folder / "unseen.txt").write_text(f"\n{DIVIDER}\n".join(held_out.values()) + "\n", encoding="utf-8")
    (folder / "training.txt").write_text(f"\n{DIVIDER}\n".join(training) + "\n", encoding="utf-8")
    pieces = read_model(model)[2] if model else train_pieces(training, vocabulary, folder)
    tokenizer = SpmTokenizer(pieces)
    (folder / "tokenizer.json").write_text(json.dumps(pieces), encoding="utf-8")
    ids = pack(training, tokenizer)
    np.save(folder / "train.npy", ids)
    print(f"{len(pieces)} pieces; {len(ids):,} training tokens, {sum(map(len, training)) / len(ids):.3f} characters a token; "
          f"sha256 {hashlib.sha256(ids.tobytes()).hexdigest()[:16]}")
