"""Token ids to training rows: whole texts, each closed by end-of-text, several to a row where they fit.

Knows nothing of what the texts say. A text is `<end> ids <end>`: the first id is what sampling begins with,
the last is what it stops at. Texts share a row but never see one another (`network.Packing`), and count
their positions from zero, just as they will be sampled.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import accumulate

import numpy as np

from blog_gen.model.arrays import Array
from blog_gen.model.training.recipe import Recipe

ENOUGH = 100_000  # characters to measure by: some 28,000 of `mini`'s tokens
ROW_MULTIPLE = 64  # row lengths are rounded up to this: few shapes to compile, aligned matrices


@dataclass(frozen=True)
class Rows:
    """Packed rows, all arrays (R, T); `counted` is 1.0 where a target is learned from, 0.0 in padding.

    `share_of_text` is one over the number of its text's targets there: they add up to 1 for each text.
    """

    tokens: Array
    targets: Array
    positions: Array
    segments: Array
    counted: Array
    share_of_text: Array

    def __len__(self) -> int:
        return len(self.tokens)

    @property
    def count(self) -> int:
        """Targets learned from in one pass."""
        return int(self.counted.sum())

    def batch(self, which: Array, size: int, share: Array | None = None) -> dict[str, Array]:
        """Rows `which` as a batch of exactly `size` rows; missing ones are padding.

        Args:
            share: (R, T) each target's weight in the loss, which comes along; None: `counted`.
        """
        names = ("tokens", "targets", "positions", "segments")
        arrays = {name: getattr(self, name) for name in names}
        arrays["share"] = self.counted if share is None else share
        padding = ((0, size - len(which)), (0, 0))
        return {name: np.pad(value[which], padding) for name, value in arrays.items()}


def pack(texts: Sequence[Sequence[int]], end_of_text: int, n_ctx: int) -> Rows:
    """Pack texts into as few rows as first-fit-decreasing finds; the order of texts does not matter.

    A text longer than the context becomes several windows; each begins with the last quarter context of the
    one before, which is seen again and not counted twice.
    """
    windows = [window for ids in texts for window in _windows([end_of_text, *ids, end_of_text], n_ctx)]
    windows.sort(key=lambda window: (-len(window.inputs), window.inputs))
    longest = max((len(window.inputs) for window in windows), default=1)
    length = min(n_ctx, -(-longest // ROW_MULTIPLE) * ROW_MULTIPLE)
    rows: list[list[_Window]] = []
    by_room: dict[int, list[int]] = {}  # heaps of row numbers, by the room that is left in them
    for window in windows:
        size = len(window.inputs)
        fitting = ((numbers[0], room) for room, numbers in by_room.items() if room >= size)
        place, room = min(fitting, default=(len(rows), length))
        if place == len(rows):
            rows.append([])
        elif len(by_room[room]) > 1:
            heappop(by_room[room])
        else:
            del by_room[room]
        heappush(by_room.setdefault(room - size, []), place)
        rows[place].append(window)
    return _filled(rows, length)


@dataclass(frozen=True)
class _Window:
    inputs: list[int]
    targets: list[int]
    repeated: int  # so many leading targets were in the window before
    total: int  # targets of its text


def _windows(ids: list[int], n_ctx: int) -> Iterator[_Window]:
    total, done = len(ids) - 1, 0
    while done < total:
        start = max(0, done - n_ctx // 4)
        end = min(start + n_ctx, total)
        yield _Window(ids[start:end], ids[start + 1 : end + 1], done - start, total)
        done = end


def _filled(rows: list[list[_Window]], length: int) -> Rows:
    shape = (len(rows), length)
    tokens, targets, positions, segments = (np.zeros(shape, np.int32) for _ in range(4))
    counted, share_of_text = (np.zeros(shape, np.float32) for _ in range(2))
    for row, windows in enumerate(rows):
        at = 0
        for number, window in enumerate(windows, 1):
            here = slice(at, at + len(window.inputs))
            tokens[row, here], targets[row, here] = window.inputs, window.targets
            positions[row, here], segments[row, here] = np.arange(len(window.inputs)), number
            counted[row, at + window.repeated : here.stop] = 1.0
            share_of_text[row, at + window.repeated : here.stop] = 1.0 / window.total
            at = here.stop
    return Rows(tokens, targets, positions, segments, counted, share_of_text)


def epoch_order(rows: int, seed: int, epoch: int) -> Array:
    """The order of rows in one pass, from nothing but the seed and the pass's number."""
    return np.random.default_rng([seed, epoch]).permutation(rows)


def batches_of(rows: Rows, recipe: Recipe, step: int) -> list[dict[str, Array]]:
    """The rows of `step`, from 1, in as many parts as one update is computed from; their shares add up to 1.

    Each part has the `seed` of its dropout.
    """
    per_epoch = -(-len(rows) // recipe.batch_rows)
    epoch, place = divmod(step - 1, per_epoch)
    order = epoch_order(len(rows), recipe.seed, epoch)
    which = order[place * recipe.batch_rows : (place + 1) * recipe.batch_rows]
    size = -(-recipe.batch_rows // recipe.gradient_accumulation)
    parts = [rows.batch(which[at : at + size], size) for at in range(0, len(which), size)]
    total = sum(float(part["share"].sum()) for part in parts)
    for number, part in enumerate(parts):
        part["share"] = part["share"] / np.float32(max(total, 1.0))
        seed = recipe.seed * 0x85EBCA6B + step * 0xC2B2AE35 + number * 0x27D4EB2F
        part["seed"] = np.array(seed % 2**32, np.uint32)
    return parts


def held_out(texts: Mapping[str, str], share: float) -> set[str]:
    """Names kept for measuring: those whose hash falls below `share`, so that adding posts moves none.

    With two texts or more at least one is held out and at least one is not; a single text is learned from.
    Of a large blog only the first are, until they have `ENOUGH` characters: all are measured several times.
    """
    if len(texts) < 2 or share <= 0:
        return set()
    ranked = sorted(texts, key=_fraction)
    before = accumulate((len(texts[name]) for name in ranked), initial=0)
    chosen = {
        name for name, size in zip(ranked, before, strict=False) if _fraction(name) < share and size < ENOUGH
    }
    return (chosen or {ranked[0]}) if len(chosen) < len(ranked) else set(ranked[:-1])


def _fraction(name: str) -> float:
    """A number in [0, 1) that depends on the name alone."""
    return int.from_bytes(hashlib.sha256(name.encode("utf-8")).digest()[:8], "big") / 2.0**64
