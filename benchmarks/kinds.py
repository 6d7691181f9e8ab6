"""What a base model writes unprompted: the share of its samples that read like books, and like posts.

A naive Bayes classifier over words learns the two kinds from a corpus. How often it is right about documents
that it has not seen stands first: that is how far its word goes for samples. Only bodies are looked at.

    python benchmarks/kinds.py MODEL_FOLDER... --train FILE... --valid FILE... --books SOURCE... [--json]
"""

from __future__ import annotations

import argparse
import json
import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from blog_gen.config.settings import SamplingSettings
from blog_gen.judge.words import forms_of
from blog_gen.model.pretraining.shards import Document, read_documents
from blog_gen.model.sampling.sampling import Request, Sampler

SMOOTHING = 0.5
BODY_CHARACTERS = 2500


def body_of(text: str) -> list[str]:
    """Words of a post text's body, or of all of it where it has no head."""
    head, fence, body = text.partition("\n---\n")
    return list(forms_of((body if fence else head)[:BODY_CHARACTERS]))


@dataclass(frozen=True)
class Kinds:
    """For each word the logarithm of how much likelier it is in a book; both kinds are equally likely."""

    weights: Mapping[str, float]
    unknown: float  # of a word never seen

    @classmethod
    def learn(cls, documents: Iterable[Document], books: Collection[str]) -> Kinds:
        bags: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
        for document in documents:
            bags[document.source in books].update(body_of(document.text))
        post, book = ({word: count + SMOOTHING for word, count in bag.items()} for bag in bags)
        words = post.keys() | book.keys()
        unknown = math.log((sum(post.values()) + SMOOTHING) / (sum(book.values()) + SMOOTHING))
        weights = {
            word: math.log(book.get(word, SMOOTHING) / post.get(word, SMOOTHING)) + unknown for word in words
        }
        return cls(weights, unknown)

    def is_book(self, text: str) -> bool:
        return sum(self.weights.get(word, self.unknown) for word in body_of(text)) > 0


def samples_of(folder: Path, count: int, tokens: int) -> list[str]:
    requests = [Request((), seed, tokens) for seed in range(count)]
    return [sample.text for sample in Sampler.open(folder).generate(requests, SamplingSettings())]


def accuracy(kinds: Kinds, documents: Sequence[Document], books: Collection[str]) -> float:
    right = sum(kinds.is_book(document.text) == (document.source in books) for document in documents)
    return right / len(documents)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--train", type=Path, nargs="+", required=True)
    parser.add_argument("--valid", type=Path, nargs="+", required=True)
    parser.add_argument("--books", nargs="+", required=True, help="Sources that are books.")
    parser.add_argument("--samples", type=int, default=100)
    parser.add_argument("--tokens", type=int, default=300)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    kinds = Kinds.learn(read_documents(options.train, []), options.books)
    table = {"accuracy": accuracy(kinds, list(read_documents(options.valid, [])), options.books)}
    for folder in options.folders:
        texts = samples_of(folder, options.samples, options.tokens)
        table[str(folder)] = sum(map(kinds.is_book, texts)) / len(texts)
    if options.json:
        print(json.dumps(table))
        return
    print(f"{table.pop('accuracy'):6.1%} of the documents held back are classed rightly")
    for name, share in table.items():
        print(f"{share:6.1%} of the samples of {name} read like books")


if __name__ == "__main__":
    main()
