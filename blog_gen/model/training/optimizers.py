"""Optimizers as pure functions in `keras.ops`: gradients in, new weights and new slots out.

Knows names only to choose: matrices inside blocks may be updated by Muon; norms, biases and (under Muon)
embeddings by AdamW. Decay is decoupled and never touches norms and biases.

Sources: AdamW, Loshchilov and Hutter 2019; Muon, Jordan et al. 2024, with the update scaled to AdamW's root
mean square as in Liu et al. 2025, "Muon is Scalable for LLM Training", so that one learning rate fits both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from keras import ops

from blog_gen.model.hparams import is_factor
from blog_gen.model.training.fusion import island

Tensor = Any
Arrays = dict[str, Tensor]

NEWTON_SCHULZ_STEPS = 5
NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)  # steep at zero: five steps bring singular values near 1


@dataclass(frozen=True)
class StepScalars:
    """Float32 scalars of one update; `norm` is the gradients' global norm, `scale` what clips it."""

    norm: Tensor
    scale: Tensor
    rate: Tensor
    unbias_1: Tensor
    unbias_2: Tensor


@dataclass(frozen=True)
class Optimizer:
    """Which rule updates what; the learning rate itself comes with each step."""

    kind: Literal["adamw", "muon"] = "adamw"
    beta_1: float = 0.9
    beta_2: float = 0.95  # short memory: runs of some hundred steps
    momentum: float = 0.95  # Muon's
    weight_decay: float = 0.1
    clip_norm: float = 1.0
    precision: str = "bfloat16"  # of Muon's products

    def slots(self, name: str, shape: tuple[int, ...]) -> tuple[str, ...]:
        """Names of the running averages of one weight, each of its shape and all zero at the start."""
        return (f"m/{name}", f"v/{name}") if self.is_elementwise(name, shape) else (f"m/{name}",)

    def step_scalars(self, gradients: Arrays, rate: Tensor, step: Tensor) -> StepScalars:
        """What one update has in common for all weights.

        Args:
            rate: the learning rate, a float32 scalar. step: 1 for the first update, a float32 scalar.
        """
        norm = ops.sqrt(sum_of_squares(gradients))
        scale = ops.minimum(1.0, self.clip_norm / (norm + 1e-6))
        return StepScalars(
            norm, scale, rate, 1.0 / (1.0 - self.beta_1**step), 1.0 / (1.0 - self.beta_2**step)
        )

    def is_elementwise(self, name: str, shape: tuple[int, ...]) -> bool:
        """Whether `adamw` updates the weight, each number by itself: a backend may do that in place."""
        return self.kind == "adamw" or not is_factor(name, shape)

    def update(
        self, name: str, weight: Tensor, gradient: Tensor, slots: Sequence[Tensor], now: StepScalars
    ) -> tuple[Tensor, ...]:
        """The new value of one weight and of its slots. The gradient may be in the compute dtype."""
        shape = tuple(weight.shape)
        if self.is_elementwise(name, shape):
            return adamw((weight, *slots), gradient, self.scalars(shape, now))
        m, update = _muon_momentum(gradient, slots[0], now.scale, self.momentum)
        turned = orthogonalised(update, 3 if name.endswith("c_attn/w") else 1, self.precision)
        return _decayed_step(weight, turned, now.rate, self._decay(shape)), m

    def scalars(self, shape: tuple[int, ...], now: StepScalars) -> dict[str, Tensor]:
        """What `adamw` is told beside arrays: tensors, so that one compiled function serves a shape."""
        return {
            "beta_1": _tensor(self.beta_1),
            "beta_2": _tensor(self.beta_2),
            "scale": now.scale,
            "rate": now.rate,
            "decay": self._decay(shape),
            "unbias_1": now.unbias_1,
            "unbias_2": now.unbias_2,
        }

    def _decay(self, shape: tuple[int, ...]) -> Tensor:
        return _tensor(self.weight_decay if len(shape) == 2 else 0.0)


def _tensor(number: float) -> Tensor:
    return ops.convert_to_tensor(number, "float32")


def sum_of_squares(gradients: Arrays) -> Tensor:
    total: Tensor = 0.0
    for gradient in gradients.values():
        total = total + ops.sum(_squares(gradient))
    return total


@island
def _squares(x: Tensor) -> Tensor:
    """Sums over all axes but the last: each adds up lanes of its own, where one sum would wait for itself."""
    return ops.sum(ops.square(ops.cast(x, "float32")), axis=tuple(range(len(x.shape) - 1)))


@island
def adamw(arrays: tuple[Tensor, ...], gradient: Tensor, now: Mapping[str, Tensor]) -> tuple[Tensor, ...]:
    """The new values of a weight and its two slots; `now` is what `Optimizer.scalars` returns."""
    weight, m, v = arrays
    gradient = ops.cast(gradient, "float32") * now["scale"]
    m = now["beta_1"] * m + (1.0 - now["beta_1"]) * gradient
    v = now["beta_2"] * v + (1.0 - now["beta_2"]) * ops.square(gradient)
    update = m * now["unbias_1"] / (ops.sqrt(v * now["unbias_2"]) + 1e-8)
    return weight - now["rate"] * (update + now["decay"] * weight), m, v


@island
def _muon_momentum(gradient: Tensor, m: Tensor, scale: Tensor, momentum: float) -> tuple[Tensor, Tensor]:
    """Nesterov momentum, and the direction that the next step goes in."""
    gradient = ops.cast(gradient, "float32") * scale
    m = momentum * m + (1.0 - momentum) * gradient
    return m, momentum * m + (1.0 - momentum) * gradient


def orthogonalised(update: Tensor, parts: int, precision: str) -> Tensor:
    """The nearest orthogonal matrix of (in, parts * out) `update`, each part by itself, root mean square 0.2.

    Newton-Schulz: only products, no decomposition. Their `precision` may be bfloat16.
    """
    rows, columns = update.shape[0], update.shape[1] // parts
    x = ops.transpose(ops.reshape(update, (rows, parts, columns)), (1, 0, 2))  # (parts, in, out)
    wide = rows > columns
    x = ops.transpose(x, (0, 2, 1)) if wide else x
    x = ops.cast(x / (ops.sqrt(ops.sum(ops.square(x), axis=(1, 2), keepdims=True)) + 1e-7), precision)
    a, b, c = (ops.cast(factor, precision) for factor in NEWTON_SCHULZ)
    for _ in range(NEWTON_SCHULZ_STEPS):
        gram = ops.matmul(x, ops.transpose(x, (0, 2, 1)))
        x = a * x + ops.matmul(b * gram + c * ops.matmul(gram, gram), x)
    x = ops.cast(ops.transpose(x, (0, 2, 1)) if wide else x, "float32")
    flat = ops.reshape(ops.transpose(x, (1, 0, 2)), (rows, parts * columns))
    return flat * (0.2 * max(rows, columns) ** 0.5)


@island
def _decayed_step(weight: Tensor, update: Tensor, rate: Tensor, decay: Tensor) -> Tensor:
    return weight - rate * (update + decay * weight)
