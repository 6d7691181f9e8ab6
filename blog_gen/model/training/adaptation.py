"""What of a model is trained: all of it, all but its first blocks, or low-rank adapters beside it.

A split model is two sets of arrays, trained and frozen, that `adapters.merged` makes one again; the network
finds an adapter by its name, next to the matrix that it adds to.

Source of the adapters: Hu et al. 2021, "LoRA: Low-Rank Adaptation of Large Language Models".
"""

from __future__ import annotations

import re

import numpy as np

from blog_gen.model.arrays import Array, Arrays, LazyArrays, Shapes, shapes_of
from blog_gen.model.hparams import EMBEDDINGS

LORA_SCALE = 2.0  # alpha / rank; what an adapter adds is multiplied by it, here once, when it begins
_BLOCK = re.compile(r"h(\d+)/")


def split(base: Arrays, rank: int | None, freeze: int, seed: int = 0) -> tuple[Arrays, Arrays]:
    """Trained and frozen arrays: adapters of `rank`, or all but the embeddings and the first `freeze` blocks.

    With neither, everything is trained. What is not an adapter is taken from `base` when it is asked for.
    """
    shapes = shapes_of(base)
    if rank is not None:
        return adapters(shapes, rank, seed), base
    trained = {name: shape for name, shape in shapes.items() if not freeze or _depth(name) >= freeze}
    frozen = {name: shape for name, shape in shapes.items() if name not in trained}
    return LazyArrays(trained, base.__getitem__), LazyArrays(frozen, base.__getitem__)


def _depth(name: str) -> float:
    """The block that a weight belongs to; -1 for the embeddings, beyond all for the last norm."""
    if name in EMBEDDINGS:
        return -1
    block = _BLOCK.match(name)
    return int(block[1]) if block else float("inf")


def adapters(base: Shapes, rank: int, seed: int) -> dict[str, Array]:
    """For every matrix (in, out) inside blocks: `lora_a` (in, rank), random, `lora_b` (rank, out), zero.

    Drawn in the order of names: another file of the same weights may have them in another one.
    """
    rng = np.random.default_rng([seed, rank])
    made = {}
    for name, shape in sorted(base.items()):
        if len(shape) == 2 and name.endswith("/w"):
            rows, columns = shape
            spread = LORA_SCALE / rows**0.5
            made[f"{name[:-2]}/lora_a"] = (rng.standard_normal((rows, rank)) * spread).astype(np.float32)
            made[f"{name[:-2]}/lora_b"] = np.zeros((rank, columns), np.float32)
    return made
