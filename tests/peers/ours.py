"""Our side of a comparison: a model folder, its logits and its likeliest continuation."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from blog_gen.model.hparams import HParams
from blog_gen.model.weights import load_weights

Array = np.ndarray[Any, Any]
PROMPTS = (
    "It was a bright cold day in April,",
    "title: The kettle\ntags: repairs\n---\nThe kettle had leaked since",
    "To sort a list of words by their length in Python,",
)


@dataclass(frozen=True)
class Ours:
    """A model folder with random weights that float16 holds exactly, and OpenAI's vocabulary."""

    folder: Path
    hparams: HParams

    @cached_property
    def weights(self) -> dict[str, Array]:
        return load_weights(self.folder, self.hparams)

    def logits(self, tokens: Array, weights: dict[str, Array] | None = None) -> Array:
        """(T,) ids to (T, V) float32."""
        from keras import ops

        from blog_gen.model.training import network

        batch = np.asarray(tokens, np.int32)[None]
        values: Array = ops.convert_to_numpy(network.logits(weights or self.weights, batch, self.hparams))
        last: Array = values[0]
        return last

    def greedy(self, prompt: list[int], length: int, weights: dict[str, Array] | None = None) -> list[int]:
        """The likeliest continuation, by whole forward passes over one padded length."""
        tokens, padded = list(prompt), np.zeros(len(prompt) + length, np.int32)
        for _ in range(length):
            padded[: len(tokens)] = tokens
            tokens.append(int(self.logits(padded, weights)[len(tokens) - 1].argmax()))
        return tokens[len(prompt) :]

    def assert_chooses(self, prompt: list[int], continuation: list[int], margin: float) -> None:
        """Ours has the same likeliest token as a peer at each place of the peer's continuation.

        Left out: places where ours leads by less than `margin` (logits), which rounding may decide.
        """
        scores = self.logits(np.array([*prompt, *continuation]))[len(prompt) - 1 : -1]
        second, first = np.sort(scores, axis=-1)[:, -2:].T
        clear = first - second > margin
        print(f"{clear.sum()} of {len(clear)} tokens lead by more than {margin:g}")
        assert clear.mean() > 0.5
        assert scores.argmax(-1)[clear].tolist() == np.array(continuation)[clear].tolist()
