"""Tensors in torch's own files (`pytorch_model.bin`), read without running the pickle in them.

`unpickling` tells what the pickle says of tensors; here is where their numbers lie. Knows nothing of GPT-2.

Source: pytorch `torch/serialization.py`: the zip of version 1.6 and later, and the plain file before it.
"""

from __future__ import annotations

import math
import mmap
import struct
import zipfile
import zlib
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import IO, Any, cast

import numpy as np

from blog_gen.errors import ModelError
from blog_gen.model.arrays import Array
from blog_gen.model.formats.unpickling import STORAGES, Reader, Tensor, mapping
from blog_gen.model.tensor_file import DamagedError, Stored, widened

LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
LONGEST_PICKLE = 64 << 20  # bytes; it only says where the tensors are: 64 kB for GPT-2 of 48 blocks
# What zipfile and the readers here make of bytes that nobody wrote.
DAMAGE = (
    *(ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RuntimeError, EOFError, OSError),
    *(struct.error, zipfile.BadZipFile, zlib.error),
)


def read_pickled(path: Path) -> dict[str, Stored]:
    """Every floating-point tensor of the mapping in the file, by its name; none is read yet.

    Raises:
        ModelError: the file is missing or damaged, not a PyTorch file, or holds anything but tensors.
    """
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            tensors, places = _zip(file) if zipfile.is_zipfile(file) else _legacy(file)
        named = {name: value for name, value in tensors.items() if isinstance(value, Tensor)}
        return {
            str(name): _stored(path, tensor, places[tensor.storage.key], size, str(dtype))
            for name, tensor in named.items()
            if (dtype := STORAGES[tensor.storage.kind][1])
        }
    except FileNotFoundError:
        raise ModelError("the weights file is missing", path=path) from None
    except DAMAGE as error:
        got = str(error) or type(error).__name__
        raise ModelError(
            "a PyTorch file must be complete and contain only tensors", got=got, path=path
        ) from None


def _zip(file: IO[bytes]) -> tuple[dict[Any, Any], dict[str, int]]:
    """The mapping in `NAME/data.pkl`, and where each of `NAME/data/*` begins."""
    file.seek(0)
    with zipfile.ZipFile(file) as archive:
        entries = {info.filename: info for info in archive.infolist()}
        (program,) = (name for name in entries if name.endswith("/data.pkl"))
        root = program.removesuffix("data.pkl")
        if root + "byteorder" in entries and archive.read(root + "byteorder") != b"little":
            raise ValueError("numbers of another byte order")
        if entries[program].file_size > LONGEST_PICKLE:
            raise ValueError(f"a pickle of {entries[program].file_size} bytes")
        tensors = mapping(Reader().read(BytesIO(archive.read(program))))
    folder = root + "data/"
    stored = {name.removeprefix(folder): info for name, info in entries.items() if name.startswith(folder)}
    return tensors, {key: _start(file, info) for key, info in stored.items()}


def _start(file: IO[bytes], info: zipfile.ZipInfo) -> int:
    """Where a file in the archive begins, which only its own header tells."""
    if info.compress_type != zipfile.ZIP_STORED:
        raise ValueError(f"{info.filename} is compressed")
    file.seek(info.header_offset)
    name, extra = struct.unpack("<26xHH", file.read(30))
    return int(info.header_offset) + 30 + int(name) + int(extra)


def _legacy(opened: IO[bytes]) -> tuple[dict[Any, Any], dict[str, int]]:
    """Five pickles (magic, protocol, system, mapping, keys of storages), then each storage after its size."""
    # A map of the file, since a plain one makes room for whatever length a damaged pickle announces.
    file, reader = cast(IO[bytes], mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ)), Reader()
    if reader.read(file) != LEGACY_MAGIC:
        raise ValueError("not a PyTorch file")
    _protocol, system = reader.read(file), reader.read(file)
    if not isinstance(system, dict) or not system.get("little_endian", True):
        raise ValueError("numbers of another byte order")
    tensors, places = mapping(reader.read(file)), {}
    for key in reader.read(file):
        (count,) = struct.unpack("<q", file.read(8))
        places[key] = file.tell()
        file.seek(count * np.dtype(STORAGES[reader.storages[key].kind][0]).itemsize, 1)
    return tensors, places


def _stored(path: Path, tensor: Tensor, start: int, size: int, dtype: str) -> Stored:
    """The tensor as it lies in the file, where it is one of plain numbers that are all there."""
    raw = np.dtype(STORAGES[tensor.storage.kind][0])
    reach = sum((side - 1) * stride for side, stride in zip(tensor.shape, tensor.strides, strict=True))
    first, end = tensor.offset, tensor.offset + reach + 1
    if min((*tensor.shape, 1)) < 1 or max(end, math.prod(tensor.shape)) > tensor.storage.count:
        raise ValueError(f"a tensor of {tensor.shape} in {tensor.storage.count} numbers")
    if start + tensor.storage.count * raw.itemsize > size:
        raise ValueError("the file is cut short")
    place = start + first * raw.itemsize
    return Stored(tensor.shape, dtype, partial(_read, path, place, end - first, tensor, raw, dtype))


def _read(path: Path, place: int, count: int, tensor: Tensor, raw: np.dtype[Any], dtype: str) -> Array:
    value = np.fromfile(path, raw, count=count, offset=place)
    if value.size != count:
        raise DamagedError("the file is cut short")
    # Weights are seldom saved transposed, but may be: the strides are the file's.
    strides = [stride * raw.itemsize for stride in tensor.strides]
    laid = np.lib.stride_tricks.as_strided(value, tensor.shape, strides, writeable=False)
    return widened(np.ascontiguousarray(laid)).astype(dtype, copy=False).reshape(tensor.shape)
