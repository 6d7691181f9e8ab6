"""TensorFlow's checkpoint of tensors, "tensor bundle" or V2, read and written without TensorFlow.

`PREFIX.index` is a sorted table from a tensor's name to its dtype, shape, place and CRC;
`PREFIX.data-NNNNN-of-NNNNN` are their bytes. No code is in either. Knows nothing of GPT-2.

Source: tensorflow/core/protobuf/tensor_bundle.proto, core/util/tensor_bundle/tensor_bundle.cc.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable
from functools import partial
from pathlib import Path

import numpy as np

from blog_gen.errors import ModelError
from blog_gen.model.arrays import Array
from blog_gen.model.formats.crc32c import crc32c, mask
from blog_gen.model.formats.sorted_table import read_table, read_varint, varint, write_table
from blog_gen.model.tensor_file import DamagedError, Stored

HEADER_KEY = b""
FLOAT, HALF = 1, 19  # DataType in tensorflow/core/framework/types.proto
DTYPES = {FLOAT: "float32", HALF: "float16"}
# Wire types of protocol buffers.
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
# Fields of BundleHeaderProto, BundleEntryProto and, in an entry's shape, TensorShapeProto.
SHARDS, ENDIANNESS, VERSION = 1, 2, 3
DTYPE, SHAPE, SHARD, OFFSET, SIZE, CRC, SLICES = 1, 2, 3, 4, 5, 6, 7
DIMENSION, SIDE = 2, 1


def read_bundle(prefix: Path) -> dict[str, Stored]:
    """Every floating-point tensor of the checkpoint, by its name; only the index is read yet.

    Raises:
        ModelError: the index or a data file is missing or damaged.
    """
    path = prefix.with_name(prefix.name + ".index")
    try:
        table = read_table(path.read_bytes())
        header = _fields(table.pop(HEADER_KEY))
        if _number(header, ENDIANNESS):
            raise ValueError("its numbers are big-endian")
        shards = _number(header, SHARDS)
        found = {name.decode(): _stored(prefix, shards, entry) for name, entry in table.items()}
    except FileNotFoundError:
        raise ModelError("the checkpoint's index is missing", path=path) from None
    except (ValueError, KeyError, TypeError, IndexError, struct.error) as error:
        raise ModelError("the checkpoint's index must be complete", got=error, path=path) from None
    return {name: tensor for name, tensor in found.items() if tensor is not None}


def _stored(prefix: Path, shards: int, entry: bytes) -> Stored | None:
    """The tensor of one entry; None for counters and the like, which are no floats."""
    fields = _fields(entry)
    if _number(fields, DTYPE) not in DTYPES:
        return None
    if SLICES in fields:
        raise ValueError("a tensor is kept in slices")
    dtype = DTYPES[_number(fields, DTYPE)]
    sides = _fields(_bytes(fields, SHAPE)).get(DIMENSION, []) if SHAPE in fields else []
    shape = tuple(_number(_fields(side), SIDE) for side in sides if isinstance(side, bytes))
    if _number(fields, SIZE) != math.prod(shape) * np.dtype(dtype).itemsize:
        raise ValueError(f"{_number(fields, SIZE)} bytes for a tensor of {shape}")
    path = prefix.with_name(f"{prefix.name}.data-{_number(fields, SHARD):05d}-of-{shards:05d}")
    if not path.is_file():
        raise ModelError("the checkpoint's data file is missing", path=path)
    read = partial(_read, path, _number(fields, OFFSET), shape, dtype, _number(fields, CRC))
    return Stored(shape, dtype, read)


def _read(path: Path, offset: int, shape: tuple[int, ...], dtype: str, crc: int) -> Array:
    value = np.fromfile(path, np.dtype(dtype).newbyteorder("<"), count=math.prod(shape), offset=offset)
    if value.size != math.prod(shape):
        raise DamagedError("the file is cut short")
    if mask(crc32c(value.data.cast("B"))) != crc:
        raise DamagedError("its checksum differs")
    return value.reshape(shape)


def write_bundle(prefix: Path, tensors: Iterable[tuple[str, Array]]) -> None:
    """Write float32 `tensors` as they come, in one data file."""
    version = _field(1, 1)  # producer
    table = {HEADER_KEY: _field(SHARDS, 1) + _field(VERSION, version)}
    with prefix.with_name(prefix.name + ".data-00000-of-00001").open("wb") as file:
        for name, value in tensors:
            raw = np.ascontiguousarray(value, dtype="<f4").data.cast("B")
            table[name.encode()] = _entry(value.shape, file.tell(), raw)
            file.write(raw)
    prefix.with_name(prefix.name + ".index").write_bytes(write_table(table))


def _entry(shape: tuple[int, ...], offset: int, raw: memoryview) -> bytes:
    sides = b"".join(_field(DIMENSION, _field(SIDE, side)) for side in shape)
    entry = _field(DTYPE, FLOAT) + _field(SHAPE, sides) + _field(OFFSET, offset) + _field(SIZE, raw.nbytes)
    return entry + varint(CRC << 3 | FIXED32) + struct.pack("<I", mask(crc32c(raw)))


def _field(number: int, value: int | bytes) -> bytes:
    """One field of a protocol buffer."""
    if isinstance(value, int):
        return varint(number << 3 | VARINT) + varint(value)
    return varint(number << 3 | BYTES) + varint(len(value)) + value


def _fields(message: bytes) -> dict[int, list[int | bytes]]:
    """The fields of a protocol buffer, by number, each with all its values."""
    fields: dict[int, list[int | bytes]] = {}
    at = 0
    while at < len(message):
        key, at = read_varint(message, at)
        value: int | bytes
        if key & 7 == VARINT:
            value, at = read_varint(message, at)
        elif key & 7 == BYTES:
            size, at = read_varint(message, at)
            value, at = message[at : at + size], at + size
        elif key & 7 in (FIXED32, FIXED64):
            size = 4 if key & 7 == FIXED32 else 8
            value, at = int.from_bytes(message[at : at + size], "little"), at + size
        else:
            raise ValueError("a field is of an unknown kind")
        fields.setdefault(key >> 3, []).append(value)
    return fields


def _number(fields: dict[int, list[int | bytes]], number: int) -> int:
    """A field's last value, or 0, which is never written."""
    value = fields.get(number, [0])[-1]
    if not isinstance(value, int):
        raise ValueError(f"field {number} is not a number")
    return value


def _bytes(fields: dict[int, list[int | bytes]], number: int) -> bytes:
    value = fields[number][-1]
    if not isinstance(value, bytes):
        raise ValueError(f"field {number} is not a message")
    return value
