"""What a foreign reader makes of long drafts, window by window: how far a base can carry a thread.

The reader is a language model that has seen neither the base nor the blog: a GGUF file, read by llama.cpp.
Each window of a hundred words is read after all that stands before it. Human posts get easier to predict as
they go on; where drafts no longer do, nothing follows from what was said. That length is `draft_words` in a
base's `meta.json`.

    python benchmarks/reader.py READER.gguf --site DIR [--drafts 16] [--windows 6] [--json]
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import numpy as np
from llama_cpp import Llama
from llama_cpp import llama_cpp as bindings
from llama_loading import loading

from blog_gen.config.loading import load_settings
from blog_gen.config.settings import SamplingSettings
from blog_gen.corpus import read_corpus
from blog_gen.drafting.candidates import Lengths
from blog_gen.drafting.drafter import Drafter
from blog_gen.judge.repetition import distinct
from blog_gen.judge.words import forms_of
from blog_gen.text.plain import to_plain
from blog_gen.text.post import Post

WINDOW = 100  # words
CONTEXT = 2048  # tokens of the reader

Window = tuple[float, float]  # bits per byte, distinct pairs of words


class Reader:
    """Bits that each token of a text takes."""

    def __init__(self, path: Path) -> None:
        plain = loading()
        with patch.object(bindings, "llama_model_default_params", lambda: plain):
            self._model = Llama(str(path), n_ctx=CONTEXT, logits_all=True, verbose=False)

    def read(self, text: str, windows: int) -> list[Window]:
        """What each whole window of `text` costs; the first hundred words first."""
        words = text.split()[: windows * WINDOW]
        parts = [" ".join(words[at : at + WINDOW]) for at in range(0, len(words) - WINDOW + 1, WINDOW)]
        begun = self._model.tokenize(b"", add_bos=True) or [self._model.token_bos()]
        ids, ends = list(begun), [len(begun)]
        for number, part in enumerate(parts):
            ids += self._model.tokenize((" " * bool(number) + part).encode(), add_bos=False)
            ends.append(len(ids))
        fitting = [
            (part, start, end)
            for part, start, end in zip(parts, ends, ends[1:], strict=False)
            if end <= CONTEXT
        ]
        if not fitting:
            return []
        self._model.reset()
        self._model.eval(ids[: fitting[-1][2]])
        return [
            (self._bits(ids, start, end) / len(part.encode()), distinct(tuple(forms_of(part)), 2)[0])
            for part, start, end in fitting
        ]

    def _bits(self, ids: Sequence[int], start: int, end: int) -> float:
        logits = self._model.scores[start - 1 : end - 1].astype(np.float64)
        highest = logits.max(axis=1)
        whole = highest + np.log(np.exp(logits - highest[:, None]).sum(axis=1))
        return float((whole - logits[np.arange(end - start), ids[start:end]]).sum() / math.log(2))


def drafts_of(site: Path, count: int, windows: int, sampling: dict[str, float]) -> list[str]:
    """Bodies of unjudged candidates of the site's run, which may not end before the last window does."""
    settings = load_settings(site)
    settings = replace(settings, sampling=replace(settings.sampling, **sampling))  # type: ignore[arg-type]
    corpus, drafter = read_corpus(settings), Drafter(settings, read_corpus(settings))
    words = sum(len(text.split()) for text in corpus.texts.values())
    tokens = sum(len(drafter.sampler.tokenizer.encode(text)) for text in corpus.texts.values())
    needed = min(1000, int(1.1 * windows * WINDOW * tokens / words))
    writer = replace(drafter.writer, lengths=Lengths(needed, needed, needed))
    return [
        text.candidate.body for text in writer.write(Post("", ""), range(count), {}, lambda done, total: None)
    ]


def table_of(read: Callable[[str], list[Window]], bodies: Sequence[str]) -> list[dict[str, float]]:
    """Medians over texts, for each window that five of them reach."""
    seen = [read(to_plain(body)) for body in bodies]
    rows = []
    for number in range(max(map(len, seen))):
        here = [windows[number] for windows in seen if len(windows) > number]
        if len(here) >= min(5, len(bodies)):
            bits, pairs = (statistics.median(values) for values in zip(*here, strict=True))
            rows.append({"texts": len(here), "bits_per_byte": round(bits, 3), "distinct_2": round(pairs, 3)})
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("reader", type=Path)
    parser.add_argument("--site", type=Path, nargs="+", default=[Path()])
    parser.add_argument("--drafts", type=int, default=16)
    parser.add_argument("--windows", type=int, default=6)
    parser.add_argument("--temperature", type=float, default=SamplingSettings().temperature)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    reader = Reader(options.reader)
    posts, drafts = [], []
    for site in options.site:
        posts += [article.body for article in read_corpus(load_settings(site)).articles][: options.drafts]
        drafts += drafts_of(site, options.drafts, options.windows, {"temperature": options.temperature})
    tables = {
        name: table_of(lambda text: reader.read(text, options.windows), bodies)
        for name, bodies in (("posts", posts), ("drafts", drafts))
    }
    if options.json:
        print(json.dumps(tables))
        return
    for name, rows in tables.items():
        for number, row in enumerate(rows):
            print(
                f"{name:7} words from {number * WINDOW + 1:3}  "
                + "  ".join(f"{k} {v:g}" for k, v in row.items())
            )


if __name__ == "__main__":
    main()
