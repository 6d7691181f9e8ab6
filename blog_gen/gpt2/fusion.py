"""Islands: small element-wise functions that XLA fuses, in a graph whose matmuls it leaves alone.

On a CPU, oneDNN multiplies bfloat16 matrices twice as fast as XLA does, and XLA runs chains of
element-wise work several times as fast as op-by-op TensorFlow (docs/experiments.md). So on TensorFlow each
island is compiled by itself; on JAX, where the whole step is compiled at once, an island is a plain function.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import keras

_F = TypeVar("_F", bound=Callable[..., object])


def island(function: _F) -> _F:
    """Compile `function` (and its gradient) with XLA on TensorFlow; leave it as it is elsewhere."""
    if keras.backend.backend() != "tensorflow":
        return function
    import tensorflow as tf

    compiled: _F = tf.function(function, jit_compile=True, autograph=False)
    return compiled
