"""A suffix array over the words of many documents, and how much of each suffix other documents share.

Knows numbers alone: a word is a number, and `BETWEEN` ends each document.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.int32]

BETWEEN = 0  # the id that ends each document, so that no run goes on into the next


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


def shared_lengths(
    ids: Numbers, suffixes: Numbers, documents: Numbers, others: int, shortest: int
) -> tuple[Numbers, Numbers]:
    """How many words from each place on stand in at least 1, 2 … `others` other documents as well.

    And how many stand in an earlier document. Two scans over the sorted suffixes, each with a list of the
    documents that were met last: linear in the words, however often a document says a thing.

    Args:
        ids: [n] the word at each place, `BETWEEN` at the end of each document.
        suffixes: [n] the places, sorted by what follows.
        documents: [n] the number of the document at each place.
        shortest: what is shorter counts as 0.

    Returns:
        [n, others], each row falling; and [n].
    """
    common = _common_lengths(ids, suffixes, shortest)
    of = documents[suffixes].tolist()
    shared = np.zeros((len(ids), others), np.int32)
    earlier = np.zeros(len(ids), np.int32)
    places = suffixes.tolist()
    for first, last in _stretches(common):
        lengths = common[first + 1 : last].tolist()  # between each and the next
        there = _met(of[first:last], lengths, others)
        back = _met(of[first:last][::-1], lengths[::-1], others)[::-1]
        for place, before, after in zip(places[first:last], there, back, strict=True):
            best = _longest(before, after)[:others]
            shared[place, : len(best)] = best
        there_first = _with_an_earlier(of[first:last], lengths)
        back_first = _with_an_earlier(of[first:last][::-1], lengths[::-1])[::-1]
        earlier[suffixes[first:last]] = np.maximum(there_first, back_first)
    return shared, earlier


def _with_an_earlier(documents: Sequence[int], lengths: Sequence[int]) -> list[int]:
    """For each suffix in order: the words shared with the last one before it whose document comes earlier."""
    stack: list[tuple[int, int]] = []  # rising documents, and the words each shares with the one below it
    found: list[int] = []
    for document, length in zip(documents, [0, *lengths], strict=True):
        while stack and stack[-1][0] >= document:
            length = min(length, stack.pop()[1])
        found.append(length if stack else 0)
        stack.append((document, length))
    return found


Met = list[tuple[int, int]]
"""Documents and how many words they share with a place; each document once, the most words first."""


def _met(documents: Sequence[int], lengths: Sequence[int], others: int) -> list[Met]:
    """For each suffix in order: the `others` documents met last before it, other than its own."""
    met: Met = []
    found: list[Met] = []
    for document, length in zip(documents, [0, *lengths], strict=True):
        met = [(each, min(shared, length)) for each, shared in met]
        found.append([each for each in met if each[0] != document][:others])
        met = [(document, _ALL), *(each for each in met if each[0] != document)][: others + 1]
    return found


_ALL = 2**31 - 1


def _longest(before: Met, after: Met) -> list[int]:
    """How many words the documents share, the most first; of a document on both sides the longer."""
    best: dict[int, int] = {}
    for document, length in (*before, *after):
        best[document] = max(length, best.get(document, 0))
    return sorted(best.values(), reverse=True)


def _stretches(common: Numbers) -> Iterator[tuple[int, int]]:
    """Where suffixes that share something with the next ones begin and end: [first, last)."""
    linked = np.concatenate(([False], common[1:] > 0, [False]))
    steps = np.diff(linked.astype(np.int8))
    yield from zip(
        np.flatnonzero(steps == 1).tolist(), (np.flatnonzero(steps == -1) + 1).tolist(), strict=True
    )


def _common_lengths(ids: Numbers, suffixes: Numbers, shortest: int) -> Numbers:
    """[n] how many words each suffix shares with the one sorted before it; 0 for fewer than `shortest`.

    As Kasai et al. (2001): the suffix from the next place on shares one word less, or more.
    """
    size = len(ids)
    common = np.zeros(size, np.int32)
    before = np.full(size, -1, np.int64)  # by place
    before[suffixes[1:]] = suffixes[:-1]
    alike = before >= 0
    for ahead in range(shortest):
        inside = np.flatnonzero(alike)
        here, there = inside + ahead, before[inside] + ahead
        inside_both = np.maximum(here, there) < size
        same = np.zeros(len(inside), bool)
        one = ids[here[inside_both]]
        same[inside_both] = (one == ids[there[inside_both]]) & (one != BETWEEN)
        alike[inside[~same]] = False
    words, rank = ids.tolist(), np.empty(size, np.int64)
    rank[suffixes] = np.arange(size)
    length, last = 0, -2
    for place, other in zip(np.flatnonzero(alike).tolist(), before[alike].tolist(), strict=True):
        length = max(length - 1, shortest) if place == last + 1 else shortest
        while (
            place + length < size
            and other + length < size
            and words[place + length] == words[other + length] != BETWEEN
        ):
            length += 1
        common[rank[place]], last = length, place
    return common
