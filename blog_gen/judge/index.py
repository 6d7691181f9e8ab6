"""What of a text stands word for word in the documents: a suffix array over words, kept on disk.

Knows nothing of posts, front matter or limits; documents are (name, text) pairs.

Why a suffix array, not hashed n-grams or a suffix automaton: one binary search a word gives the
*exact* length of the longest run from there on, and from these lengths come the longest run, all
runs over any length and the share of n-grams for any n. Hashed n-grams fix n in advance, and every
place of a common phrase has to be extended, which is slow on a blog whose posts share a paragraph.
An automaton takes several times the memory and is not one array that loads in milliseconds. Each
word is one character of a Python string here, so two runs are compared by comparing slices, in C.
"""

from __future__ import annotations

import hashlib
import io
import json
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from blog_gen.files import parse_json, replacing
from blog_gen.judge.words import Word, words_of

Document = tuple[str, str]
"""A name for people, and the text."""
Numbers = npt.NDArray[np.int32]

_FORMAT = b"blog-gen corpus index 1\n"  # count up whenever words or arrays change their meaning
_BETWEEN = 0  # the id that ends each document, so that no run goes on into the next
_UNKNOWN = chr(0x10FFFF)  # a word of no document


@dataclass(frozen=True)
class Run:
    """Consecutive words of a text, `text[start:end]`, that stand in `document` from `line` on."""

    words: int
    start: int
    end: int
    document: str
    line: int  # from 1, in the document's text as it was given


@dataclass(frozen=True)
class Overlap:
    """How much of a text stands in the documents."""

    longest: Run | None  # None: not one word does
    runs: tuple[Run, ...]  # all of the least length asked for, in order; none overlaps another
    share: float  # of the text's n-grams, 0 to 1


@dataclass(frozen=True)
class _Arrays:
    """[n] is one entry a place: a word of the corpus, all documents one after another."""

    ids: Numbers  # [n] the number of the word
    lines: Numbers  # [n] its line in its document
    suffixes: Numbers  # [n] the places, sorted by the words from there on
    starts: Numbers  # [documents] the place of each one's first word


class CorpusIndex:
    """Answers which runs of words stand in a fixed set of documents."""

    def __init__(self, digest: str, names: Sequence[str], vocabulary: Sequence[str], arrays: _Arrays) -> None:
        self.digest = digest
        self._names, self._vocabulary, self._arrays = list(names), list(vocabulary), arrays
        self._character = {form: chr(number) for number, form in enumerate(vocabulary, start=_BETWEEN + 1)}
        self._corpus = arrays.ids.astype("<u4").tobytes().decode("utf-32-le", "surrogatepass")
        self._suffixes: Sequence[int] = memoryview(arrays.suffixes)  # type: ignore[arg-type]

    @classmethod
    def build(cls, documents: Sequence[Document]) -> CorpusIndex:
        """Index `documents`; about a second for 300 posts of 800 words."""
        numbers: dict[str, int] = {}
        ids: list[int] = []
        lines: list[int] = []
        starts: list[int] = []
        for _, text in documents:
            starts.append(len(ids))
            words = words_of(text)
            ids += [numbers.setdefault(word.form, _BETWEEN + 1 + len(numbers)) for word in words]
            ids.append(_BETWEEN)
            lines += [*_lines(text, words), 0]
        whole = np.array(ids, np.int32)
        arrays = _Arrays(whole, np.array(lines, np.int32), suffix_array(whole), np.array(starts, np.int32))
        return cls(digest_of(documents), [name for name, _ in documents], list(numbers), arrays)

    def overlap(self, text: str, ngram: int, shortest: int) -> Overlap:
        """Compare `text` with the documents: n-grams of `ngram` words, runs of `shortest` words or more."""
        words = words_of(text)
        lengths, places = self._matches(self._encoded([word.form for word in words]))
        runs = tuple(self._run(words, at, lengths[at], places[at]) for at in _cover(lengths, shortest))
        top = max(range(len(words)), key=lengths.__getitem__, default=0)
        known = bool(words) and lengths[top] > 0
        longest = self._run(words, top, lengths[top], places[top]) if known else None
        total = max(len(words) - ngram + 1, 0)
        share = sum(length >= ngram for length in lengths) / total if total else 0.0
        return Overlap(longest, runs, share)

    def count(self, forms: Sequence[str]) -> int:
        """How often these normalised words stand one after another in the documents."""
        wanted, corpus, size = self._encoded(forms), self._corpus, len(forms)

        def beginning(place: int) -> str:
            return corpus[place : place + size]

        first = bisect_left(self._suffixes, wanted, key=beginning)
        if first == len(self._suffixes) or beginning(self._suffixes[first]) != wanted:
            return 0
        return bisect_right(self._suffixes, wanted, lo=first, key=beginning) - first

    def _encoded(self, forms: Sequence[str]) -> str:
        return "".join([self._character.get(form, _UNKNOWN) for form in forms])

    def _matches(self, query: str) -> tuple[list[int], list[int]]:
        """For each word of `query`: the longest run from it on that stands in the corpus, and its place."""
        lengths: list[int] = []
        places: list[int] = []
        length = 0
        for at in range(len(query)):
            # the run of the word before, less that word, stands in the corpus too
            length, place = self._longest(query, at, known=max(length - 1, 0))
            lengths.append(length)
            places.append(place)
        return lengths, places

    def _longest(self, query: str, at: int, known: int) -> tuple[int, int]:
        """The longest run from `query[at]` on and its place; that `known` words of it stand is known."""
        corpus, suffixes = self._corpus, self._suffixes
        window = known + 8
        while True:
            wanted = query[at : at + window]
            after = bisect_left(suffixes, wanted, key=lambda place: corpus[place : place + len(wanted)])
            near = suffixes[max(after - 1, 0) : after + 1]  # the longest run is a neighbour in the order
            length, place = max(
                ((_common(wanted, corpus[place : place + window]), place) for place in near), default=(0, 0)
            )
            if length < window:
                return length, place
            window *= 2

    def _run(self, words: Sequence[Word], at: int, length: int, place: int) -> Run:
        document = bisect_right(self._arrays.starts, place) - 1
        start, end = words[at].start, words[at + length - 1].end
        return Run(length, start, end, self._names[document], int(self._arrays.lines[place]))

    def save(self, path: Path) -> None:
        """Write the index to `path`, whole or not at all: a SHA-256, and the arrays that it is of."""
        texts = json.dumps([self.digest, self._names, self._vocabulary]).encode()
        packed = io.BytesIO()
        np.savez(packed, texts=np.frombuffer(texts, np.uint8), **vars(self._arrays))
        with replacing(path) as file:
            file.write(hashlib.sha256(packed.getvalue()).digest() + packed.getvalue())

    @classmethod
    def load(cls, path: Path) -> CorpusIndex:
        """Read what `save` wrote.

        Raises:
            OSError, ValueError: there is no such file, or it is damaged.
        """
        content = path.read_bytes()
        digest, packed = content[:32], content[32:]
        if hashlib.sha256(packed).digest() != digest:
            raise ValueError("the file is damaged")
        with np.load(io.BytesIO(packed), allow_pickle=False) as stored:
            of_documents, names, vocabulary = parse_json(stored["texts"].tobytes())
            arrays = _Arrays(stored["ids"], stored["lines"], stored["suffixes"], stored["starts"])
        return cls(of_documents, names, vocabulary, arrays)


