"""CRC-32C (Castagnoli), with which TensorFlow guards its checkpoints, and the form in which it is stored."""

from __future__ import annotations

import google_crc32c

CHUNK = 1 << 20  # bytes: the library takes `bytes` alone, and a tensor is not copied whole for it


def crc32c(data: bytes | memoryview) -> int:
    """The CRC-32C of `data`.

    >>> hex(crc32c(b"123456789"))
    '0xe3069283'
    """
    crc = 0
    for start in range(0, len(data), CHUNK):
        crc = google_crc32c.extend(crc, bytes(data[start : start + CHUNK]))
    return crc


def mask(crc: int) -> int:
    """The form in which a CRC is stored beside its data (LevelDB's: rotated, plus a constant)."""
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
