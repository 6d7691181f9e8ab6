"""What the fused functions share: small pieces of arithmetic and of gradients, in `keras.ops`."""

from __future__ import annotations

from typing import Any

from keras import ops

Tensor = Any


def upstream_gradients(upstream: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Upstream gradients as TensorFlow gives them, one by one; JAX gives several outputs' as one tuple."""
    return upstream[0] if isinstance(upstream[0], tuple) else upstream


def present(*values: Tensor | None) -> tuple[Tensor, ...]:
    """Those that there are: None has no place among the arguments of a function with a gradient."""
    return tuple(value for value in values if value is not None)


def shifted(x: Tensor, by: Tensor | None) -> Tensor:
    return x if by is None else x + by


def halves(x: Tensor) -> tuple[Tensor, Tensor]:
    """The two halves of the last axis."""
    half = x.shape[-1] // 2
    return x[..., :half], x[..., half:]


def over_rows(x: Tensor) -> Tensor:
    """The sum over all axes but the last."""
    return ops.sum(x, axis=tuple(range(len(x.shape) - 1)))
