"""Rows of logits (float32, (R, V)): masks, weights, and a token drawn for each row.

All rows at once, or a step of many rows spends its time between calls. Yet a row has the same bits in any
company: sums run along it alone, and none depends on the padding behind it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from blog_gen.model.arrays import Array

NEVER = np.float32(-np.inf)
_AT_ONCE = 256  # adding up one by one is slow, and mostly few are needed
_NEVER_BITS = NEVER.view(np.int32)


def masked(logits: Array, allowed: Array) -> Array:
    """The logits, -inf where `allowed` (bool, (R, V)) is not.

    As `np.where`, which branches at every token and takes ten times as long where there is no pattern.
    """
    nothing = (allowed.view(np.int8) - np.int8(1)).astype(np.int32)  # 0 where allowed, else all bits
    forbidding: Array = logits + (nothing & _NEVER_BITS).view(np.float32)
    return forbidding


def probabilities(logits: Array) -> Array:
    """Softmax over the last axis, float32."""
    shifted = weights_of(logits)
    result: Array = shifted / shifted.sum(axis=-1, keepdims=True)
    return result


def sample_tokens(logits: Array, rngs: Sequence[np.random.Generator] | None) -> list[int]:
    """A token for each row, drawn by its probability from a single number of the row's generator.

    Without generators, the likeliest. Of equal ones the first.
    """
    if rngs is None:
        return [int(token) for token in logits.argmax(axis=1)]
    # Packed and then weighed: of a row that top-p has cut, little is left.
    places, held, inside = packed(logits, logits > NEVER, NEVER)
    sums = weights_of(held).cumsum(axis=1, dtype=np.float64)
    whole = sums[:, -1:]
    aims = np.array([[rng.random()] for rng in rngs]) * whole
    chosen = np.minimum((sums <= aims).sum(axis=1), (sums < whole).sum(axis=1))
    counts = inside.sum(axis=1)
    found: list[int] = (places[counts.cumsum() - counts + chosen] % logits.shape[1]).tolist()
    return found


def reaching(weights: Array, aims: Array) -> Array:
    """How many of each row's first `weights` are needed to hold its aim: (R,); K + 1 if all do not."""
    width = 0
    while True:
        width += _AT_ONCE
        sums = weights[:, :width].cumsum(axis=1, dtype=np.float64)
        if width >= weights.shape[1] or (sums[:, -1] >= aims).all():
            needed: Array = (sums < aims[:, None]).sum(axis=1) + 1
            return needed
        width *= 3


def weights_of(logits: Array) -> Array:
    """In proportion to the probabilities; 1 for the likeliest."""
    weights: Array = logits - logits.max(axis=-1, keepdims=True)
    return np.exp(weights, out=weights)


def packed(values: Array, chosen: Array, padding: np.float32) -> tuple[Array, Array, Array]:
    """The chosen values of every row side by side, in their order.

    Returns:
        The places of all that are chosen, counted through (R, V); the values (R, K), `padding` beyond
        those that a row has; bool (R, K), whether there is one.
    """
    rows, size = values.shape
    places = chosen.reshape(-1).nonzero()[0]
    if rows == 1:  # nothing to pad, in half the calls
        held = values[:, places]
        return places, held, np.ones(held.shape, bool)
    ends = places.searchsorted(size * np.arange(rows + 1))
    counts = (ends[1:] - ends[:-1])[:, None]
    inside = np.arange(counts.max()) < counts
    held = np.full(inside.shape, padding)
    held[inside] = values.reshape(-1)[places]
    return places, held, inside
