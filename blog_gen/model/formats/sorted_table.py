"""LevelDB's sorted table, in which TensorFlow keeps the index of a checkpoint: keys to values, in blocks.

A table is blocks of key-value pairs, then a block that says where those are, then a footer that says where
that is; each block carries its compression and a CRC. TensorFlow writes an index uncompressed. Knows nothing
of tensors.

Source: https://github.com/google/leveldb/blob/main/doc/table_format.md.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping

from blog_gen.model.formats.crc32c import crc32c, mask

MAGIC = 0xDB4775248B80FB57
FOOTER_BYTES = 48
TRAILER_BYTES = 5  # one of compression, four of CRC
UNCOMPRESSED = 0


def read_table(data: bytes) -> dict[bytes, bytes]:
    """All keys and values of a table.

    Raises:
        ValueError: it is no table, is compressed, or does not match its CRCs.
    """
    if len(data) < FOOTER_BYTES or struct.unpack("<Q", data[-8:]) != (MAGIC,):
        raise ValueError("it does not end as a table ends")
    footer = data[-FOOTER_BYTES:]
    _, at = _read_handle(footer, 0)  # of the block of statistics, which TensorFlow leaves empty
    index, _ = _read_handle(footer, at)
    table: dict[bytes, bytes] = {}
    for _, handle in _entries(_block(data, index)):
        table.update(_entries(_block(data, _read_handle(handle, 0)[0])))
    return table


def write_table(table: Mapping[bytes, bytes]) -> bytes:
    """`table` as one block of values, sorted by key."""
    entries = sorted(table.items())
    data, values = _appended(b"", entries)
    data, statistics = _appended(data, [])
    data, index = _appended(data, [(entries[-1][0], values)])
    return data + (statistics + index).ljust(FOOTER_BYTES - 8, b"\0") + struct.pack("<Q", MAGIC)


def varint(value: int) -> bytes:
    """A number, seven bits a byte, the lowest first; the top bit says that more follow.

    >>> varint(300).hex()
    'ac02'
    """
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*encoded, value])


def read_varint(data: bytes, at: int) -> tuple[int, int]:
    """The number at `at`, and where it ends.

    Raises:
        ValueError: the data ends before the number does.
    """
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            raise ValueError("it ends too early")
        byte, at = data[at], at + 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise ValueError("a number is too long")


def _read_handle(data: bytes, at: int) -> tuple[tuple[int, int], int]:
    """A block's place (offset and size), and where this one's encoding ends."""
    offset, at = read_varint(data, at)
    size, at = read_varint(data, at)
    return (offset, size), at


def _block(data: bytes, handle: tuple[int, int]) -> bytes:
    end = handle[0] + handle[1]
    block, trailer = data[handle[0] : end], data[end : end + TRAILER_BYTES]
    if len(trailer) < TRAILER_BYTES:
        raise ValueError("it is cut short")
    if struct.unpack("<I", trailer[1:]) != (mask(crc32c(block + trailer[:1])),):
        raise ValueError("its checksum differs")
    if trailer[0] != UNCOMPRESSED:
        raise ValueError("it is compressed")
    return block


def _entries(block: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The pairs of a block; a key leaves out what it shares with the one before."""
    if len(block) < 4:
        raise ValueError("a block is empty")
    end = len(block) - 4 - 4 * struct.unpack("<I", block[-4:])[0]  # restart points, for binary search
    at, key = 0, b""
    while at < end:
        shared, at = read_varint(block, at)
        own, at = read_varint(block, at)
        size, at = read_varint(block, at)
        key = key[:shared] + block[at : at + own]
        yield key, block[at + own : at + own + size]
        at += own + size


def _appended(data: bytes, entries: list[tuple[bytes, bytes]]) -> tuple[bytes, bytes]:
    """`data` with one more block, no key shortened, and the new block's handle."""
    pairs = (b"\0" + varint(len(key)) + varint(len(value)) + key + value for key, value in entries)
    block = b"".join(pairs) + struct.pack("<II", 0, 1)  # one restart point, at the beginning
    trailer = bytes([UNCOMPRESSED])
    handle = varint(len(data)) + varint(len(block))
    return data + block + trailer + struct.pack("<I", mask(crc32c(block + trailer))), handle