def kept_index(path: Path, documents: Sequence[Document]) -> CorpusIndex:
    """The index of exactly these documents: read from `path`, or built and written there."""
    try:
        index = CorpusIndex.load(path)
        if index.digest == digest_of(documents):
            return index
    except (OSError, ValueError):
        pass  # there is none yet, or a damaged one: it takes a second to make anew
    index = CorpusIndex.build(documents)
    index.save(path)
    return index


def digest_of(documents: Sequence[Document]) -> str:
    """SHA-256 over the names and texts in their order, each with its length."""
    digest = hashlib.sha256(_FORMAT)
    for document in documents:
        for part in document:
            encoded = part.encode("utf-8", "surrogatepass")
            digest.update(b"%d:" % len(encoded) + encoded)
    return digest.hexdigest()


def suffix_array(ids: Numbers) -> Numbers:
    """The places of `ids`, sorted by what follows, by prefix doubling (Manber and Myers, 1993).

    >>> suffix_array(np.array([2, 1, 2, 1], np.int32)).tolist()
    [3, 1, 2, 0]
    """
    size, width = len(ids), 1
    rank = np.unique(ids, return_inverse=True)[1].astype(np.int64)
    order = np.argsort(rank, kind="stable")
    while size and rank[order[-1]] < size - 1:  # some places still share a rank
        then = np.zeros(size, np.int64)  # 0: the corpus has ended by there
        then[:-width] = rank[width:] + 1
        key = rank * (size + 1) + then
        order = np.argsort(key, kind="stable")
        rank[order] = np.concatenate(([0], np.cumsum(np.diff(key[order]) > 0)))
        width *= 2
    return order.astype(np.int32)


def _cover(lengths: Sequence[int], shortest: int) -> Iterator[int]:
    """Where the runs of `shortest` words or more begin, from left to right, none overlapping another."""
    at = 0
    while at < len(lengths):
        if lengths[at] >= shortest:
            yield at
        at += lengths[at] if lengths[at] >= shortest else 1


def _lines(text: str, words: Sequence[Word]) -> list[int]:
    """The line of each word, from 1."""
    breaks = [at for at, character in enumerate(text) if character == "\n"]
    return [bisect_left(breaks, word.start) + 1 for word in words]


def _common(one: str, other: str) -> int:
    """How many leading words two runs share."""
    if one == other:
        return len(one)
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))
