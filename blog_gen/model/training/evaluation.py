"""How well a model predicts texts: loss, perplexity and bits per byte, with the Keras network in float32."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from blog_gen.model.arrays import Array
from blog_gen.model.bpe import Tokenizer
from blog_gen.model.hparams import HParams
from blog_gen.model.quiet import quiet
from blog_gen.model.weights import load_weights

# Ids to the log-probability (nats, ≤ 0) of each id and of the end after them.
Scorer = Callable[[Sequence[int]], Array]
BATCH_TOKENS = 4096
LENGTH_MULTIPLE = 128  # windows are padded to this, so that few shapes are compiled


@dataclass(frozen=True)
class Evaluation:
    """Totals over texts; every text's end-of-text counts as a token to predict."""

    tokens: int
    bytes: int
    nats: float

    @property
    def loss(self) -> float:
        """Mean nats per token, ≥ 0."""
        return self.nats / self.tokens

    @property
    def perplexity(self) -> float:
        """e to the loss, ≥ 1."""
        return math.exp(self.loss)

    @property
    def bits_per_byte(self) -> float:
        """Comparable between vocabularies, ≥ 0: bits to say the text, over its length in UTF-8."""
        return self.nats / math.log(2) / self.bytes


def evaluate(texts: Sequence[str], tokenizer: Tokenizer, scorer: Callable[..., list[Array]]) -> Evaluation:
    """Score `texts` with `scorer`, which takes a list of id lists (`KerasScorer`, or the sampler's own)."""
    ids = [tokenizer.encode(text) for text in texts]
    nats = -sum(float(scores.sum()) for scores in scorer(ids))
    return Evaluation(
        sum(len(each) + 1 for each in ids), sum(len(text.encode("utf-8")) for text in texts), nats
    )


class KerasScorer:
    """Log-probabilities (nats, ≤ 0) of texts under a model folder's weights."""

    def __init__(self, folder: Path) -> None:
        quiet()
        import tensorflow as tf

        self.hparams = HParams.load(folder)
        self.tokenizer = Tokenizer.load(folder)
        weights = {name: tf.constant(value) for name, value in load_weights(folder, self.hparams).items()}
        self._forward = tf.function(
            lambda tokens, targets: _target_scores(weights, tokens, targets, self.hparams), autograph=False
        )

    def __call__(self, texts: Sequence[Sequence[int]]) -> list[Array]:
        """For each list of n ids, n + 1 float32 values: each id's score, then end-of-text's.

        Beyond a window, windows overlap by half, and each token is scored where it has the most before it.
        """
        results = [np.zeros(len(ids) + 1, np.float32) for ids in texts]
        for batch in self._batches(texts):
            width = max(len(window.ids) for window in batch) - 1
            width = min(self.hparams.window, -(-width // LENGTH_MULTIPLE) * LENGTH_MULTIPLE)
            tokens = np.zeros((len(batch), width + 1), np.int32)
            for row, window in enumerate(batch):
                tokens[row, : len(window.ids)] = window.ids
            scores = np.asarray(self._forward(tokens[:, :-1], tokens[:, 1:]))
            for row, window in enumerate(batch):
                fresh = scores[row, window.fresh : len(window.ids) - 1]
                results[window.text][window.start + window.fresh :][: len(fresh)] = fresh
        return results

    def _batches(self, texts: Sequence[Sequence[int]]) -> Iterator[list[_Window]]:
        end = self.tokenizer.end_of_text
        windows = [
            window
            for number, ids in enumerate(texts)
            for window in windows_of(number, [end, *ids, end], self.hparams.window)
        ]
        windows.sort(key=lambda window: len(window.ids))
        batch: list[_Window] = []
        for window in windows:
            if batch and len(window.ids) * (len(batch) + 1) > BATCH_TOKENS:
                yield batch
                batch = []
            batch.append(window)
        if batch:
            yield batch


def scorer_of(folder: Path, precision: str) -> tuple[Tokenizer, Callable[..., list[Array]]]:
    """The tokenizer and a scorer of the model in `folder`: float32 by Keras, or int8 by the sampler."""
    if precision == "int8":
        return sampler_scorer(folder)
    keras = KerasScorer(folder)
    return keras.tokenizer, keras


def sampler_scorer(folder: Path) -> tuple[Tokenizer, Callable[[Sequence[Sequence[int]]], list[Array]]]:
    """The same as `KerasScorer` by the int8 sampler, to see what its rounding costs."""
    from blog_gen.model.sampling.sampling import Sampler

    sampler = Sampler.open(folder)
    end = sampler.tokenizer.end_of_text
    return sampler.tokenizer, lambda texts: [sampler.log_probabilities([*ids, end]) for ids in texts]


@dataclass(frozen=True)
class _Window:
    text: int
    start: int  # of its first target, in the text's targets
    fresh: int  # targets before this one were scored in an earlier window
    ids: list[int]


def windows_of(number: int, ids: list[int], size: int) -> Iterator[_Window]:
    total, done = len(ids) - 1, 0
    while done < total:
        start = 0 if done == 0 else min(done - size // 2, total - size)
        end = min(start + size, total)
        yield _Window(number, start, done - start, ids[start : end + 1])
        done = end


def _target_scores(weights: Any, tokens: Any, targets: Any, hparams: HParams) -> Any:
    """(B, T) log-probability of each target: nats, ≤ 0."""
    from keras import ops

    from blog_gen.model.training import network

    logits = network.logits(weights, tokens, hparams)
    picked = ops.take_along_axis(logits, targets[..., None], axis=-1)[..., 0]
    return picked - ops.logsumexp(logits, axis=-1)
