"""Weights rounded to int8, and what that adds to a product. Knows matrices, nothing of a network."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from blog_gen.model.arrays import Array

ROWS_AT_ONCE = 4096  # of a matrix that is rounded: a whole table in float32 is large enough


def quantise(matrix: Array) -> tuple[Array, Array]:
    """Round each row to int8 with a scale of its own: (N, K) -> int8 (N, K), float32 (N,)."""
    scales = np.maximum(np.maximum(matrix.max(axis=1), -matrix.min(axis=1)), 1e-12) / 127
    rounded = np.empty(matrix.shape, np.int8)
    for rows in _some_rows(matrix):
        rounded[rows] = np.rint(matrix[rows] / scales[rows, None])
    return rounded, scales.astype(np.float32)


def shift(matrix: Array, rounded: Array, scales: Array, inputs: Array) -> Array:
    """(N,) what rounding (N, K) `matrix` adds to its product with `inputs` (K,), for a bias to take back.

    Source: Nagel et al. 2019, "Data-Free Quantization", section 4.2.
    """
    found = np.empty(len(matrix), np.float32)
    for rows in _some_rows(matrix):
        found[rows] = (rounded[rows] * scales[rows, None] - matrix[rows]) @ inputs
    return found


def _some_rows(matrix: Array) -> Iterator[slice]:
    return (slice(start, start + ROWS_AT_ONCE) for start in range(0, len(matrix), ROWS_AT_ONCE))
