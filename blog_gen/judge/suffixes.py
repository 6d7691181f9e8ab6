"""A suffix array over the words of many documents, and how much of each suffix other documents share.

Knows numbers alone: a word is a number, and `BETWEEN` ends each document.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.int32]
_Places = npt.NDArray[np.int64]

BETWEEN = 0  # the id that ends each document, so that no run goes on into the next

_BITS = 62  # of an int64 that hold words side by side
_ROUNDS = 64  # words that are compared for all suffixes at once, before each pair is by itself
_PORTION = 2**18  # rows that are worked on at a time


def suffix_array(ids: Numbers) -> Numbers:
    """The places of `ids`, sorted by what follows, by prefix doubling (Larsson and Sadakane, 1999).

    The first sort is by as many words as one number holds; each one after it by twice as many, and only of
    the places that are not told apart yet.

    >>> suffix_array(np.array([2, 1, 2, 1], np.int32)).tolist()
    [3, 1, 2, 0]
    """
    size = len(ids)
    if not size:
        return np.zeros(0, np.int32)
    bits = int(ids.max() + 1).bit_length()
    width = min(_BITS // bits, size)
    key = np.zeros(size, np.int64)
    for ahead in range(width):
        key <<= bits
        key[: size - ahead] += ids[ahead:].astype(np.int64) + 1  # 0: the corpus has ended by there
    order, rank = np.arange(size), np.zeros(size, np.int64)
    at = np.arange(size)  # where in the order the places stand that share their rank with others
    while len(at):
        places = order[at]
        sorting = np.argsort(key)
        order[at], key = places[sorting], key[sorting]
        new = np.concatenate(([True], np.diff(key) > 0))
        rank[order[at]] = np.maximum.accumulate(np.where(new, at, 0))
        at = at[~(new & np.concatenate((new[1:], [True])))]
        then = order[at] + width
        follows = np.where(then < size, rank[np.minimum(then, size - 1)] + 1, 0)
        key = rank[order[at]] * (size + 1) + follows
        width *= 2
    return order.astype(np.int32)


def shared_lengths(
    ids: Numbers, suffixes: Numbers, documents: Numbers, others: int, shortest: int
) -> tuple[Numbers, Numbers]:
    """How many words from each place on stand in at least 1, 2 … `others` other documents as well.

    And how many stand in an earlier document. Of the sorted suffixes, those that share the most words with
    one are its neighbours; of each document the nearest one on either side. All are looked up at once.

    Args:
        ids: [n] the word at each place, `BETWEEN` at the end of each document.
        suffixes: [n] the places, sorted by what follows.
        documents: [n] the number of the document at each place.
        shortest: what is shorter counts as 0.

    Returns:
        [n, others], each row falling; and [n].
    """
    common = _common_lengths(ids, suffixes, shortest)
    of = documents[suffixes]
    # from the other end, what a suffix shares with the one after it comes first
    back, common_back = of[::-1], np.concatenate((common[:1], common[:0:-1]))
    before = _nearest(of, common, others)
    after = [(each[::-1], length[::-1]) for each, length in _nearest(back, common_back, others)]
    shared = np.zeros((len(ids), others), np.int32)
    for start in range(0, len(ids), _PORTION):
        part = slice(start, start + _PORTION)
        shared[suffixes[part]] = _most(
            [(each[part], length[part]) for each, length in before],
            [(each[part], length[part]) for each, length in after],
        )
    earlier = np.zeros(len(ids), np.int32)
    earlier[suffixes] = np.maximum(
        _least(common, _last_lower(of)), _least(common_back, _last_lower(back))[::-1]
    )
    return shared, earlier


def _last_lower(documents: Numbers) -> _Places:
    """[n] the last place before each where a lower number stands, by leaps over what is known; -1 for none.

    >>> _last_lower(np.array([1, 0, 2, 2], np.int32)).tolist()
    [-1, -1, 1, 1]
    """
    before = np.arange(len(documents)) - 1
    left = np.flatnonzero(before >= 0)
    while len(left):
        left = left[documents[before[left]] >= documents[left]]
        before[left] = before[before[left]]
        left = left[before[left] >= 0]
    return before


Met = list[tuple[Numbers, Numbers]]
"""For each suffix a document, -1 for none, and how many words it shares; the nearest document first."""


def _most(before: Met, after: Met) -> Numbers:
    """How many words the documents share, the most first; of a document on both sides the longer."""
    lengths = [length for _, length in before]
    for document, length in after:
        left = length.copy()
        for at, (other, _) in enumerate(before):
            same = document == other
            lengths[at] = np.where(same, np.maximum(lengths[at], length), lengths[at])
            left[same] = 0
        lengths.append(left)
    return -np.sort(-np.stack(lengths, axis=1), axis=1)[:, : len(before)]


def _nearest(of: Numbers, common: Numbers, others: int) -> Met:
    """For each suffix in order, the `others` documents that were met last before it, other than its own.

    Documents are met in stretches. The one met k-th last is, at each stretch, what was (k-1)-th last at the
    stretch before; or stays, where the stretch's own document was nearer than that.

    Args:
        of: [n] the document of each suffix, in order.
        common: [n] how many words each shares with the one before it.
    """
    starts = np.flatnonzero(np.concatenate(([True], np.diff(of) != 0))) if len(of) else np.zeros(0, np.int64)
    own, stretches = of[starts], np.arange(len(starts))
    stretch_of = np.repeat(stretches, np.diff(np.concatenate((starts, [len(of)]))))
    found, nearer, last = Met(), np.zeros(len(starts), bool), stretches
    for _ in range(others):
        # by the stretch before: -1 where there is none
        moved = np.concatenate(([-1], last[:-1])) if len(last) else last
        since = np.maximum.accumulate(np.where(nearer, 0, stretches)) if len(last) else last
        last = moved[since]
        place = np.where(last >= 0, starts[np.minimum(last + 1, len(starts) - 1)] - 1, -1)[stretch_of]
        document = np.where(last >= 0, own[last], -1)
        found.append((document[stretch_of].astype(np.int32), _least(common, place)))
        nearer = nearer | (np.concatenate(([-1], document[:-1])) == own if len(last) else nearer)
    return found


def _least(values: Numbers, after: _Places) -> Numbers:
    """[n] the least of the values from the place after `after` to each place; 0 where `after` is -1.

    By a table of the least of 2, 4, 8 … values from each place on, of which two overlap to any stretch.
    """
    places = np.arange(len(values))
    levels = np.frexp(places - after)[1] - 1  # of the stretch's length, its logarithm
    last_zero = np.maximum.accumulate(np.where(values == 0, places, -1)) if len(values) else places
    levels[(after < 0) | (after < last_zero)] = -1  # the least is 0: so the long stretches need no table
    least, table = np.zeros(len(values), np.int32), values
    for level in range(int(levels.max(initial=-1)) + 1):
        if level:
            half = 2 ** (level - 1)
            table = np.minimum(table[:-half], table[half:])
        here = np.flatnonzero(levels == level)
        least[here] = np.minimum(table[after[here] + 1], table[here + 1 - 2**level])
    return least


def _common_lengths(ids: Numbers, suffixes: Numbers, shortest: int) -> Numbers:
    """[n] how many words each suffix shares with the one sorted before it; 0 for fewer than `shortest`.

    The suffix from the next place on shares one word less with the same other (Kärkkäinen et al., 2009):
    only where the other one changes are words compared.
    """
    size = len(ids)
    words = np.where(ids == BETWEEN, -1 - np.arange(size, dtype=np.int32), ids)  # no end is like another
    before = np.full(size, -1, np.int64)  # by place
    before[suffixes[1:]] = suffixes[:-1]
    places = np.arange(size)
    goes_on = np.zeros(size, bool)
    goes_on[1:] = (before[1:] == before[:-1] + 1) & (words[:-1] == words[before[:-1]]) & (before[:-1] >= 0)
    first = np.flatnonzero(~goes_on & (before >= 0))
    lengths = np.zeros(size, np.int64)
    lengths[first] = _compared(words, first, before[first])
    began = np.maximum.accumulate(np.where(goes_on, 0, places)) if size else places
    lengths = lengths[began] - (places - began)
    return np.where(lengths < shortest, 0, lengths)[suffixes].astype(np.int32)


def _compared(words: Numbers, one: _Places, other: _Places) -> _Places:
    """How many words are the same from each place of `one` and of `other` on."""
    lengths = np.zeros(len(one), np.int64)
    alive = np.arange(len(one))
    for ahead in range(_ROUNDS):
        alive = alive[words[one[alive] + ahead] == words[other[alive] + ahead]]
        lengths[alive] += 1
    for at in alive.tolist():
        lengths[at] += sum(_same(words, int(one[at]) + _ROUNDS, int(other[at]) + _ROUNDS))
    return lengths


def _same(words: Numbers, one: int, other: int) -> Iterator[int]:
    """How many words are the same, in portions."""
    while True:
        end = min(len(words) - max(one, other), 4096)
        differ = np.flatnonzero(words[one : one + end] != words[other : other + end])
        if len(differ):
            yield int(differ[0])
            return
        yield end
        one, other = one + end, other + end
