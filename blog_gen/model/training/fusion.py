"""Islands: small element-wise functions that XLA fuses, in a graph whose matmuls it leaves alone.

On a CPU, oneDNN multiplies bfloat16 matrices twice as fast as XLA does, and XLA runs chains of
element-wise work several times as fast as op-by-op TensorFlow (docs/experiments.md). So on TensorFlow each
island is compiled by itself; on JAX, where the whole step is compiled at once, an island is a plain function.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import keras

_F = TypeVar("_F", bound=Callable[..., object])


def island(function: _F) -> _F:
    """Compile `function` (and its gradient) with XLA on TensorFlow; leave it as it is elsewhere."""
    if keras.backend.backend() != "tensorflow":
        return function
    import tensorflow as tf

    compiled: _F = tf.function(function, jit_compile=True, autograph=False)
    return compiled


def in_place(update: Callable[..., Sequence[Any]]) -> Callable[..., None]:
    """`update` of several arrays to as many new ones, as a function that changes variables of TensorFlow's.

    XLA writes the new values where the old ones lie. Returned and then assigned, they would take new memory
    each time.
    """
    import tensorflow as tf

    def assigned(variables: Sequence[Any], *rest: Any) -> None:
        values = update(tuple(variable.read_value() for variable in variables), *rest)
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value, read_value=False)

    compiled: Callable[..., None] = tf.function(assigned, jit_compile=True, autograph=False)
    return compiled


def after(x: Any, done: Any) -> Any:
    """`x`, but not before all of `done`: what does not depend on each other runs at once on TensorFlow, and
    then takes memory at once. Elsewhere the compiler sees to that."""
    if keras.backend.backend() != "tensorflow":
        return x
    import tensorflow as tf

    with tf.control_dependencies([each for each in tf.nest.flatten(done) if tf.is_tensor(each)]):
        return tf.identity(x)


def checkpointed(block: Callable[..., Any]) -> Callable[..., Any]:
    """`block` with only its arguments kept for the gradient, which runs it again (Chen et al. 2016).

    Every tensor that wants a gradient must be an argument; arguments and results may be nested.
    """
    if keras.backend.backend() != "tensorflow":
        import jax

        checkpointed: Callable[..., Any] = jax.checkpoint(block)
        return checkpointed
    import tensorflow as tf

    def wrapped(*arguments: Any) -> Any:
        @tf.custom_gradient  # type: ignore[untyped-decorator]
        def run(*flat: Any) -> Any:
            def backward(*upstream: Any) -> Any:
                with tf.control_dependencies(upstream):  # not before the gradient has come this far
                    again = [tf.identity(each) for each in flat]
                with tf.GradientTape() as tape:
                    tape.watch(again)
                    results = tf.nest.flatten(block(*tf.nest.pack_sequence_as(arguments, again)))
                return tape.gradient(results, again, output_gradients=list(upstream))

            return block(*tf.nest.pack_sequence_as(arguments, flat)), backward

        return run(*tf.nest.flatten(arguments))

    return wrapped
