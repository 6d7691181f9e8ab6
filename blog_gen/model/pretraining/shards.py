"""A pretraining corpus on disk: encoded once, memory-mapped, read in any order by position alone.

A shard folder holds `tokens.npy` (all documents, each closed by end-of-text) and `documents.json` (where
each starts, and its source). Knows JSON lines and token ids, nothing of training.
"""

from __future__ import annotations

import lzma
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

from blog_gen.errors import CorpusError, Note
from blog_gen.files import parse_json, replacing, write_json
from blog_gen.model.arrays import Array
from blog_gen.model.bpe import Tokenizer


@dataclass(frozen=True)
class Document:
    """One text of the corpus, and the name of where it is from, by which a mixture weighs it."""

    source: str
    text: str


def read_documents(paths: Sequence[Path], notes: list[Note]) -> Iterator[Document]:
    """Documents of `.jsonl` and `.jsonl.xz` files; a line that is none is noted and skipped.

    Raises:
        CorpusError: a file cannot be read to its end.
    """
    for path in paths:
        for number, line in enumerate(_lines(path), 1):
            document = _document(line)
            if isinstance(document, Document):
                yield document
            else:
                notes.append(Note(path, f"line {number} {document}", "skipped"))


def _lines(path: Path) -> Iterator[bytes]:
    opener: Callable[..., IO[bytes]] = lzma.open if path.suffix == ".xz" else open
    with opener(path, "rb") as file:
        while True:
            try:
                line = next(file, None)
            except (OSError, EOFError, lzma.LZMAError) as error:
                raise CorpusError("a corpus file must be whole", got=error, path=path) from None
            if line is None:
                return
            yield line


def _document(line: bytes) -> Document | str:
    """The document of one line, or what is wrong with it."""
    try:
        value = parse_json(line.decode("utf-8"))
    except UnicodeDecodeError:
        return "is not UTF-8"
    except ValueError:
        return "is not JSON"
    text = value.get("text") if isinstance(value, dict) else None
    if not isinstance(text, str) or not text.strip():
        return "lacks `text`"
    return Document(str(value.get("source", "")), text)


def encode_corpus(documents: Iterator[Document], tokenizer: Tokenizer, folder: Path) -> None:
    """Write the shard folder.

    Raises:
        CorpusError: there is not a single document.
    """
    pieces, starts, sources, size, total = [], [0], [], 0, 0
    for document in documents:
        ids = [*tokenizer.encode(document.text), tokenizer.end_of_text]
        pieces.append(np.array(ids, dtype=np.uint16))
        total += len(ids)
        size += len(document.text.encode("utf-8"))
        starts.append(total)
        sources.append(document.source)
    if not pieces:
        raise CorpusError("a corpus needs at least one document with `text`")
    with replacing(folder / "tokens.npy") as file:
        np.save(file, np.concatenate(pieces))
    write_json(folder / "documents.json", {"bytes": size, "starts": starts, "sources": sources})


class Shards:
    """An encoded corpus; `epoch(n)` is its n-th pass in an order and mixture that its number fixes."""

    def __init__(self, folder: Path) -> None:
        self.tokens: Array = np.load(folder / "tokens.npy", mmap_mode="r")
        table = parse_json((folder / "documents.json").read_text(encoding="utf-8"))
        self.starts: Array = np.array(table["starts"])
        self.sources: list[str] = table["sources"]
        self.bytes: int = table["bytes"]

    def epoch(self, number: int, weights: Mapping[str, float]) -> Epoch:
        """Pass `number`: each document once, but those of a source in `weights` with that probability."""
        rng = np.random.default_rng([0, number])
        chance = np.array([weights.get(source, 1.0) for source in self.sources])
        kept = np.flatnonzero(rng.random(len(chance)) < chance)
        return Epoch(self, rng.permutation(kept))


class Epoch:
    """One pass over the corpus as one long row of tokens, addressed by position."""

    def __init__(self, shards: Shards, order: Array) -> None:
        self._shards, self._order = shards, order
        lengths = np.diff(shards.starts)[order]
        self._ends = np.cumsum(lengths)
        self.length = int(self._ends[-1]) if len(order) else 0

    def window(self, start: int, length: int) -> Array:
        """`length` tokens from position `start`, over document borders."""
        pieces, at = [], start
        first = int(np.searchsorted(self._ends, start, side="right"))
        for rank in range(first, len(self._order)):
            document = self._order[rank]
            begin = self._shards.starts[document + 1] - (self._ends[rank] - at)
            piece = self._shards.tokens[
                begin : min(self._shards.starts[document + 1], begin + start + length - at)
            ]
            pieces.append(piece)
            at += len(piece)
            if at == start + length:
                break
        return np.concatenate(pieces)
