"""Exact resume: arrays and a position in one file, written whole or not at all, and checked when read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from blog_gen.errors import ModelError
from blog_gen.files import replacing

Array = np.ndarray[Any, Any]


def save_state(path: Path, arrays: Mapping[str, Array], position: Mapping[str, Any]) -> None:
    """Write `arrays` and the JSON-able `position` as one safetensors file, with a checksum."""
    about = {"position": json.dumps(position), "checksum": str(_checksum(arrays))}
    with replacing(path) as file:
        file.write(save(dict(arrays), metadata=about))


def load_state(path: Path) -> tuple[dict[str, Array], dict[str, Any]] | None:
    """What `save_state` wrote, or None when there is no such file.

    Raises:
        ModelError: the file is damaged.
    """
    if not path.exists():
        return None
    try:
        with safe_open(path, "numpy") as file:
            about = file.metadata() or {}
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        position = json.loads(about["position"])
    except (SafetensorError, KeyError, ValueError) as error:
        raise ModelError("the training state is damaged", got=error, path=path) from None
    if str(_checksum(arrays)) != about.get("checksum"):
        raise ModelError("the training state is damaged", got="a wrong checksum", path=path)
    return arrays, position


def _checksum(arrays: Mapping[str, Array]) -> int:
    """CRC-32 over all arrays in the order of their names."""
    import zlib

    total = 0
    for name in sorted(arrays):
        total = zlib.crc32(np.ascontiguousarray(arrays[name]).tobytes(), zlib.crc32(name.encode(), total))
    return total
