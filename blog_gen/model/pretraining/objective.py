"""What pretraining computes: the loss of one long text cut into rows, and a stepper for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from keras import ops

from blog_gen.model.arrays import Array
from blog_gen.model.distributed import strategy as distribution
from blog_gen.model.hparams import HParams
from blog_gen.model.training import network
from blog_gen.model.training.loss import chunked_cross_entropy, cross_entropy
from blog_gen.model.training.optimizers import Optimizer
from blog_gen.model.training.steppers.stepper import Stepper, make_stepper


def follower(about: Mapping[str, Any]) -> Stepper:
    """A stepper like that of the chief's `Pretraining`, whose weights come from there."""
    hparams = HParams(**about["hparams"])
    zeros = {name: np.zeros(shape, np.float32) for name, shape in hparams.shapes().items()}
    return begun(zeros, hparams, Optimizer(**about["optimizer"]), about["precision"])


def begun(start: Mapping[str, Array], hparams: HParams, optimizer: Optimizer, precision: str) -> Stepper:
    """A stepper from the weights `start`, with the other workers, if there are any."""
    optimizer = replace(optimizer, precision=precision)
    distribution.begin({"hparams": asdict(hparams), "optimizer": asdict(optimizer), "precision": precision})
    return make_stepper(start, optimizer, _TextLoss(hparams, precision), compute_dtype=precision)


@dataclass(frozen=True)
class _TextLoss:
    """The loss of all tokens but the first of each row: an `Objective`."""

    hparams: HParams
    precision: str

    def training_loss(self, weights: Any, batch: Any) -> Any:
        return chunked_cross_entropy(*self._forward(weights, batch))

    def evaluation_loss(self, weights: Any, batch: Any) -> Any:
        return cross_entropy(*self._forward(weights, batch))

    prediction = evaluation_loss  # required by the protocol; pretraining never predicts

    def _forward(self, weights: Any, batch: Any) -> tuple[Any, Any, Any, Any]:
        """Last states (N, C), the table, targets (N,), and each target's share in the loss (N,)."""
        states = network.hidden_states(weights, batch["tokens"][:, :-1], self.hparams, self.precision)
        flat = ops.reshape(states, (-1, self.hparams.n_embd))
        targets, shares = batch["tokens"][:, 1:], batch["share"]
        return flat, weights["wte"], ops.reshape(targets, (-1,)), ops.reshape(shares, (-1,))


def batch_of(rows: Array, size: int, total: int) -> dict[str, Array]:
    """`rows` (n, T + 1) filled up to `size` of them; their targets count as much as those of `total` rows do,
    together 1, and the filling nothing."""
    share = np.zeros((size, rows.shape[1] - 1), np.float32)
    share[: len(rows)] = 1.0 / (total * share.shape[1])
    return {"tokens": np.pad(rows, ((0, size - len(rows)), (0, 0))), "share": share}
