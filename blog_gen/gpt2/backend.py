"""The one place that knows TensorFlow from JAX: a compiled training step over arrays kept by name.

`Stepper` holds the weights and the optimizer's slots on the device and turns a batch into an update. The
loss, the network and the optimizer are pure functions in `keras.ops`; a backend differentiates and
compiles them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np

from blog_gen.gpt2.optimizers import Optimizer

Array = np.ndarray[Any, Any]
Arrays = Mapping[str, Array]
Loss = Callable[[dict[str, Any], dict[str, Any]], Any]  # (weights, batch) -> float32 scalar


class Stepper(Protocol):
    """Weights and slots on a device."""

    def train(self, batch: Arrays, rate: float, step: int) -> tuple[float, float]:
        """One update; the loss before it and the gradients' norm. `step` counts from 1."""

    def loss(self, batch: Arrays) -> float:
        """The evaluation loss; nothing changes."""

    def state(self) -> dict[str, Array]:
        """Copies of all weights (`w/NAME`) and slots (`m/NAME`, `v/NAME`)."""

    def load(self, state: Arrays) -> None:
        """Take over what `state` returned, bit for bit."""


def make_stepper(weights: Arrays, optimizer: Optimizer, train_loss: Loss, eval_loss: Loss) -> Stepper:
    """A stepper for the backend that Keras runs on (`KERAS_BACKEND`)."""
    import keras

    kind = _JaxStepper if keras.backend.backend() == "jax" else _TensorFlowStepper
    return kind(weights, optimizer, train_loss, eval_loss)


class _TensorFlowStepper:
    def __init__(self, weights: Arrays, optimizer: Optimizer, train_loss: Loss, eval_loss: Loss) -> None:
        import tensorflow as tf

        self._tf = tf
        self._weights = {name: tf.Variable(value, dtype=tf.float32) for name, value in weights.items()}
        slots = optimizer.slots({name: value.shape for name, value in weights.items()})
        self._slots = {name: tf.Variable(tf.zeros(shape)) for name, shape in slots.items()}
        self._optimizer, self._train_loss = optimizer, train_loss
        # No jit_compile here: matmuls stay with oneDNN, and `fusion.island` compiles what lies between.
        self._train = tf.function(self._update, autograph=False)
        self._eval = tf.function(lambda batch: eval_loss(self._read(), batch), autograph=False)

    def _read(self) -> dict[str, Any]:
        return {name: self._tf.convert_to_tensor(variable) for name, variable in self._weights.items()}

    def _update(self, batch: dict[str, Any], rate: Any, step: Any) -> tuple[Any, Any]:
        with self._tf.GradientTape() as tape:
            weights = self._read()
            tape.watch(list(weights.values()))
            loss = self._train_loss(weights, batch)
        found = tape.gradient(loss, weights, unconnected_gradients="zero")
        gradients = {name: self._tf.convert_to_tensor(gradient) for name, gradient in found.items()}
        slots = {name: self._tf.convert_to_tensor(variable) for name, variable in self._slots.items()}
        new_weights, new_slots, norm = self._optimizer.update(weights, gradients, slots, rate, step)
        for variables, values in ((self._weights, new_weights), (self._slots, new_slots)):
            for name, value in values.items():
                variables[name].assign(value)
        return loss, norm

    def _tensors(self, batch: Arrays) -> dict[str, Any]:
        return {name: self._tf.convert_to_tensor(value) for name, value in batch.items()}

    def train(self, batch: Arrays, rate: float, step: int) -> tuple[float, float]:
        constant = self._tf.constant
        loss, norm = self._train(self._tensors(batch), constant(rate), constant(float(step)))
        return float(loss), float(norm)

    def loss(self, batch: Arrays) -> float:
        return float(self._eval(self._tensors(batch)))

    def state(self) -> dict[str, Array]:
        weights = {f"w/{name}": variable.numpy() for name, variable in self._weights.items()}
        return weights | {name: variable.numpy() for name, variable in self._slots.items()}

    def load(self, state: Arrays) -> None:
        for name, variable in self._weights.items():
            variable.assign(state[f"w/{name}"])
        for name, variable in self._slots.items():
            variable.assign(state[name])


class _JaxStepper:
    def __init__(self, weights: Arrays, optimizer: Optimizer, train_loss: Loss, eval_loss: Loss) -> None:
        import jax
        import jax.numpy as jnp

        self._jnp = jnp
        self._weights = {name: jnp.asarray(value) for name, value in weights.items()}
        slots = optimizer.slots({name: value.shape for name, value in weights.items()})
        self._slots = {name: jnp.zeros(shape) for name, shape in slots.items()}

        def update(weights: Any, slots: Any, batch: Any, rate: Any, step: Any) -> Any:
            loss, gradients = jax.value_and_grad(train_loss)(weights, batch)
            return loss, *optimizer.update(weights, gradients, slots, rate, step)

        self._train = jax.jit(update, donate_argnums=(0, 1))
        self._eval = jax.jit(eval_loss)

    def train(self, batch: Arrays, rate: float, step: int) -> tuple[float, float]:
        loss, self._weights, self._slots, norm = self._train(
            self._weights, self._slots, dict(batch), np.float32(rate), np.float32(step)
        )
        return float(loss), float(norm)

    def loss(self, batch: Arrays) -> float:
        return float(self._eval(self._weights, dict(batch)))

    def state(self) -> dict[str, Array]:
        weights = {f"w/{name}": np.asarray(value) for name, value in self._weights.items()}
        return weights | {name: np.asarray(value) for name, value in self._slots.items()}

    def load(self, state: Arrays) -> None:
        self._weights = {name: self._jnp.asarray(state[f"w/{name}"]) for name in self._weights}
        self._slots = {name: self._jnp.asarray(state[name]) for name in self._slots}
