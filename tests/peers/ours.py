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
