"""From logits to the next token: a chain of processors, as settings name them, and the draw.

Knows nothing of models or text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import numpy as np

from blog_gen.config.ranges import RANGES
from blog_gen.config.settings import SamplingSettings
from blog_gen.errors import SamplingError
from blog_gen.model.arrays import Array
from blog_gen.model.sampling.processors import (
    FrequencyPenalty,
    Histories,
    MinP,
    NoRepeatNgram,
    PresencePenalty,
    Processor,
    RepetitionPenalty,
    Temperature,
    TopK,
    TopP,
    Typical,
)
from blog_gen.model.sampling.rows import NEVER, sample_tokens

# Logits worked on together: what is at hand then stays in the processor's cache, and in memory that the
# system does not take back after each step.
_AT_ONCE = 1 << 16


def next_tokens(
    logits: Array,
    histories: Histories,
    chain: Sequence[Processor],
    rngs: Sequence[np.random.Generator] | None,
) -> list[int]:
    """The next token of each row, as `sample_tokens` draws it from what `chain` leaves of the logits."""
    tokens: list[int] = []
    size = max(1, _AT_ONCE // logits.shape[1])
    for some in (slice(begin, begin + size) for begin in range(0, len(logits), size)):
        shaped = process_logits(logits[some], histories[some], chain)
        tokens += sample_tokens(shaped, rngs and rngs[some])
    return tokens


# These leave a row something as long as it had something.
_KEEP_ONE = (Temperature, TopK, TopP, MinP, Typical, RepetitionPenalty, FrequencyPenalty, PresencePenalty)


def process_logits(logits: Array, histories: Histories, chain: Sequence[Processor]) -> Array:
    """The logits after every processor of `chain` in turn, less those that would forbid a row everything."""
    for processor in chain:
        shaped = processor(logits, histories)
        if not isinstance(processor, _KEEP_ONE):
            emptied = shaped.max(axis=1) == NEVER
            if emptied.any():
                shaped[emptied] = logits[emptied]
        logits = shaped
    return logits


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
