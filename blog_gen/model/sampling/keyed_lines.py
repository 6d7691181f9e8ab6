"""A processor for texts that begin with `key: value` lines: keys in order, each at most once, then a fence.

What follows the fence is free, and so is all of a text that begins otherwise, as a prompt may. Knows tokens
and bytes; what the keys mean is the caller's.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

import numpy as np

from blog_gen.model.arrays import Array
from blog_gen.model.bpe import Tokenizer
from blog_gen.model.sampling.processors import Histories
from blog_gen.model.sampling.rows import masked

Place = Literal["line", "value", "body"]
USUAL = 64  # tokens: nearly every head is shorter, and a body of a thousand need not be joined each time


class KeyedLines:
    """Keeps the beginning of a text to `first: …`, perhaps some of the other keys, and the fence."""

    def __init__(self, keys: Sequence[str], fence: str, tokenizer: Tokenizer) -> None:
        self._keys = [f"{key}:".encode() for key in keys]
        self._fence = f"{fence}\n".encode()
        self._end = tokenizer.end_of_text
        self._pieces = tokenizer.token_bytes
        self._free = np.ones(len(self._pieces), bool)
        self._mask = lru_cache(256)(self._computed)

    def __call__(self, logits: Array, histories: Histories) -> Array:
        places = [self._place(history) for history in histories]
        return masked(logits, np.stack([self._mask(*where) if where else self._free for where in places]))

    def _place(self, history: Sequence[int]) -> tuple[Place, int, bytes] | None:
        """As `_where`, which is asked of a beginning first: what leaves a head never comes back to it."""
        for begun in (history[:USUAL], history):
            where = self._where(b"".join(self._pieces[token] for token in begun))
            if where is None or len(begun) == len(history):
                break
        return where

    def _where(self, text: bytes) -> tuple[Place, int, bytes] | None:
        """Where in a head `text` ends, how many keys cannot come again, and what stands there already: of
        a line, or of a value, but only as far as it matters. None: in no head."""
        head, fence, body = text.partition(b"\n" + self._fence)
        *lines, last = head.split(b"\n")
        used = 0
        for line in lines + [last] * bool(fence):
            used = self._used(line, used)
            if not used:
                return None
        if fence:
            return None if body.strip() else ("body", used, b"")
        if after := self._used(last, used):
            value = last[len(self._keys[after - 1]) :]
            return "value", after, value if not value.strip() else b" ..."
        begins = any(start.startswith(last) for start in self._starts(used))
        return ("line", used, last) if begins else None

    def _used(self, line: bytes, used: int) -> int:
        """How many keys are used up with `line`, where `used` were before; 0: it is no line of a head."""
        choices = range(used, len(self._keys) if used else 1)  # the first key comes first
        return next((number + 1 for number in choices if line.startswith(self._keys[number])), 0)

    def _starts(self, used: int) -> list[bytes]:
        """What a new line may begin with."""
        return [*self._keys[used:], self._fence] if used else self._keys[:1]

    def _computed(self, place: Place, used: int, given: bytes) -> Array:
        """Which tokens may follow: bool (V,)."""
        fits = {"line": self._fits_line, "value": self._fits_value, "body": lambda *_: True}[place]
        mask = np.array([bool(piece) and fits(used, given, piece) for piece in self._pieces])
        mask[self._end] = False
        return mask

    def _fits_line(self, used: int, given: bytes, piece: bytes) -> bool:
        return any(start.startswith(given + piece) for start in self._starts(used))

    def _fits_value(self, used: int, given: bytes, piece: bytes) -> bool:
        value, newline, rest = piece.partition(b"\n")
        value = given + value
        if not value.startswith(b" ") or not value.strip() or value.startswith(b"  "):
            return False
        return not newline or any(start.startswith(rest) for start in self._starts(used))
