"""All that a fine-tune does, resolved to numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

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
