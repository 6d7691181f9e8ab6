"""How much of a text is copied, from how much of it stands elsewhere word by word.

Knows lengths of runs, nothing of where they were looked up. What several documents share, a footer or a
standing notice, is nobody's to copy: it ends a run, and its phrases do not count as copied.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from blog_gen.judge.words import WORD

SEVERAL = 3  # documents; a passage that so many share is boilerplate
SHORTEST_SHARED = 8  # words; less is idiom, and may begin or end what is copied


@dataclass(frozen=True)
class Run:
    """Consecutive words of a text, `text[start:end]`, that stand in `document` from `line` on."""

    words: int  # in scripts without blanks about how many, by its characters
    start: int
    end: int
    document: str
    line: int  # from 1, in the document's text as it was given


@dataclass(frozen=True)
class Overlap:
    """How much of a text stands in the documents."""

    longest: Run | None  # None: not one word does
    runs: tuple[Run, ...]  # all of the least length asked for, in order; none overlaps another
    share: float  # of the text's words, boilerplate apart, 0 to 1
    stands: tuple[int, ...] = ()  # for each word, how many from it on stand in one document
    own: tuple[int, ...] = ()  # tenths of a word before each and at the end, boilerplate apart
    starts: tuple[int, ...] = ()  # where each word begins in the text


def overlapping(
    lengths: Sequence[int],
    shared: Sequence[int],
    until: Sequence[int],
    ngram: int,
    apart: Collection[int] = (),
) -> tuple[list[int], float, list[int]]:
    """For each word of a text, the run from it on that is copied; and the share of the words that are.

    A run ends where boilerplate begins. The share is that of the words in copied runs of `ngram` or more,
    of all that are not boilerplate; 1 where every word is, for such a text says nothing new. And `until`,
    where boilerplate has no length.

    Args:
        lengths: for each word, the longest run from it on that stands in a document.
        shared: the same for runs that stand in several documents.
        until: how long the text is before each word, and at its end, in tenths of a word.
        apart: the numbers of words that count as boilerplate as well.

    >>> overlapping([2, 1, 8, 7, 6, 5, 4, 3, 2, 1], [0, 0, 8, 7, 6, 5, 4, 3, 2, 1], range(0, 110, 10), 2)
    ([2, 1, 0, 0, 0, 0, 0, 0, 0, 0], 1.0, [0, 10, 20, 20, 20, 20, 20, 20, 20, 20, 20])
    """
    boilerplate = [common or at in apart for at, common in enumerate(_within(shared, until, SHORTEST_SHARED))]
    copied = [0] * len(lengths)
    ahead = 0  # words up to the next that is boilerplate, or to the end
    for at in range(len(lengths) - 1, -1, -1):
        ahead = 0 if boilerplate[at] else ahead + 1
        copied[at] = min(lengths[at], ahead)
    sizes = (0 if common else until[at + 1] - until[at] for at, common in enumerate(boilerplate))
    own_until = list(accumulate(sizes, initial=0))
    own = len(lengths) - sum(boilerplate)
    share = sum(_within(copied, until, ngram)) / own if own else float(bool(lengths))
    return copied, share, own_until


def _within(lengths: Sequence[int], until: Sequence[int], shortest: int) -> Iterator[bool]:
    """For each word: does it stand in a run of `shortest` words or more?"""
    reach = 0
    for at, length in enumerate(lengths):
        if until[at + length] - until[at] >= shortest * WORD:
            reach = max(reach, at + length)
        yield at < reach


def cover(lengths: Sequence[int], until: Sequence[int], shortest: int) -> Iterator[int]:
    """Where the runs of `shortest` words or more begin, from left to right, none overlapping another."""
    at = 0
    while at < len(lengths):
        long = until[at + lengths[at]] - until[at] >= shortest * WORD
        if long:
            yield at
        at += lengths[at] if long else 1
