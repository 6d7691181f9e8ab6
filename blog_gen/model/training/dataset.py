"""Token ids to training rows: whole texts, each closed by end-of-text, several to a row where they fit.

Knows nothing of what the texts say. A text is `<end> ids <end>`: the first id is what sampling begins with,
the last is what it stops at. Texts share a row but never see one another (`network.Packing`), and count
their positions from zero, just as they will be sampled.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

ROW_MULTIPLE = 64  # row lengths are rounded up to this: few shapes to compile, aligned matrices


@dataclass(frozen=True)
class Rows:
    """Packed rows, all arrays (R, T); `counted` is 1.0 where a target is learned from, 0.0 in padding."""

    tokens: Array
    targets: Array
    positions: Array
    segments: Array
    counted: Array

    def __len__(self) -> int:
        return len(self.tokens)

    @property
    def count(self) -> int:
        """Targets learned from in one pass."""
        return int(self.counted.sum())

    def batch(self, which: Array, size: int) -> dict[str, Array]:
        """Rows `which` as a batch of exactly `size` rows; missing ones are padding."""
        batch = {}
        for name in ("tokens", "targets", "positions", "segments", "counted"):
            value = getattr(self, name)[which]
            batch[name] = np.pad(value, ((0, size - len(which)), (0, 0)))
        return batch


def pack(texts: Sequence[Sequence[int]], end_of_text: int, n_ctx: int) -> Rows:
    """Pack texts into as few rows as first-fit-decreasing finds; the order of texts does not matter.

    A text longer than the context becomes several windows; each begins with the last quarter context of the
    one before, which is seen again and not counted twice.
    """
    windows = [window for ids in texts for window in _windows([end_of_text, *ids, end_of_text], n_ctx)]
    windows.sort(key=lambda window: (-len(window[0]), window[0]))
    longest = max((len(window[0]) for window in windows), default=1)
    length = min(n_ctx, -(-longest // ROW_MULTIPLE) * ROW_MULTIPLE)
    rows: list[list[tuple[list[int], list[int], int]]] = []
    room: list[int] = []
    for window in windows:
        size = len(window[0])
        place = next((row for row, free in enumerate(room) if free >= size), None)
        if place is None:
            rows.append([])
            room.append(length)
            place = len(rows) - 1
        rows[place].append(window)
        room[place] -= size
    return _filled(rows, length)


def _windows(ids: list[int], n_ctx: int) -> Iterator[tuple[list[int], list[int], int]]:
    """(inputs, targets, how many leading targets were in the window before) of one text."""
    total, done = len(ids) - 1, 0
    while done < total:
        start = max(0, done - n_ctx // 4)
        end = min(start + n_ctx, total)
        yield ids[start:end], ids[start + 1 : end + 1], done - start
        done = end


def _filled(rows: list[list[tuple[list[int], list[int], int]]], length: int) -> Rows:
    shape = (len(rows), length)
    tokens, targets, positions, segments = (np.zeros(shape, np.int32) for _ in range(4))
    counted = np.zeros(shape, np.float32)
    for row, windows in enumerate(rows):
        at = 0
        for number, (inputs, outputs, repeated) in enumerate(windows, 1):
            here = slice(at, at + len(inputs))
            tokens[row, here], targets[row, here] = inputs, outputs
            positions[row, here], segments[row, here] = np.arange(len(inputs)), number
            counted[row, at + repeated : here.stop] = 1.0
            at = here.stop
    return Rows(tokens, targets, positions, segments, counted)


def epoch_order(rows: int, seed: int, epoch: int) -> Array:
    """The order of rows in one pass, from nothing but the seed and the pass's number."""
    return np.random.default_rng([seed, epoch]).permutation(rows)


def held_out(names: Sequence[str], share: float) -> set[str]:
    """Names kept for measuring: those whose hash falls below `share`, so that adding posts moves none.

    With two texts or more at least one is held out and at least one is not; a single text is learned from.
    """
    if len(names) < 2 or share <= 0:
        return set()
    ranked = sorted(set(names), key=_fraction)
    chosen = {name for name in ranked if _fraction(name) < share} or {ranked[0]}
    return chosen if len(chosen) < len(ranked) else set(ranked[:-1])


def _fraction(name: str) -> float:
    """A number in [0, 1) that depends on the name alone."""
    return int.from_bytes(hashlib.sha256(name.encode("utf-8")).digest()[:8], "big") / 2.0**64
