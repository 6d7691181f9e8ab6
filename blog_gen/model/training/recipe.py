"""All that a fine-tune does, resolved to numbers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np

from blog_gen.model.arrays import Array, Arrays

# How a step is computed, not what it comes to.
MEMORY_STRATEGIES = ("gradient_accumulation", "activation_checkpointing")


@dataclass(frozen=True)
class Recipe:
    """Everything a run does, resolved: two equal recipes on equal data give equal weights."""

    steps: int  # at most; early stopping usually comes first
    batch_rows: int  # rows that one update learns from
    rate: float  # peak learning rate
    warmup: int  # steps
    dropout: float
    weight_decay: float
    clip_norm: float
    evaluate_every: int  # steps
    patience: int  # evaluations without improvement before stopping
    seed: int
    schedule: Literal["linear", "cosine"] = "linear"  # how the rate falls
    gradient_accumulation: int = 1  # parts that an update's rows are computed in
    activation_checkpointing: bool = False  # activations are computed twice instead of kept
    lora: int | None = None  # rank of adapters that are trained in place of the weights
    freeze: int = 0  # embeddings and so many first blocks are left as they are; 0: none, nor the embeddings
    precision: str = "bfloat16"  # of matrix products
    doubt: float = 0.0  # nats by which the first held-out loss must be exceeded before it proves harm
    gentle: bool = False  # the second try of a blog that gained nothing from the first


def identity_of(recipe: Recipe, base: Arrays, data: Iterable[Array]) -> str:
    """A hash of everything that decides the outcome; in how many parts a step is computed does not."""
    decides = {name: value for name, value in asdict(recipe).items() if name not in MEMORY_STRATEGIES}
    digest = hashlib.sha256(json.dumps(decides, sort_keys=True).encode())
    for array in (*(base[name] for name in sorted(base)), *data):
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
