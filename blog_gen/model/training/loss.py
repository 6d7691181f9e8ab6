"""The language-model loss without all its logits: cross-entropy a chunk of tokens at a time.

The logits of 1024 tokens over 50,257 ids take 206 MB in float32, three times over with their gradient. The
loss is the end of the graph, so its gradient is known up to a factor as soon as a chunk's logits are: each
chunk's logits are turned into their own gradient in place, multiplied back, and dropped.
`Objective` is what a fine-tune computes of a batch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from keras import ops

from blog_gen.model.hparams import HParams
from blog_gen.model.training import network
from blog_gen.model.training.dropout import NO_DROPOUT, Dropout
from blog_gen.model.training.fusion import after, checkpointed, island
from blog_gen.model.training.memory import MOST_PARTS, chunks
from blog_gen.model.training.network import Wrap, as_it_is
from blog_gen.model.training.recipe import Recipe

Tensor = Any


def cross_entropy(states: Tensor, wte: Tensor, targets: Tensor, share: Tensor) -> Tensor:
    """Sum over tokens of `share` times the negative log-probability of its target, a float32 scalar.

    Args:
        states: (N, C) in the compute dtype. wte: (V, C) float32. targets: (N,) int32.
        share: (N,) float32 weight of each token in the loss; 0 masks padding.
    """
    table = ops.transpose(ops.cast(wte, states.dtype))
    loss: Tensor = 0.0
    for rows in chunks(states.shape[0], wte.shape[0], learn_table=False):
        logits = ops.matmul(after(states[rows], loss), table)
        loss = loss + _loss(logits, targets[rows], share[rows])
    return loss


def chunked_cross_entropy(
    states: Tensor, wte: Tensor, targets: Tensor, share: Tensor, learn_table: bool = True
) -> Tensor:
    """The same where a gradient is wanted, which is computed along with it.

    With `learn_table` False `wte` gets none, and a third of the products are saved.
    """

    @ops.custom_gradient  # type: ignore[untyped-decorator]
    def fused(states: Tensor, wte: Tensor, targets: Tensor, share: Tensor) -> Any:
        table = ops.cast(wte, states.dtype)
        loss: Tensor = 0.0
        to_states, to_table = [], []
        done: list[Tensor] = []
        for rows in chunks(states.shape[0], wte.shape[0], learn_table):
            logits = ops.matmul(after(states[rows], done), ops.transpose(table))
            part, gradient = _loss_and_gradient(logits, targets[rows], share[rows])
            loss = loss + part
            to_states.append(ops.matmul(gradient, table))
            if learn_table:
                to_table.append(ops.matmul(ops.transpose(gradient), states[rows]))
                if len(to_table) > MOST_PARTS:
                    to_table = [_scaled_sum(to_table, 1.0)]
            done = [to_states[-1], *to_table[-1:]]
        states_gradient = to_states[0] if len(to_states) == 1 else ops.concatenate(to_states, axis=0)

        def backward(*args: Any, upstream: Tensor = None) -> Any:
            scale = args[0] if upstream is None else upstream
            table_gradient = _scaled_sum(to_table, scale) if learn_table else None
            return ops.cast(scale, states.dtype) * states_gradient, table_gradient, None, None

        return loss, backward

    return fused(states, wte, targets, share)


@island
def _scaled_sum(parts: list[Tensor], scale: Tensor) -> Tensor:
    return scale * sum(ops.cast(part, "float32") for part in parts)


@island
def _loss(logits: Tensor, targets: Tensor, share: Tensor) -> Tensor:
    return _parts(logits, targets, share)[0]


@island
def _loss_and_gradient(logits: Tensor, targets: Tensor, share: Tensor) -> tuple[Tensor, Tensor]:
    """Weighted cross-entropy of (N, V) logits against N ids, and its gradient in the logits' dtype."""
    loss, exponential, total = _parts(logits, targets, share)
    hit = ops.arange(logits.shape[1], dtype="int32")[None, :] == targets[:, None]
    gradient = (exponential / total - ops.cast(hit, "float32")) * share[:, None]
    return loss, ops.cast(gradient, logits.dtype)


def _parts(logits: Tensor, targets: Tensor, share: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The loss, exp(logits - max) and its row sums. Only the second is an array of float32 as large."""
    most = ops.cast(ops.max(logits, axis=-1, keepdims=True), "float32")
    exponential = ops.exp(ops.cast(logits, "float32") - most)
    total = ops.sum(exponential, axis=-1, keepdims=True)
    picked = ops.cast(ops.take_along_axis(logits, targets[:, None], axis=-1), "float32")
    return ops.sum((ops.log(total) + most - picked)[:, 0] * share), exponential, total


@dataclass(frozen=True)
class Objective:
    """Functions of all weights by name, and of a batch: `tokens`, `targets` and each one's `share` (R, T).

    Args:
        learns_table: whether the table of the logits gets a gradient.
        wraps: what is computed twice, of blocks and of attention's shares.
    """

    hparams: HParams
    precision: str
    dropout: float
    learns_table: bool
    wraps: tuple[Wrap, ...] = ()

    @classmethod
    def of(cls, hparams: HParams, recipe: Recipe, learns_table: bool) -> Objective:
        """What `recipe` says of it. Beside adapters shares take few products, and are computed twice."""
        wraps: tuple[Wrap, ...] = (as_it_is, checkpointed) if recipe.lora is not None else ()
        wraps = (checkpointed,) if recipe.activation_checkpointing else wraps
        return cls(hparams, recipe.precision, recipe.dropout, learns_table, wraps)

    def training_loss(self, weights: Any, batch: Any) -> Any:
        dropout = Dropout(self.dropout, batch["seed"])
        states, targets, share = self._forward(weights, batch, dropout, *self.wraps)
        return chunked_cross_entropy(states, network.output_table(weights), targets, share, self.learns_table)

    def evaluation_loss(self, weights: Any, batch: Any) -> Any:
        states, targets, share = self._forward(weights, batch, NO_DROPOUT)
        return cross_entropy(states, network.output_table(weights), targets, share)

    def prediction(self, weights: Any, batch: Any) -> Any:
        """(V,) logits that follow the `last` of the tokens (1, T)."""
        states = network.hidden_states(weights, batch["tokens"], self.hparams, self.precision)
        state = ops.take(states[0], batch["last"], axis=0)
        return ops.matmul(ops.cast(network.output_table(weights), "float32"), ops.cast(state, "float32"))

    def _forward(self, weights: Any, batch: Any, dropout: Dropout, *wraps: Wrap) -> tuple[Any, Any, Any]:
        """Last states (N, C), targets (N,) and each target's share in the loss (N,)."""
        packing = network.Packing(batch["positions"], batch["segments"])
        states = network.hidden_states(
            weights, batch["tokens"], self.hparams, self.precision, packing, dropout, *wraps
        )
        flat = ops.reshape(states, (-1, self.hparams.n_embd))
        return flat, ops.reshape(batch["targets"], (-1,)), ops.reshape(batch["share"], (-1,))
