"""What the chief says to all others, as bytes and back. Knows nothing of who hears it, nor what it asks."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from blog_gen.model.arrays import Array, Arrays

BLOCK = 1 << 16  # bytes; messages are filled up to a multiple of it: each length is a graph of its own


def packed(call: str, about: Mapping[str, Any], arrays: Arrays) -> bytes:
    """A call, its JSON and its arrays in one piece."""
    file = io.BytesIO()
    head = np.frombuffer(json.dumps([call, about]).encode(), np.uint8)
    np.savez(file, allow_pickle=False, **{**arrays, "head": head})
    return file.getvalue()


def unpacked(message: bytes) -> tuple[str, dict[str, Any], dict[str, Array]]:
    """What `packed` made one piece of."""
    with np.load(io.BytesIO(message), allow_pickle=False) as file:
        call, about = json.loads(file["head"].tobytes())
        return call, about, {name: file[name] for name in file.files if name != "head"}


def filled(length: int) -> int:
    """The length that a message of `length` bytes is filled up to.

    >>> filled(1), filled(65536)
    (65536, 65536)
    """
    return -(-length // BLOCK) * BLOCK


def flat(batches: Sequence[Arrays]) -> dict[str, Array]:
    """All arrays of several batches by one name each.

    >>> flat([{"tokens": 1}, {"tokens": 2}])
    {'0.tokens': 1, '1.tokens': 2}
    """
    return {f"{at}.{name}": value for at, batch in enumerate(batches) for name, value in batch.items()}


def nested(arrays: Arrays) -> list[dict[str, Array]]:
    """The batches that `flat` made one of.

    >>> nested({"0.tokens": 1, "1.tokens": 2})
    [{'tokens': 1}, {'tokens': 2}]
    """
    batches: dict[str, dict[str, Array]] = {}
    for place, value in arrays.items():
        at, _, name = place.partition(".")
        batches.setdefault(at, {})[name] = value
    return list(batches.values())
