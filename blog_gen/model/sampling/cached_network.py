"""The network with a key and value cache, run by LiteRT. Knows ids and logits, not choosing.

The cache has `rows` (texts that grow side by side) of `slots` (earlier tokens); both follow what is needed,
and the graph's inputs are resized with them. Numbers never depend on the company a row is in: the same
tokens in the same row or another, alone or among others, give the same bits (tests/model/test_sampling.py).
Shape letters: M new tokens, P rows, T slots, S shared slots, H heads of keys and values, D head width,
L layers, V vocabulary.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from blog_gen.model.arrays import Array
from blog_gen.model.quiet import silenced
from blog_gen.model.sampling.sampler_file import SamplerFile

Cached = list[tuple[Array, Array]]  # a row's keys (n, H, D) and values (n, H, D), layer by layer

CHUNK = 64  # prompt tokens read at once
# Slots come in multiples of this: XNNPACK adds up in vectors of up to 128, so that slots not yet used never
# change the order of the sum over those that are.
SLOT_STEP = 128
_HIDDEN = np.float32(-1e9)
LARGE_CACHE = 128 << 20  # bytes: a new interpreter, which takes a moment, costs less than such a cache twice


@dataclass(frozen=True)
class Prediction:
    """What the network expects after each of M tokens."""

    logits: Array  # float32 (M, V)
    normaliser: Array  # float32 (M,): logits less this are natural log-probabilities


class CachedNetwork:
    """The network of one sampler file, with its cache."""

    def __init__(self, path: Path, threads: int | None = None) -> None:
        from ai_edge_litert.interpreter import Interpreter

        self.file = SamplerFile.open(path)
        self.hparams = self.file.hparams
        self._interpreter_of = partial(Interpreter, str(path), num_threads=threads or usual_threads())
        self._nothing = self._empty(0)
        self._recent: tuple[tuple[int, ...], Cached] = ((), [])
        self._open()

    def _open(self) -> None:
        """An interpreter, without a cache."""
        with silenced():
            self._interpreter = self._interpreter_of()
            self._interpreter.allocate_tensors()
        details = self._interpreter.get_input_details() + self._interpreter.get_output_details()
        self._index = {entry["name"]: entry["index"] for entry in details}
        # Each gives a tensor's own memory, which must be let go of before the interpreter runs again.
        self._view = {name: self._interpreter.tensor(index) for name, index in self._index.items()}
        layers = range(self.hparams.n_layer)
        self._caches = [(self._view[f"k{layer}"], self._view[f"v{layer}"]) for layer in layers]
        self._shared = [(self._view[f"shared_k{layer}"], self._view[f"shared_v{layer}"]) for layer in layers]
        self._shape = (0, 0, 0, 0)  # M, P, T, S
        self._largest = 0  # bytes of a cache so far: what was taken once is kept

    @property
    def rows(self) -> int:
        return self._shape[1]

    @property
    def slots(self) -> int:
        return self._shape[2]

    def step(self, tokens: Sequence[int], positions: Sequence[int]) -> Prediction:
        """Read one token a row, each at its position, into the cache."""
        prediction, fresh = self._run(np.asarray(tokens), np.asarray(positions))
        seats = list(enumerate(positions))  # one by one: indexing by arrays takes five times as long
        for layer, (keys, values) in enumerate(self._caches):
            k, v, new = keys(), values(), fresh[:, 2 * layer : 2 * layer + 2]
            for row, at in seats:
                k[row, at], v[row, at] = new[row]
        past = self._view["past"]()
        for row, at in seats:
            past[row, at] = 0
        return prediction

    def read(self, tokens: Sequence[int]) -> tuple[Cached, Iterator[Prediction]]:
        """Read `tokens` from position 0 on; their cache fills while the predictions are taken."""
        cached = self._empty(len(tokens))
        return cached, self._chunks(tokens, cached)

    def _empty(self, length: int) -> Cached:
        hp = self.hparams
        shape = (length, hp.kv_heads, hp.head_width)
        return [(np.empty(shape, np.float32), np.empty(shape, np.float32)) for _ in range(hp.n_layer)]

    def _chunks(self, tokens: Sequence[int], cached: Cached) -> Iterator[Prediction]:
        for at in range(0, len(tokens), CHUNK):
            end = min(at + CHUNK, len(tokens))
            self._resize(end - at, 1, 1, max(at, 1))
            self._fill_row(0, self._nothing)
            now = self._view["now"]()[0, 0]
            now[:, : max(at, 1)] = 0 if at else _HIDDEN
            now[:, max(at, 1) :] = np.where(np.tri(end - at, dtype=bool), 0, _HIDDEN)
            del now
            for shared, own in zip(self._shared, cached, strict=True):
                for side in (0, 1):
                    shared[side]()[0] = own[side][:at].swapaxes(0, 1) if at else 0
            prediction, fresh = self._run(np.asarray(tokens[at:end]), np.arange(at, end))
            for layer, (keys, values) in enumerate(cached):
                keys[at:end], values[at:end] = fresh[:, 2 * layer], fresh[:, 2 * layer + 1]
            yield prediction

    def arrange(self, rows: Sequence[int | tuple[int, ...]], slots: int) -> None:
        """Make the cache anew: each row is an old one (its number) or tokens to read."""
        grows = len(rows) == self.rows and any(isinstance(row, int) for row in rows)
        slots = max(_slots_for(slots), self.slots if grows else 0)
        prompts = list(dict.fromkeys(row for row in rows if isinstance(row, tuple)))
        stays = all(row == number for number, row in enumerate(rows) if isinstance(row, int))
        in_place = stays and (len(rows), slots) == self._shape[1:3] and set(prompts) <= {self._recent[0], ()}
        kept = {row: self._row(row) for row in rows if isinstance(row, int) and not in_place}
        fresh = {prompt: self._read_once(prompt) for prompt in prompts}
        if self._bytes(len(rows), slots) > max(LARGE_CACHE, self._largest):
            self._reopen()
        self._resize(len(rows), len(rows), slots, 1)
        self._view["now"]()[0, 0] = np.where(np.eye(len(rows), len(rows) + 1, 1, dtype=bool), 0, _HIDDEN)
        for shared in self._shared:
            shared[0]().fill(0)
            shared[1]().fill(0)
        for number, row in enumerate(rows):
            if isinstance(row, tuple):
                self._fill_row(number, fresh[row])
            elif not in_place:
                self._fill_row(number, kept[row])

    def _reopen(self) -> None:
        """Give up the cache before there is a larger one: the interpreter alone would hold both."""
        del self._interpreter, self._view, self._caches, self._shared
        self._open()

    def _bytes(self, rows: int, slots: int) -> int:
        """Of a cache."""
        return 8 * self.hparams.n_layer * rows * slots * self.hparams.kv_heads * self.hparams.head_width

    def _read_once(self, tokens: tuple[int, ...]) -> Cached:
        """`read`, which remembers the last prompt: candidates mostly share theirs."""
        if not tokens:
            return self.read(tokens)[0]
        if self._recent[0] != tokens:
            cached, predictions = self.read(tokens)
            for _ in predictions:
                pass
            self._recent = (tokens, cached)
        return self._recent[1]

    def _row(self, row: int) -> Cached:
        length = int((self._view["past"]()[row, :, 0, 0] == 0).sum())
        return [(keys()[row, :length].copy(), values()[row, :length].copy()) for keys, values in self._caches]

    def _fill_row(self, row: int, cached: Cached) -> None:
        length = len(cached[0][0])
        for views, old in zip(self._caches, cached, strict=True):
            for view, tokens in zip(views, old, strict=True):
                own = view()[row]
                # What is hidden must still be finite: 0 times infinity is not 0.
                own[:length], own[length:] = tokens, 0
        past = self._view["past"]()[row]
        past[:length], past[length:] = 0, _HIDDEN

    def _run(self, tokens: Array, positions: Array) -> tuple[Prediction, Array]:
        """The prediction, and the new keys and values (M, 2 L, H, D), which lie in turns."""
        self._view["x"]()[:, 0] = self.file.embed(tokens, positions)
        if self.hparams.positions == "rotary":
            self._view["cosine"]()[:, 0, 0], self._view["sine"]()[:, 0, 0] = self.file.rotation(positions)
        self._interpreter.invoke()
        hp = self.hparams
        fresh = self._view["fresh"]().reshape(len(tokens), -1, hp.kv_heads, hp.head_width).copy()
        normaliser = self._view["top"]()[:, 0, 0] + np.log(self._view["total"]()[:, 0, 0])
        return Prediction(self._view["logits"]()[:, 0].copy(), normaliser), fresh

    def _resize(self, new: int, rows: int, slots: int, shared: int) -> None:
        """Resize the inputs; what the cache held is lost unless nothing changes."""
        if (new, rows, slots, shared) == self._shape:
            return
        heads, width = self.hparams.kv_heads, self.hparams.head_width
        shapes: dict[str, tuple[int, ...]] = {"x": (new, 1, self.hparams.n_embd), "past": (rows, slots, 1, 1)}
        shapes["now"] = (1, 1, new, shared + new)
        if self.hparams.positions == "rotary":
            shapes["cosine"] = shapes["sine"] = (new, 1, 1, width)
        for layer in range(self.hparams.n_layer):
            shapes[f"k{layer}"] = shapes[f"v{layer}"] = (rows, slots, heads, width)
            shapes[f"shared_k{layer}"] = shapes[f"shared_v{layer}"] = (1, heads, shared, width)
        for name, shape in shapes.items():
            self._interpreter.resize_tensor_input(self._index[name], shape)
        self._interpreter.allocate_tensors()
        self._shape = (new, rows, slots, shared)
        self._largest = max(self._largest, self._bytes(rows, slots))


def usual_threads() -> int:
    """The processors this process may use; more than eight only wait for memory."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return min(allowed or 1, 8)


def _slots_for(tokens: int) -> int:
    return max(1, -(-tokens // SLOT_STEP)) * SLOT_STEP
