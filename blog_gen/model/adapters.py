"""Adapters on disk: low-rank factors alone, with the name and the SHA-256 of the model that they add to.

The whole weights are made of both, a tensor at a time, when something asks for them.

Source: Hu et al. 2021, "LoRA: Low-Rank Adaptation of Large Language Models".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from blog_gen.errors import ModelError
from blog_gen.files import replacing
from blog_gen.model.arrays import Array, Arrays, LazyArrays, shapes_of
from blog_gen.model.integrity import ADAPTER_FILE, weights_file
from blog_gen.model.metadata import read_metadata
from blog_gen.model.tensor_file import DamagedError, read_tensors, write_tensors


@dataclass(frozen=True)
class Adapter:
    """For some matrices `NAME/w` (in, out) of a base: `NAME/lora_a` (in, rank), `NAME/lora_b` (rank, out).

    Their product is added as it is: whatever scales it is part of the first.
    """

    base: str  # the name of the model that it adds to
    base_weights: str  # SHA-256 of its weights file
    factors: Arrays

    def plus(self, more: Arrays) -> Adapter:
        """With other factors for the same base added: the sum of two products is one of both ranks."""
        found = dict(self.factors)
        for name, value in more.items():
            axis = 1 if name.endswith("/lora_a") else 0
            found[name] = np.concatenate([found[name], value], axis) if name in found else value
        return replace(self, factors=found)


def merged(base: Arrays, trained: Arrays) -> LazyArrays:
    """The whole model: `base` with trained weights in place and adapters added, as each is asked for."""

    def whole(name: str) -> Array:
        if name in trained:
            return trained[name]
        down, value = f"{name.removesuffix('/w')}/lora_a", base[name]
        return value + trained[down] @ trained[f"{down[:-1]}b"] if down in trained else value

    return LazyArrays(shapes_of(base), whole)


def save_adapter(adapter: Adapter, folder: Path, identity: str) -> None:
    """Write `adapter.safetensors`; its header has the base, and the `identity` of the run (see `runs`)."""
    layout = {name: ("float32", tuple(value.shape)) for name, value in adapter.factors.items()}
    about = {"identity": identity, "base": adapter.base, "base_weights": adapter.base_weights}
    with replacing(folder / ADAPTER_FILE) as file:
        write_tensors(file, layout, adapter.factors.items(), about)


def read_adapter(folder: Path) -> Adapter | None:
    """The adapter that the model in `folder` consists of; None where its weights are whole.

    Raises:
        ModelError: the file is damaged.
    """
    path = weights_file(folder)
    if path.name != ADAPTER_FILE:
        return None
    try:
        about: Mapping[str, Any] = read_metadata(path)
        factors = {name: stored.read() for name, stored in read_tensors(path).items()}
        return Adapter(about["base"], about["base_weights"], factors)
    except (OSError, ValueError, KeyError, DamagedError) as error:
        raise ModelError("the adapter is damaged", got=error, path=path) from None
