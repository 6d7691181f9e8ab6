"""Processors that leave nothing to chance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from blog_gen.model.arrays import Array
from blog_gen.model.sampling.processors import Histories
from blog_gen.model.sampling.rows import NEVER


@dataclass(frozen=True)
class Ban:
    """Never these tokens."""

    tokens: tuple[int, ...]

    def __call__(self, logits: Array, histories: Histories) -> Array:
        new = logits.copy()
        new[:, list(self.tokens)] = NEVER
        return new


@dataclass(frozen=True)
class Force:
    """Where the history is as long as a key of `tokens`, only that token may follow."""

    tokens: Mapping[int, int]

    def __call__(self, logits: Array, histories: Histories) -> Array:
        new = logits.copy()
        for row, history in zip(new, histories, strict=True):
            token = self.tokens.get(len(history))
            if token is not None:
                row[:], row[token] = NEVER, 0
        return new
