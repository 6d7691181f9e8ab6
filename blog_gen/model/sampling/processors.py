"""Processors that reshape the distribution of the next token, in the field's names and arithmetic.

A processor is a small frozen object that maps the logits of R rows (float32, (R, V)) and the rows' histories
of token ids (prompt and continuation) to new logits; -inf forbids a token. They compose by being called in
turn. Each class gives its source. Knows nothing of models or text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from blog_gen.model.arrays import Array
from blog_gen.model.sampling.rows import NEVER, masked, packed, probabilities, reaching, weights_of

Histories = Sequence[Sequence[int]]


class Processor(Protocol):
    """Logits and histories to logits; the argument is never changed."""

    def __call__(self, logits: Array, histories: Histories) -> Array: ...


@dataclass(frozen=True)
class Temperature:
    """Divide by `value`: below 1 sharper, above 1 flatter."""

    value: float

    def __call__(self, logits: Array, histories: Histories) -> Array:
        return logits / np.float32(self.value)


@dataclass(frozen=True)
class TopK:
    """Keep the `k` likeliest tokens (Fan et al. 2018), and any that tie with the last of them."""

    k: int

    def __call__(self, logits: Array, histories: Histories) -> Array:
        if self.k >= logits.shape[1]:
            return logits
        threshold = np.partition(logits, -self.k, axis=1)[:, -self.k, None]
        return masked(logits, logits >= threshold)


@dataclass(frozen=True)
class TopP:
    """Keep the fewest likeliest tokens that hold `p` of the probability (Holtzman et al. 2019)."""

    p: float

    def __call__(self, logits: Array, histories: Histories) -> Array:
        weights = weights_of(logits)
        whole = weights.sum(axis=1)
        # All tokens below this share of it together are no more than is dropped: no need to rank them. Nearly
        # always that is so of eight times the share, too; where it was not, the aim is not reached.
        share = ((1 - self.p) / weights.shape[1] * whole)[:, None]
        for times in (8, 1):
            likely, held, inside = packed(weights, weights > times * share, np.float32(0))
            ranked = np.sort(held, axis=1)[:, ::-1]
            needed = reaching(ranked, self.p * whole)
            if needed.max() <= ranked.shape[1]:
                break
        needed = np.minimum(needed, inside.sum(axis=1))
        lowest = ranked[np.arange(len(ranked)), needed - 1][:, None]
        kept = held >= lowest
        surplus = kept.sum(axis=1) - needed
        for row in surplus.nonzero()[0]:  # of those that tie the first by number stay
            kept[row, (held[row] == lowest[row]).nonzero()[0][-surplus[row] :]] = False
        left = likely[kept[inside]]
        new = np.full(logits.shape, NEVER)
        new.reshape(-1)[left] = logits.reshape(-1)[left]
        return new


@dataclass(frozen=True)
class MinP:
    """Keep tokens at least `p` times as likely as the likeliest (Nguyen et al. 2024)."""

    p: float

    def __call__(self, logits: Array, histories: Histories) -> Array:
        return masked(logits, logits >= logits.max(axis=1, keepdims=True) + np.log(np.float32(self.p)))


@dataclass(frozen=True)
class Typical:
    """Keep the tokens whose surprise is nearest to the expected one, `p` in all (Meister et al. 2022)."""

    p: float

    def __call__(self, logits: Array, histories: Histories) -> Array:
        chances = probabilities(logits)
        surprise = -np.log(np.maximum(chances, np.finfo(np.float32).tiny))
        distance = np.abs(surprise - (chances * surprise).sum(axis=1, keepdims=True))
        ranked = np.argsort(distance, axis=1, kind="stable")
        held = np.cumsum(np.take_along_axis(chances, ranked, axis=1), axis=1, dtype=np.float64)
        allowed = np.zeros(logits.shape, bool)
        # What is held before a token decides whether it is needed.
        np.put_along_axis(allowed, ranked[:, 1:], held[:, :-1] < self.p * held[:, -1:], axis=1)
        np.put_along_axis(allowed, ranked[:, :1], True, axis=1)
        return masked(logits, allowed)


@dataclass(frozen=True)
class RepetitionPenalty:
    """Divide positive and multiply negative logits of tokens already used (Keskar et al. 2019)."""

    penalty: float

    def __call__(self, logits: Array, histories: Histories) -> Array:
        new = logits.copy()
        for row, history in zip(new, histories, strict=True):
            used = np.unique(np.asarray(history, dtype=np.int64))
            row[used] = np.where(row[used] > 0, row[used] / self.penalty, row[used] * self.penalty)
        return new


@dataclass(frozen=True)
class FrequencyPenalty:
    """Subtract `penalty` for every time a token has been used (OpenAI's API)."""

    penalty: float

    def __call__(self, logits: Array, histories: Histories) -> Array:
        new = logits.copy()
        for row, history in zip(new, histories, strict=True):
            used, times = np.unique(np.asarray(history, dtype=np.int64), return_counts=True)
            row[used] -= (self.penalty * times).astype(np.float32)
        return new


@dataclass(frozen=True)
class PresencePenalty:
    """Subtract `penalty` once from tokens already used (OpenAI's API)."""

    penalty: float

    def __call__(self, logits: Array, histories: Histories) -> Array:
        new = logits.copy()
        for row, history in zip(new, histories, strict=True):
            row[np.unique(np.asarray(history, dtype=np.int64))] -= np.float32(self.penalty)
        return new


@dataclass(frozen=True)
class NoRepeatNgram:
    """Forbid what would repeat a run of `n` tokens (Paulus et al. 2017).

    >>> import numpy as np
    >>> NoRepeatNgram(2)(np.zeros((1, 3), np.float32), [[0, 1, 0]]).tolist()
    [[0.0, -inf, 0.0]]
    """

    n: int

    def __call__(self, logits: Array, histories: Histories) -> Array:
        new = logits.copy()
        for row, history in zip(new, histories, strict=True):
            row[self._repeats(history)] = NEVER
        return new

    def _repeats(self, history: Sequence[int]) -> list[int]:
        """The tokens that came after the same `n` - 1 before."""
        last = tuple(history[len(history) - self.n + 1 :])
        starts = range(len(history) - self.n + 1)
        return [history[at + self.n - 1] for at in starts if tuple(history[at : at + self.n - 1]) == last]


@dataclass(frozen=True)
class Length:
    """Keeps a text to a usual length, and lets it end where it would best.

    Never `end` before `least` tokens; beyond `usual` ones `end` gains `growth` nats a token, so that the next
    good place to stop is taken (transformers has the same as an exponential length penalty). Both count the
    prompt.
    """

    end: int
    least: int
    usual: int
    growth: float = 0.05

    def __call__(self, logits: Array, histories: Histories) -> Array:
        lengths = np.array([len(history) for history in histories])
        gained = np.maximum(lengths - self.usual, 0) * self.growth
        new = logits.copy()
        new[:, self.end] += np.where(lengths < self.least, NEVER, gained).astype(np.float32)
        return new
