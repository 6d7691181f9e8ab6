"""From logits to the next token: processors that reshape a distribution, and the choice from it.

A processor is a small frozen object that maps the logits (float32, (V,)) and the history of token ids (prompt
and continuation) to new logits; -inf forbids a token. They compose by being called in turn. Knows nothing of
models or text. The names and the arithmetic are the field's; each class gives its source.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np

from blog_gen.config.ranges import RANGES
from blog_gen.config.settings import SamplingSettings
from blog_gen.errors import SamplingError

Array = np.ndarray[Any, Any]
NEVER = np.float32(-np.inf)
_BLOCK = 256


class Processor(Protocol):
    """Logits and history to logits; the argument is never changed."""

    def __call__(self, logits: Array, history: Sequence[int]) -> Array: ...


@dataclass(frozen=True)
class Temperature:
    """Divide by `value`: below 1 sharper, above 1 flatter."""

    value: float

    def __call__(self, logits: Array, history: Sequence[int]) -> Array:
        return logits / np.float32(self.value)


@dataclass(frozen=True)
class TopK:
    """Keep the `k` likeliest tokens (Fan et al. 2018), and any that tie with the last of them."""

    k: int

    def __call__(self, logits: Array, history: Sequence[int]) -> Array:
        if self.k >= len(logits):
            return logits
        threshold = np.partition(logits, -self.k)[-self.k]
        return np.where(logits < threshold, NEVER, logits)


@dataclass(frozen=True)
class TopP:
    """Keep the fewest likeliest tokens that hold `p` of the probability (Holtzman et al. 2019)."""

    p: float

    def __call__(self, logits: Array, history: Sequence[int]) -> Array:
        weights = np.exp(logits - logits.max())
        whole = float(weights.sum())
        dropped = (1 - self.p) * whole
        # All tokens below this share of it together are no more than is dropped: no need to rank them.
        likely = np.flatnonzero(weights > dropped / len(weights))
        held = weights[likely]
        ranked = np.sort(held)
        lowest = _reached(ranked, max(0.0, dropped - (whole - float(held.sum()))))
        kept = held > ranked[lowest]
        ties = np.flatnonzero(held == ranked[lowest])
        kept[ties[: len(ranked) - lowest - np.count_nonzero(kept)]] = True
        new = np.full_like(logits, NEVER)
        new[likely[kept]] = logits[likely[kept]]
        return new


@dataclass(frozen=True)
class MinP:
    """Keep tokens at least `p` times as likely as the likeliest (Nguyen et al. 2024)."""

    p: float

    def __call__(self, logits: Array, history: Sequence[int]) -> Array:
        return np.where(logits < logits.max() + np.log(np.float32(self.p)), NEVER, logits)


@dataclass(frozen=True)
class Typical:
    """Keep the tokens whose surprise is nearest to the expected one, `p` in all (Meister et al. 2022)."""

    p: float

    def __call__(self, logits: Array, history: Sequence[int]) -> Array:
        chances = probabilities(logits)
        surprise = -np.log(np.maximum(chances, np.finfo(np.float32).tiny))
        distance = np.abs(surprise - float(chances @ surprise))
        ranked = np.argsort(distance, kind="stable")
        held = np.cumsum(chances[ranked], dtype=np.float64)
        kept = ranked[: int(np.searchsorted(held, self.p * held[-1])) + 1]
        return np.where(np.isin(np.arange(len(logits)), kept), logits, NEVER)


@dataclass(frozen=True)
class RepetitionPenalty:
    """Divide positive and multiply negative logits of tokens already used (Keskar et al. 2019)."""

    penalty: float

    def __call__(self, logits: Array, history: Sequence[int]) -> Array:
        used = np.unique(np.asarray(history, dtype=np.int64))
        new, old = logits.copy(), logits[used]
        new[used] = np.where(old > 0, old / self.penalty, old * self.penalty)
        return new


@dataclass(frozen=True)
class FrequencyPenalty:
    """Subtract `penalty` for every time a token has been used (OpenAI's API)."""

    penalty: float

    def __call__(self, logits: Array, history: Sequence[int]) -> Array:
        used, times = np.unique(np.asarray(history, dtype=np.int64), return_counts=True)
        new = logits.copy()
        new[used] -= (self.penalty * times).astype(np.float32)
        return new


@dataclass(frozen=True)
class PresencePenalty:
    """Subtract `penalty` once from tokens already used (OpenAI's API)."""

    penalty: float

    def __call__(self, logits: Array, history: Sequence[int]) -> Array:
        new = logits.copy()
        new[np.unique(np.asarray(history, dtype=np.int64))] -= np.float32(self.penalty)
        return new


@dataclass(frozen=True)
class NoRepeatNgram:
    """Forbid what would repeat a run of `n` tokens (Paulus et al. 2017).

    >>> import numpy as np
    >>> NoRepeatNgram(2)(np.zeros(3, np.float32), [0, 1, 0]).tolist()
    [0.0, -inf, 0.0]
    """

    n: int

    def __call__(self, logits: Array, history: Sequence[int]) -> Array:
        last = tuple(history[len(history) - self.n + 1 :])
        starts = range(len(history) - self.n + 1)
        repeats = [history[at + self.n - 1] for at in starts if tuple(history[at : at + self.n - 1]) == last]
        return Ban(tuple(repeats))(logits, history) if repeats else logits


@dataclass(frozen=True)
class Ban:
    """Never these tokens."""

    tokens: tuple[int, ...]

    def __call__(self, logits: Array, history: Sequence[int]) -> Array:
        new = logits.copy()
        new[list(self.tokens)] = NEVER
        return new


@dataclass(frozen=True)
class Force:
    """Where the history is as long as a key of `tokens`, only that token may follow."""

    tokens: Mapping[int, int]

    def __call__(self, logits: Array, history: Sequence[int]) -> Array:
        token = self.tokens.get(len(history))
        if token is None:
            return logits
        new = np.full_like(logits, NEVER)
        new[token] = 0
        return new


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

    def __call__(self, logits: Array, history: Sequence[int]) -> Array:
        beyond = len(history) - self.usual
        if len(history) >= self.least and beyond <= 0:
            return logits
        new = logits.copy()
        new[self.end] = (
            NEVER if len(history) < self.least else new[self.end] + np.float32(self.growth * beyond)
        )
        return new


def process_logits(logits: Array, history: Sequence[int], chain: Sequence[Processor]) -> Array:
    """The logits after every processor of `chain` in turn; one that would forbid all is passed over."""
    for processor in chain:
        shaped = processor(logits, history)
        if shaped.max() != NEVER:
            logits = shaped
    return logits


def probabilities(logits: Array) -> Array:
    """Softmax over the last axis, float32."""
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    result: Array = shifted / shifted.sum(axis=-1, keepdims=True)
    return result


def sample_token(logits: Array, rng: np.random.Generator | None) -> int:
    """One token drawn by its probability, from a single number of `rng`; without `rng` the likeliest."""
    if rng is None:
        return int(np.argmax(logits))
    weights = np.exp(logits - logits.max())
    return _reached(weights, rng.random() * float(weights.sum()))


def _reached(weights: Array, aim: float) -> int:
    """Index at which the running sum of `weights` exceeds `aim`; at most the last that is not 0.

    First a block is found, then the place in it: adding up a whole vocabulary one by one is slow.
    """
    blocks = np.cumsum(np.add.reduceat(weights, np.arange(0, len(weights), _BLOCK)), dtype=np.float64)
    aim = min(aim, float(np.nextafter(blocks[-1], 0)))
    block = int(np.searchsorted(blocks, aim, side="right"))
    within = weights[block * _BLOCK : (block + 1) * _BLOCK]
    held = np.cumsum(within, dtype=np.float64)
    place = int(np.searchsorted(held, aim - (blocks[block - 1] if block else 0.0), side="right"))
    return block * _BLOCK + min(place, int(np.flatnonzero(within)[-1]))


def processors(settings: SamplingSettings) -> tuple[Processor, ...]:
    """The settings as processors, in the order of transformers; what changes nothing is left out.

    Raises:
        SamplingError: a setting is out of range.
    """
    check(settings)
    s = settings
    chain: list[tuple[bool, Processor]] = [
        (s.repetition_penalty != 1, RepetitionPenalty(s.repetition_penalty)),
        (s.frequency_penalty != 0, FrequencyPenalty(s.frequency_penalty)),
        (s.presence_penalty != 0, PresencePenalty(s.presence_penalty)),
        (s.no_repeat_ngram > 0, NoRepeatNgram(s.no_repeat_ngram)),
        (s.temperature not in (0, 1), Temperature(s.temperature)),
        (s.top_k > 0, TopK(s.top_k)),
        (s.top_p < 1, TopP(s.top_p)),
        (s.min_p > 0, MinP(s.min_p)),
        (s.typical_p < 1, Typical(s.typical_p)),
    ]
    return tuple(processor for used, processor in chain if used)


def check(settings: SamplingSettings) -> None:
    """Raise a SamplingError for the first setting that is out of range."""
    for name, value in asdict(settings).items():
        allowed = RANGES.get(f"sampling.{name}")
        if allowed is not None and value is not None and value not in allowed:
            raise SamplingError(f"`{name}` must be {allowed}", got=value)
