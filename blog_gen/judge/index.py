"""What of a text stands word for word in the documents: a suffix array over words.

Knows nothing of posts, front matter, limits or files; documents are (name, text) pairs.

Why a suffix array, not hashed n-grams or a suffix automaton: one binary search a word gives the
*exact* length of the longest run from there on, and from these lengths come the longest run, all
runs over any length and the share of n-grams for any n. Hashed n-grams fix n in advance, and every
place of a common phrase has to be extended, which is slow on a blog whose posts share a paragraph.
An automaton takes several times the memory and is not one array that loads in milliseconds. Each
word is one character of a Python string here, so two runs are compared by comparing slices, in C.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from blog_gen.judge.collocations import Collocations
from blog_gen.judge.overlap import SEVERAL, Overlap, Run, cover, overlapping
from blog_gen.judge.suffixes import BETWEEN, Numbers, shared_lengths, suffix_array
from blog_gen.judge.words import Word, in_words, tenths_until, words_of

Document = tuple[str, str]
"""A name for people, and the text."""
Span = tuple[int, int]
"""`text[first:end]`."""

_FORMAT = b"blog-gen corpus index 5\n"  # count up whenever words or arrays change their meaning
_UNKNOWN = chr(0x10FFFF)  # a word of no document
_SHORTEST = 6  # words; what documents share is looked up from this length on


@dataclass(frozen=True)
class Arrays:
    """[n] is one entry a place: a word of the corpus, all documents one after another."""

    ids: Numbers  # [n] the number of the word
    lines: Numbers  # [n] its line in its document
    suffixes: Numbers  # [n] the places, sorted by the words from there on
    starts: Numbers  # [documents] the place of each one's first word
    shared: Numbers  # [n, SEVERAL] the words from there on that 1, 2 … other documents have as well
    earlier: Numbers  # [n] those that an earlier document has as well


class CorpusIndex:
    """Answers which runs of words stand in a fixed set of documents."""

    def __init__(self, digest: str, names: Sequence[str], vocabulary: Sequence[str], arrays: Arrays) -> None:
        self.digest = digest
        self.names, self.vocabulary, self.arrays = list(names), list(vocabulary), arrays
        self._number = {form: number for number, form in enumerate(vocabulary, start=BETWEEN + 1)}
        self._corpus = arrays.ids.astype("<u4").tobytes().decode("utf-32-le", "surrogatepass")
        self._suffixes: Sequence[int] = memoryview(arrays.suffixes)  # type: ignore[arg-type]

    @classmethod
    def build(cls, documents: Sequence[Document]) -> CorpusIndex:
        """Index `documents`; less than a second for 300 posts of 800 words."""
        numbers: dict[str, int] = {}
        ids: list[int] = []
        lines: list[int] = []
        starts: list[int] = []
        for _, text in documents:
            starts.append(len(ids))
            words = words_of(text)
            ids += [numbers.setdefault(word.form, BETWEEN + 1 + len(numbers)) for word in words]
            ids.append(BETWEEN)
            lines += [*_lines(text, words), 0]
        whole, begun = np.array(ids, np.int32), np.array(starts, np.int32)
        suffixes = suffix_array(whole)
        of = np.repeat(np.arange(len(starts), dtype=np.int32), np.diff([*starts, len(ids)]))
        shared, earlier = shared_lengths(whole, suffixes, of, SEVERAL, _SHORTEST)
        arrays = Arrays(whole, np.array(lines, np.int32), suffixes, begun, shared, earlier)
        return cls(digest_of(documents), [name for name, _ in documents], list(numbers), arrays)

    def overlap(self, text: str, ngram: int, shortest: int, apart: Sequence[Span] = ()) -> Overlap:
        """Compare `text` with the documents: the share in runs of `ngram` words, and runs of `shortest`.

        Args:
            apart: the stretches of `text` that are not compared, in order.
        """
        words = words_of(text)
        lengths, places = self._matches(self._encoded([word.form for word in words]))
        # SEVERAL documents: the one where the run was found, and others
        several = (
            self.arrays.shared[places, SEVERAL - 2].tolist() if len(self.arrays.ids) else [0] * len(places)
        )
        shared = [min(pair) for pair in zip(lengths, several, strict=True)]
        return self.overlap_of(
            words, (lengths, shared), lambda at, length: places[at], ngram, shortest, apart
        )

    def overlap_of(
        self,
        words: Sequence[Word],
        lengths: tuple[Sequence[int], Sequence[int]],
        place_of: Callable[[int, int], int],
        ngram: int,
        shortest: int,
        apart: Sequence[Span],
    ) -> Overlap:
        """As `overlap`, when it is known how many words from each on stand in a document, and in several.

        Args:
            lengths: the one and the other.
            place_of: where a run stands, by its first word's number in the text and its length.
        """
        until = tenths_until(word.form for word in words)
        copied, share, own = overlapping(*lengths, until, ngram, _words_in(words, apart))
        runs = [self._run(words, at, copied[at], place_of) for at in cover(copied, until, shortest)]
        top = max(range(len(copied)), key=lambda at: until[at + copied[at]] - until[at], default=-1)
        longest = self._run(words, top, copied[top], place_of) if copied and copied[top] else None
        starts = tuple(word.start for word in words)
        return Overlap(longest, tuple(runs), share, tuple(lengths[0]), tuple(own), starts)

    def in_order(self, forms: Sequence[str], less: slice = slice(0)) -> tuple[int, float]:
        """Of the words side by side, how many are collocations of the documents; how many are by chance.

        Args:
            less: the places of a document that is left out of account.
        """
        text = np.array([self._number.get(form, BETWEEN) for form in forms], np.int64)
        return self._collocations.in_order(text, less)

    @cached_property
    def _collocations(self) -> Collocations:
        return Collocations(self.arrays.ids, len(self.vocabulary) + 1)

    def places(self, place: int, length: int) -> Iterator[int]:
        """All places where the `length` words from `place` on stand."""
        wanted = self._corpus[place : place + length]
        rank = bisect_left(self._suffixes, wanted, key=lambda at: self._corpus[at : at + length])
        while rank < len(self._suffixes) and self._corpus.startswith(wanted, self._suffixes[rank]):
            yield self._suffixes[rank]
            rank += 1

    def rest(self, document: int) -> Rest:
        """All documents but one, to compare that one with."""
        return Rest(self, document)

    def _encoded(self, forms: Sequence[str]) -> str:
        return "".join([chr(self._number[form]) if form in self._number else _UNKNOWN for form in forms])

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

    def _run(self, words: Sequence[Word], at: int, length: int, place_of: Callable[[int, int], int]) -> Run:
        place = place_of(at, length)
        document = bisect_right(self.arrays.starts, place) - 1
        run = words[at : at + length]
        start, end = run[0].start, run[-1].end
        size = tenths_until(word.form for word in run)[-1]
        return Run(in_words(size), start, end, self.names[document], int(self.arrays.lines[place]))


class Rest:
    """All documents of an index but one, which is compared with them: nothing is searched or built anew.

    Of two documents that share a passage the later one copies, so only what an earlier one has is copied.
    """

    def __init__(self, index: CorpusIndex, document: int) -> None:
        arrays = index.arrays
        end = [*arrays.starts[1:], len(arrays.ids)][document] - 1  # without `BETWEEN`
        self._index, self._document = index, document
        self._own = slice(int(arrays.starts[document]), int(end))

    def overlap(self, text: str, ngram: int, shortest: int, apart: Sequence[Span] = ()) -> Overlap:
        """As `CorpusIndex.overlap`, for the document's own `text`; runs under 6 words are not seen."""
        arrays, words = self._index.arrays, words_of(text)
        earlier, several = arrays.earlier[self._own], arrays.shared[self._own, SEVERAL - 1]
        lengths = earlier.tolist(), several.tolist()
        return self._index.overlap_of(words, lengths, self._elsewhere, ngram, shortest, apart)

    def in_order(self, forms: Sequence[str]) -> tuple[int, float]:
        """As `CorpusIndex.in_order`, for words of the document."""
        return self._index.in_order(forms, less=self._own)

    def _elsewhere(self, at: int, length: int) -> int:
        """A place in an earlier document where the document's words from `at` on stand."""
        places = self._index.places(self._own.start + at, length)
        return next(place for place in places if place < self._own.start)


def digest_of(documents: Sequence[Document]) -> str:
    """SHA-256 over the names and texts in their order, each with its length."""
    digest = hashlib.sha256(_FORMAT)
    for document in documents:
        for part in document:
            encoded = part.encode("utf-8", "surrogatepass")
            digest.update(b"%d:" % len(encoded) + encoded)
    return digest.hexdigest()


def _words_in(words: Sequence[Word], stretches: Sequence[Span]) -> frozenset[int]:
    """The numbers of the words that begin in one of the stretches."""
    starts = [word.start for word in words]
    return frozenset(
        at for first, end in stretches for at in range(bisect_left(starts, first), bisect_left(starts, end))
    )


def _lines(text: str, words: Sequence[Word]) -> list[int]:
    """The line of each word, from 1."""
    breaks = [at for at, character in enumerate(text) if character == "\n"]
    return [bisect_left(breaks, word.start) + 1 for word in words]


def _common(one: str, other: str) -> int:
    """How many leading words two runs share: by halving, since slices are compared in C."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
