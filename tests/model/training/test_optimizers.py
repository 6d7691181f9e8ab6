"""Muon's direction: the nearest matrix whose singular values are all alike, in every precision."""

from __future__ import annotations

import numpy as np
import pytest

from blog_gen.model.training.optimizers import orthogonalised


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize(("shape", "parts"), [((16, 48), 3), ((16, 64), 1), ((64, 16), 1)])
def test_each_part_is_turned_into_an_orthogonal_one(
    shape: tuple[int, int], parts: int, precision: str
) -> None:
    update = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    turned = np.asarray(orthogonalised(update, parts, precision))
    usual = 0.2 * max(shape[0], shape[1] // parts) ** 0.5
    for before, after in zip(np.split(update, parts, 1), np.split(turned, parts, 1), strict=True):
        left, values, right = np.linalg.svd(before, full_matrices=False)
        found = left.T @ after @ right.T / usual  # in the update's own directions
        assert np.diag(found).min() > 0.6 and np.diag(found).max() < 1.3, values
        assert np.abs(found - np.diag(np.diag(found))).max() < 0.1
