"""A stepper on JAX, one device."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from blog_gen.model.arrays import Array, Arrays
from blog_gen.model.hparams import is_factor
from blog_gen.model.training.steppers.stepper import StepperSpec


class JaxStepper:
    def __init__(self, spec: StepperSpec) -> None:
        import jax
        import jax.numpy as jnp

        self._jax, self._jnp, self._dtype, self._optimizer = jax, jnp, spec.dtype, spec.optimizer
        self._train_loss = spec.objective.training_loss
        self._weights = {name: jnp.asarray(value) for name, value in spec.trained.items()}
        self._frozen = {name: self._frozen_as(jnp.asarray(value)) for name, value in spec.frozen.items()}
        self._slots = {slot: jnp.zeros(shape) for slot, shape in spec.slots().items()}
        self._train = jax.jit(self._step, donate_argnums=(0, 1))
        self._add = jax.jit(self._gradients)
        self._finish = jax.jit(self._apply, donate_argnums=(0, 1, 2))
        self._eval, self._predict = (
            jax.jit(lambda weights, frozen, batch, f=each: f(self._compute(weights) | frozen, batch))
            for each in (spec.objective.evaluation_loss, spec.objective.prediction)
        )

    def _cast(self, name: str, value: Any) -> Any:
        return value.astype(self._dtype) if is_factor(name, value.shape) else value

    def _frozen_as(self, value: Any) -> Any:
        return value.astype(self._dtype) if value.ndim == 2 else value

    def _compute(self, weights: Any) -> dict[str, Any]:
        return {name: self._cast(name, value) for name, value in weights.items()}

    def _gradients(self, weights: Any, frozen: Any, batch: Any) -> Any:
        return self._jax.value_and_grad(lambda trained: self._train_loss(trained | frozen, batch))(
            self._compute(weights)
        )

    def _step(self, weights: Any, slots: Any, frozen: Any, batch: Any, rate: Any, step: Any) -> Any:
        loss, gradients = self._gradients(weights, frozen, batch)
        return loss, *self._apply(weights, slots, gradients, rate, step)

    def _apply(self, weights: Any, slots: Any, gradients: Any, rate: Any, step: Any) -> Any:
        now = self._optimizer.step_scalars(gradients, rate, step)
        new_weights: dict[str, Any] = {}
        new_slots: dict[str, Any] = {}
        for name, weight in weights.items():
            names = self._optimizer.slots(name, weight.shape)
            old = [slots[slot] for slot in names]
            new_weights[name], *averages = self._optimizer.update(name, weight, gradients[name], old, now)
            new_slots |= dict(zip(names, averages, strict=True))
        return new_weights, new_slots, now.norm

    def train(self, batches: Sequence[Arrays], rate: float, step: int) -> tuple[float, float]:
        now = np.float32(rate), np.float32(step)
        if len(batches) == 1:
            loss, self._weights, self._slots, norm = self._train(
                self._weights, self._slots, self._frozen, dict(batches[0]), *now
            )
            return float(loss), float(norm)
        total, sums = 0.0, None
        for batch in batches:
            loss, found = self._add(self._weights, self._frozen, dict(batch))
            wide = {name: value.astype("float32") for name, value in found.items()}
            sums = wide if sums is None else {name: sums[name] + value for name, value in wide.items()}
            total += float(loss)
        self._weights, self._slots, norm = self._finish(self._weights, self._slots, sums, *now)
        return total, float(norm)

    def losses(self, batches: Sequence[Arrays]) -> list[float]:
        return [float(self._eval(self._weights, self._frozen, dict(batch))) for batch in batches]

    def predict(self, batch: Arrays) -> Array:
        return np.asarray(self._predict(self._weights, self._frozen, dict(batch)))

    def _all(self) -> dict[str, Any]:
        return dict(sorted(({f"w/{name}": w for name, w in self._weights.items()} | self._slots).items()))

    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {name: tuple(value.shape) for name, value in self._all().items()}

    def arrays(self) -> Iterator[tuple[str, Array]]:
        return ((name, np.asarray(value)) for name, value in self._all().items())

    def load(self, arrays: Iterable[tuple[str, Array]]) -> None:
        for name, value in arrays:
            kept = self._weights if name.startswith("w/") else self._slots
            kept[name.removeprefix("w/")] = self._jnp.asarray(value)

    def end_training(self) -> None:
        self._slots = {}

    def close(self) -> None:
        self._weights, self._frozen, self._slots = {}, {}, {}
