"""A processor for a line that may hold only names of a list: `key: one` or `key: one, another`.

Knows tokens and bytes; what the names mean is the caller's.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from blog_gen.model.arrays import Array
from blog_gen.model.bpe import Tokenizer
from blog_gen.model.sampling.processors import Histories
from blog_gen.model.sampling.rows import masked


class Listed:
    """Keeps what follows the colon of the last line to `names`, each once, and then the line's end."""

    def __init__(self, names: Sequence[str], tokenizer: Tokenizer, several: bool) -> None:
        """`names`: on one line each and without commas. `several`: more than one may stand there."""
        self._names = [b" " + name.encode() for name in names]
        self._several = several
        self._pieces = tokenizer.token_bytes
        self._ids = {piece: token for token, piece in enumerate(self._pieces) if piece}
        self._allowed = lru_cache(256)(self._computed)

    def __call__(self, logits: Array, histories: Histories) -> Array:
        allowed = np.zeros(logits.shape, bool)
        for row, history in zip(allowed, histories, strict=True):
            row[self._allowed(self._value(history))] = True
        return masked(logits, allowed)

    def _value(self, history: Sequence[int]) -> bytes:
        """What stands behind the colon of the last line."""
        line = b""
        for token in reversed(history):
            line = self._pieces[token] + line
            if b"\n" in line:
                break
        return line.rpartition(b"\n")[2].partition(b":")[2]

    def _computed(self, value: bytes) -> list[int]:
        """The tokens that may follow `value`."""
        *given, begun = value.split(b",")
        left = [name for name in self._names if name not in given]
        ends = (b"\n", b",") if self._several and len(left) > 1 else (b"\n",)
        rests = [name[len(begun) :] + end for name in left if name.startswith(begun) for end in ends]
        pieces = {rest[:size] for rest in rests for size in range(1, len(rest) + 1)}
        return sorted(self._ids[piece] for piece in pieces if piece in self._ids)
