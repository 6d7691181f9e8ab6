"""Exact resume: arrays and a position in one file, written whole or not at all, and checked when read.

Arrays stream one at a time, both ways: the state of a run is three times its model.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from blog_gen.errors import ModelError
from blog_gen.files import parse_json, replacing
from blog_gen.model.arrays import Array
from blog_gen.model.metadata import read_metadata
from blog_gen.model.tensor_file import DamagedError, Stored, header_of, read_tensors, write_tensors


@dataclass(frozen=True)
class State:
    """A state on disk that was found whole."""

    position: dict[str, Any]
    tensors: Mapping[str, Stored]

    def arrays(self) -> Iterator[tuple[str, Array]]:
        return ((name, stored.read()) for name, stored in sorted(self.tensors.items()))


def save_state(
    path: Path,
    shapes: Mapping[str, tuple[int, ...]],
    arrays: Iterable[tuple[str, Array]],
    position: Mapping[str, Any],
    synced: bool = True,
) -> None:
    """Write float32 `arrays`, which come sorted by name, and the JSON-able `position`, with a checksum.

    `synced`: as `files.replacing` says.
    """
    layout = {name: ("float32", shape) for name, shape in shapes.items()}
    about = {"position": json.dumps(position), "checksum": _written(0)}
    total = 0

    def counted() -> Iterator[tuple[str, Array]]:
        nonlocal total
        for name, value in arrays:
            total = _checksum(total, name, value)
            yield name, value

    with replacing(path, synced=synced) as file:
        write_tensors(file, layout, counted(), about)
        file.seek(0)  # the header again, as long as before, now that the checksum is known
        file.write(header_of(layout, about | {"checksum": _written(total)})[1])


def load_state(path: Path) -> State | None:
    """What `save_state` wrote, or None when there is no such file.

    Raises:
        ModelError: the file is damaged, at whatever byte.
    """
    if not path.exists():
        return None
    try:
        about = read_metadata(path)
        state = State(parse_json(about["position"]), read_tensors(path))
        total = 0
        for name, value in state.arrays():
            total = _checksum(total, name, value)
        if _written(total) != about["checksum"] or not isinstance(state.position, dict):
            raise ValueError("a wrong checksum")
    except (OSError, KeyError, ValueError, DamagedError, ModelError) as error:
        raise ModelError("the checkpoint is damaged", got=error, path=path) from None
    return state


def _checksum(total: int, name: str, value: Array) -> int:
    """CRC-32 of all arrays so far, `total`, and one more."""
    return zlib.crc32(np.ascontiguousarray(value).data, zlib.crc32(f"{name}{value.shape}".encode(), total))


def _written(checksum: int) -> str:
    return f"{checksum:010d}"
