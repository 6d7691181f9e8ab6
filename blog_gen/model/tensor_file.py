"""The safetensors format, streamed: a header of names, dtypes, shapes and places, then the bytes.

The library of that name reads a file through a memory map and writes it from memory; this module does both
a tensor at a time, and reads bfloat16, which NumPy does not have. Knows nothing of GPT-2.

Source: the format's own description, https://github.com/huggingface/safetensors#format.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any

import numpy as np

from blog_gen.errors import ModelError
from blog_gen.files import parse_json
from blog_gen.model.arrays import Array
from blog_gen.model.metadata import LONGEST_HEADER

# The file's name of a dtype: how its bytes lie, and the dtype they are read as, without loss.
READ_AS = {"F32": ("<f4", "float32"), "F16": ("<f2", "float16"), "BF16": ("<u2", "float32")}
WRITTEN_AS = {"float32": "F32", "float16": "F16"}
PIECE = 8 << 20  # bytes written at once; hundreds of MB take Linux several times as long (experiments, 55)


class DamagedError(ValueError):
    """One tensor's bytes are not what was written; the message says how."""


@dataclass(frozen=True)
class Stored:
    """One tensor where it lies; `read` gives it as `dtype` (float32 or float16), or raises DamagedError."""

    shape: tuple[int, ...]
    dtype: str
    read: Callable[[], Array]


def read_tensors(path: Path) -> dict[str, Stored]:
    """Every floating-point tensor in the file, by its name; nothing but the header is read yet.

    Raises:
        ModelError: the file is missing, cut short, or no safetensors file.
    """
    try:
        with path.open("rb") as file:
            size = path.stat().st_size
            (length,) = struct.unpack("<Q", file.read(8))
            if length > min(LONGEST_HEADER, size - 8):
                raise ValueError(f"a header of {length} bytes in a file of {size}")
            header: dict[str, Any] = parse_json(file.read(length))
            header.pop("__metadata__", None)
            found = {name: _stored(path, 8 + length, size, entry) for name, entry in header.items()}
    except FileNotFoundError:
        raise ModelError("the weights file is missing", path=path) from None
    except (struct.error, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError("a safetensors file must be complete", got=error, path=path) from None
    return {name: tensor for name, tensor in found.items() if tensor is not None}


def _stored(path: Path, base: int, size: int, entry: Mapping[str, Any]) -> Stored | None:
    """The tensor of one header entry; None for integers and masks, which are no weights of GPT-2."""
    if entry["dtype"] not in READ_AS:
        return None
    raw, dtype = READ_AS[entry["dtype"]]
    shape = tuple(int(side) for side in entry["shape"])
    start, end = entry["data_offsets"]
    wanted = math.prod(shape) * np.dtype(raw).itemsize
    if not 0 <= start <= end <= size - base or end - start != wanted:
        raise ValueError(f"{wanted} bytes at {start} to {end} of {size - base}")
    return Stored(shape, dtype, partial(_read, path, base + start, shape, raw))


def _read(path: Path, offset: int, shape: tuple[int, ...], raw: str) -> Array:
    value = np.fromfile(path, raw, count=math.prod(shape), offset=offset)
    if value.size != math.prod(shape):
        raise DamagedError("the file is cut short")
    return widened(value).reshape(shape)


def widened(value: Array) -> Array:
    """Bfloat16s, which come as `<u2`, as float32, whose upper half they are; other numbers as they are."""
    return np.left_shift(value, 16, dtype=np.uint32).view(np.float32) if value.dtype == "<u2" else value


def write_tensors(
    file: IO[bytes],
    layout: Mapping[str, tuple[str, tuple[int, ...]]],
    tensors: Iterable[tuple[str, Array]],
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Write the header of `layout` (name: dtype, shape), then `tensors`, which come in any order."""
    header, text = header_of(layout, metadata)
    file.write(text)
    for name, value in tensors:
        file.seek(len(text) + header[name]["data_offsets"][0])
        flat = np.ascontiguousarray(value, dtype=layout[name][0]).reshape(-1).view(np.uint8)
        for at in range(0, flat.size, PIECE):
            file.write(flat[at : at + PIECE].data)


def header_of(
    layout: Mapping[str, tuple[str, tuple[int, ...]]], metadata: Mapping[str, str] | None = None
) -> tuple[dict[str, Any], bytes]:
    """The header as a mapping, and as the bytes with which the file begins."""
    header: dict[str, Any] = {"__metadata__": dict(metadata)} if metadata else {}
    start = 0
    # The widest first, so that every tensor lies at a multiple of its width.
    for name, (dtype, shape) in sorted(layout.items(), key=lambda item: -np.dtype(item[1][0]).itemsize):
        end = start + math.prod(shape) * np.dtype(dtype).itemsize
        header[name] = {"dtype": WRITTEN_AS[dtype], "shape": list(shape), "data_offsets": [start, end]}
        start = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return header, struct.pack("<Q", len(text)) + text
