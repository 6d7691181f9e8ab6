"""A compiled training step over arrays kept by name, on the backend that Keras runs on.

A `Stepper` holds the weights and the optimizer's slots on the device and turns batches into an update. The
loss, the network and the optimizer are pure functions in `keras.ops`; a backend differentiates and compiles
them. Matrices inside blocks reach the loss in the compute dtype, and so do their gradients leave it: the
float32 masters are read once and written once a step.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from blog_gen.model.arrays import Array, Arrays, shapes_of
from blog_gen.model.distributed import strategy as distribution
from blog_gen.model.training.optimizers import Optimizer


class Objective(Protocol):
    """Functions of all weights by name, and of a batch; equal ones compute the same, and hash alike."""

    def training_loss(self, weights: dict[str, Any], batch: dict[str, Any]) -> Any:
        """A float32 scalar, to be differentiated."""

    def evaluation_loss(self, weights: dict[str, Any], batch: dict[str, Any]) -> Any:
        """A float32 scalar."""

    def prediction(self, weights: dict[str, Any], batch: dict[str, Any]) -> Any:
        """What `Stepper.predict` returns, a tensor."""


class Stepper(Protocol):
    """Weights and slots on a device."""

    def train(self, batches: Sequence[Arrays], rate: float, step: int) -> tuple[float, float]:
        """One update from the sum of the batches' losses: that sum before it, and the gradients' norm.

        `step` counts from 1.
        """

    def losses(self, batches: Sequence[Arrays]) -> list[float]:
        """The evaluation loss of each batch; nothing changes."""

    def predict(self, batch: Arrays) -> Array:
        """The objective's prediction for `batch`; nothing changes."""

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Of all trained weights (`w/NAME`) and slots (`m/NAME`, `v/NAME`), sorted by name."""

    def arrays(self) -> Iterator[tuple[str, Array]]:
        """A copy of each in the same order, one at a time: together they are three times the model."""

    def load(self, arrays: Iterable[tuple[str, Array]]) -> None:
        """Take over what `arrays` returned, bit for bit."""

    def end_training(self) -> None:
        """Give up the slots, and what else only training needs; weights can still be measured and loaded."""

    def close(self) -> None:
        """Give up all arrays: nothing is called after it. They are not freed with the stepper alone."""


def make_stepper(
    trained: Arrays,
    optimizer: Optimizer,
    objective: Objective,
    frozen: Arrays | None = None,
    compute_dtype: str = "bfloat16",
) -> Stepper:
    """A stepper for the backend that Keras runs on (`KERAS_BACKEND`); `frozen` weights are never updated."""
    import keras

    spec = StepperSpec(trained, frozen or {}, optimizer, objective, compute_dtype)
    if keras.backend.backend() == "jax":
        from blog_gen.model.training.steppers.on_jax import JaxStepper

        return distribution.shared(JaxStepper(spec))
    from blog_gen.model.training.steppers import on_tensorflow

    return distribution.shared(on_tensorflow.opened(spec))


@dataclass(frozen=True)
class StepperSpec:
    """What a stepper is made from; it keeps none of the arrays."""

    trained: Arrays
    frozen: Arrays
    optimizer: Optimizer
    objective: Objective
    dtype: str

    def slots(self) -> dict[str, tuple[int, ...]]:
        """Names and shapes of the optimizer's running averages."""
        shapes = shapes_of(self.trained)
        return {slot: shape for name, shape in shapes.items() for slot in self.optimizer.slots(name, shape)}

    @property
    def compiled(self) -> Hashable:
        """All that compiled functions depend on: where it is equal, those of one stepper serve another."""
        shapes = (tuple(sorted(shapes_of(arrays).items())) for arrays in (self.trained, self.frozen))
        return (*shapes, self.optimizer, self.objective, self.dtype)
