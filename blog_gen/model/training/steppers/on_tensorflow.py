"""A stepper on TensorFlow."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from blog_gen.model.arrays import Array, Arrays
from blog_gen.model.distributed import strategy as distribution
from blog_gen.model.hparams import is_factor
from blog_gen.model.training.fusion import in_place
from blog_gen.model.training.optimizers import adamw
from blog_gen.model.training.steppers.stepper import StepperSpec

_adamw = in_place(adamw)  # of all steppers: it is compiled for a shape once
# What was closed, by what it was compiled for. TensorFlow never gives a graph back, so it may be used again.
_closed: dict[Hashable, list[TensorFlowStepper]] = {}


def opened(spec: StepperSpec) -> TensorFlowStepper:
    """A stepper; one that was closed takes no time for tracing and compiling."""
    closed = [] if distribution.is_set() else _closed.get(spec.compiled, [])
    if not closed:
        return TensorFlowStepper(spec)
    closed[-1].reopen(spec)
    return closed.pop()


class TensorFlowStepper:
    """Replicas of the weights on one device or several, of one machine or several: `tf.distribute`."""

    def __init__(self, spec: StepperSpec) -> None:
        import tensorflow as tf

        self._tf, self._dtype, self._objective = tf, spec.dtype, spec.objective
        self._optimizer, slots, self._compiled = spec.optimizer, spec.slots(), spec.compiled
        trained, frozen = spec.trained, spec.frozen
        self._strategy = distribution.strategy()
        self._replicas = self._strategy.num_replicas_in_sync
        with self._strategy.scope():
            # By name, whatever order they come in: all workers make the same variable at the same time.
            self._weights = {name: tf.Variable(trained[name], dtype=tf.float32) for name in sorted(trained)}
            self._frozen = {
                name: distribution.constant(self._frozen_as(frozen[name])) for name in sorted(frozen)
            }
            self._slots = {slot: tf.Variable(tf.zeros(slots[slot])) for slot in sorted(slots)}
        self._sums: dict[str, Any] = {}  # of gradients, where several batches make a step
        self._has_slots, self._has_sums, self._is_closed = True, False, False
        # No jit_compile here: matmuls stay with oneDNN, and `fusion.island` compiles what lies between.
        self._train, self._finish = self._on_replicas(self._step), self._on_replicas(self._apply_sums)
        self._add = self._on_replicas(self._accumulate)
        self._eval = self._on_replicas(
            lambda batch: distribution.summed(self._of(self._objective.evaluation_loss, batch), {})[0]
        )
        self._predict = tf.function(
            lambda batch: self._of(self._objective.prediction, batch), autograph=False
        )

    def _on_replicas(self, function: Callable[..., Any]) -> Any:
        return self._tf.function(lambda *args: self._strategy.run(function, args=args), autograph=False)

    def _cast(self, name: str, value: Any) -> Any:
        return self._tf.cast(value, self._dtype) if is_factor(name, value.shape) else value

    def _frozen_as(self, value: Any) -> Any:
        """Matrices that get no update need no float32, the embeddings neither."""
        value = self._tf.constant(value)
        return self._tf.cast(value, self._dtype) if len(value.shape) == 2 else value

    def _trained(self) -> dict[str, Any]:
        return {name: self._cast(name, w) for name, w in self._tensors(self._weights).items()}

    def _of(self, function: Callable[..., Any], batch: Any, trained: Any = None) -> Any:
        frozen = {name: distribution.constant_value(value) for name, value in self._frozen.items()}
        return function((trained or self._trained()) | frozen, batch)

    def _gradients(self, batch: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        trained = self._trained()
        with self._tf.GradientTape() as tape:
            tape.watch(list(trained.values()))
            loss = self._of(self._objective.training_loss, batch, trained)
        found = tape.gradient(loss, trained, unconnected_gradients="zero")
        return loss, {name: self._tf.convert_to_tensor(gradient) for name, gradient in found.items()}

    def _step(self, batch: dict[str, Any], rate: Any, step: Any) -> tuple[Any, Any]:
        loss, gradients = self._gradients(batch)
        losses, summed = distribution.summed(loss, gradients)
        return losses, self._apply(summed, rate, step)

    def _apply(self, gradients: dict[str, Any], rate: Any, step: Any) -> Any:
        """Update each weight in turn: new values of two weights are never in memory together."""
        now = self._optimizer.step_scalars(gradients, rate, step)
        done: list[Any] = []
        for name, weight in self._weights.items():
            shape = tuple(weight.shape)
            slots = [self._slots[slot] for slot in self._optimizer.slots(name, shape)]
            alone = len(self._local(weight)) == 1
            if alone and self._optimizer.is_elementwise(name, shape):
                # This replica's own: of shared variables, the first one's trace would serve all of its shape.
                own = [self._own(each) for each in (weight, *slots)]
                _adamw(own, gradients[name], self._optimizer.scalars(shape, now))
                continue
            with self._tf.control_dependencies(done):
                old = [slot.read_value() for slot in slots]
                new = self._optimizer.update(name, weight.read_value(), gradients[name], old, now)
                pairs = zip((weight, *slots), new, strict=True)
                done = [target.assign(value, read_value=False) for target, value in pairs]
        return now.norm

    def _accumulate(self, batch: dict[str, Any]) -> Any:
        loss, gradients = self._gradients(batch)
        for name, gradient in gradients.items():
            self._sums[name].assign_add(self._tf.cast(gradient, "float32"))
        return distribution.summed(loss, {})[0]

    def _apply_sums(self, rate: Any, step: Any, zero: Any) -> Any:
        """`zero` comes from outside: zeros of its own making TensorFlow would keep, an array for each sum."""
        sums = {name: total.read_value() for name, total in self._sums.items()}
        norm = self._apply(distribution.summed(self._tf.zeros(()), sums)[1], rate, step)
        for total in self._sums.values():
            total.assign(self._tf.fill(total.shape, zero))
        return norm

    def _tensors(self, arrays: Mapping[str, Any]) -> dict[str, Any]:
        return {name: self._tf.convert_to_tensor(value) for name, value in arrays.items()}

    def _dealt(self, batches: Sequence[Arrays]) -> Iterator[Any]:
        """The batches for all replicas, round by round; who is left over gets one that counts nothing."""
        for at in range(0, len(batches), self._replicas):
            batch_of = dict(enumerate(map(self._tensors, batches[at : at + self._replicas])))
            empty = {name: 0 * value for name, value in batch_of[0].items()}
            yield self._strategy.experimental_distribute_values_from_function(
                lambda replica, of=batch_of, rest=empty: of.get(replica.replica_id_in_sync_group, rest)
            )

    def _local(self, value: Any) -> Any:
        """What each replica of this machine has."""
        return self._strategy.experimental_local_results(value)

    def _own(self, value: Any) -> Any:
        """What the first replica of this machine has, as all have."""
        return self._local(value)[0]

    def _here(self, result: Any) -> Any:
        return self._own(result).numpy()

    def train(self, batches: Sequence[Arrays], rate: float, step: int) -> tuple[float, float]:
        tf, now = self._tf, (self._tf.constant(rate), self._tf.constant(float(step)))
        if len(batches) <= self._replicas:
            losses, norm = self._train(next(self._dealt(batches)), *now)
            return sum(self._here(losses).tolist()), float(self._here(norm))
        self._make_sums()
        losses = np.concatenate([self._here(self._add(batch)) for batch in self._dealt(batches)])
        return sum(losses.tolist()), float(self._here(self._finish(*now, tf.zeros(()))))

    def _make_sums(self) -> None:
        if not self._sums:
            with self._strategy.scope():
                shapes = {name: weight.shape for name, weight in self._weights.items()}
                self._sums = {name: self._tf.Variable(self._tf.zeros(shapes[name])) for name in shapes}
        elif not self._has_sums:
            self._clear(self._sums)
        self._has_sums = True

    def losses(self, batches: Sequence[Arrays]) -> list[float]:
        found = [self._here(self._eval(batch)) for batch in self._dealt(batches)]
        return np.concatenate(found)[: len(batches)].tolist() if found else []

    def predict(self, batch: Arrays) -> Array:
        predicted: Array = self._predict(self._tensors(batch)).numpy()
        return predicted

    def _variables(self) -> dict[str, Any]:
        named = {f"w/{name}": variable for name, variable in self._weights.items()}
        return dict(sorted((named | (self._slots if self._has_slots else {})).items()))

    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {name: tuple(variable.shape) for name, variable in self._variables().items()}

    def arrays(self) -> Iterator[tuple[str, Array]]:
        """Read-only, without a copy: where one is still held as its weight changes, that one moves away."""
        return ((name, np.asarray(self._own(each).read_value())) for name, each in self._variables().items())

    def load(self, arrays: Iterable[tuple[str, Array]]) -> None:
        variables = self._variables()
        for name, value in arrays:
            variables[name].assign(value)

    def end_training(self) -> None:
        self._empty(self._slots | self._sums)
        self._has_slots = self._has_sums = False

    def close(self) -> None:
        if self._is_closed:
            return
        self.end_training()
        self._empty(self._weights | self._frozen)
        self._is_closed = True
        if not distribution.is_set():
            _closed.setdefault(self._compiled, []).append(self)

    def reopen(self, spec: StepperSpec) -> None:
        """Begin anew, from arrays of the same shapes."""
        frozen = spec.frozen
        self._assign(self._weights, lambda name: self._tf.constant(spec.trained[name], self._tf.float32))
        self._assign(self._frozen, lambda name: distribution.constant_bits(self._frozen_as(frozen[name])))
        self._clear(self._slots)
        self._has_slots, self._is_closed = True, False

    def _clear(self, variables: Mapping[str, Any]) -> None:
        self._assign(variables, lambda name: self._tf.zeros(variables[name].shape))

    def _empty(self, variables: Mapping[str, Any]) -> None:
        """Give up their values. They themselves stay: what `tf.custom_gradient` registers for a graph is
        never taken back, and holds the graph, which holds its variables."""
        self._assign(variables, lambda name: self._tf.zeros(0, self._own(variables[name]).dtype))

    def _assign(self, variables: Mapping[str, Any], value_of: Callable[[str], Any]) -> None:
        """On all replicas of this machine, whatever shape they have."""
        for name, variable in variables.items():
            for each in self._local(variable):
                self._tf.raw_ops.AssignVariableOp(resource=each.handle, value=value_of(name))
