"""Which words stand side by side in many documents more often than chance would put them there.

Knows numbers alone: a word is a number, and `BETWEEN` ends each document and stands for words not known.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from blog_gen.judge.suffixes import BETWEEN, Numbers

Many = npt.NDArray[np.int64]

ABOVE_CHANCE = 2  # times; pairs of common words stand side by side now and then in any order
DISTANCES = (2, 3, 4)  # words; at these two words are near one another, in no order


@dataclass(frozen=True)
class Collocations:
    """The pairs of words whose pointwise mutual information is over log `ABOVE_CHANCE` (Church and Hanks,
    1990): c(a, b) · n > `ABOVE_CHANCE` · c(a) · c(b), with c the times of each and n those of all words."""

    ids: Numbers  # [n] the word at each place of the documents, `BETWEEN` at the end of each
    vocabulary: int  # ids are below this

    def in_order(self, text: Many, less: slice = slice(0)) -> tuple[int, float]:
        """How many neighbours in a text are collocations, and how many would be in no order.

        The latter is what its words at other distances have, to the same number of pairs, or what its
        neighbours have the other way round, whichever is more.

        Args:
            text: [m] the words of the text.
            less: the places of a document that is left out of account.
        """
        if len(text) < 2:
            return 0, 0.0
        side_by_side = np.stack((text[:-1], text[1:]))
        pairs = np.concatenate([side_by_side, side_by_side[::-1], *_apart(text)], axis=1)
        count = len(text) - 1
        found, turned, apart = np.split(self._bound(pairs, less), [count, 2 * count])
        by_chance = float(apart.mean()) * count if len(apart) else 0.0
        return int(found.sum()), max(float(turned.sum()), by_chance)

    def _bound(self, pairs: Many, less: slice) -> npt.NDArray[np.bool_]:
        """[k] whether each of the pairs, [2, k], is a collocation."""
        own = self.ids[less].astype(np.int64)
        words = self._words - np.bincount(own, minlength=self.vocabulary)
        kinds, where = np.unique(pairs[0] * self.vocabulary + pairs[1], return_inverse=True)
        together = _times(self._pairs, kinds) - _times(_counted(own, self.vocabulary), kinds)
        first, then = kinds // self.vocabulary, kinds % self.vocabulary
        bound = together * words[BETWEEN + 1 :].sum() > ABOVE_CHANCE * words[first] * words[then]
        known = (first != BETWEEN) & (then != BETWEEN) & (together > 0)
        collocation: npt.NDArray[np.bool_] = bound & known
        return collocation[where]

    @cached_property
    def _words(self) -> Many:
        """[vocabulary] how often each word is there."""
        return np.bincount(self.ids, minlength=self.vocabulary)

    @cached_property
    def _pairs(self) -> tuple[Many, Many]:
        return _counted(self.ids.astype(np.int64), self.vocabulary)


def _apart(text: Many) -> Iterator[Many]:
    """The pairs of words, [2, k], at each of `DISTANCES`, one way round and the other."""
    for distance in DISTANCES:
        near, far = text[:-distance], text[distance:]
        yield np.stack((near, far))
        yield np.stack((far, near))


def _counted(ids: Many, vocabulary: int) -> tuple[Many, Many]:
    """The pairs of neighbours, each as one number, sorted; and how often each is there."""
    return np.unique(ids[:-1] * vocabulary + ids[1:], return_counts=True)


def _times(counted: tuple[Many, Many], wanted: Many) -> Many:
    """How often each of `wanted` is among what `_counted` gave."""
    pairs, times = counted
    if not len(pairs):
        return np.zeros(len(wanted), np.int64)
    at = np.minimum(np.searchsorted(pairs, wanted), len(pairs) - 1)
    return np.where(pairs[at] == wanted, times[at], 0)
