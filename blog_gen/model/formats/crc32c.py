"""CRC-32C (Castagnoli), with which TensorFlow guards its checkpoints, at NumPy's speed.

A CRC is the remainder of a polynomial, so a message may be folded before it is divided: a row of words,
pushed on past the next row (multiplied by a power of x), adds onto that row. A long message is folded row
onto row into one, that row half onto half into one word, all words of a row at a time.

Source: RFC 3720, appendix B.4 (polynomial and test vectors); zlib's `crc32_combine` (pushing by squaring).
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

Words = np.ndarray[Any, np.dtype[np.uint32]]

POLYNOMIAL = 0x82F63B78  # bits reversed, as the whole of this module
ROW_LEVEL = 14  # log2 of a row's words: 64 KiB, which stay in the cache with the tables


def crc32c(data: bytes | memoryview) -> int:
    """The CRC-32C of `data`.

    >>> hex(crc32c(b"123456789"))
    '0xe3069283'
    """
    if len(data) < 4:
        return _of_a_few(bytes(data))
    row = 4 << ROW_LEVEL
    begun = min(len(data), len(data) % row + row)
    folded = _begun(data[:begun])
    while folded.size > 1 << ROW_LEVEL:
        folded = _halved(folded)
    for words in np.frombuffer(data[begun:], "<u4").reshape(-1, 1 << ROW_LEVEL):
        folded = _pushed_a_row(folded) ^ words
    while folded.size > 1:
        folded = _halved(folded)
    return int(_pushed(folded, _power(0))[0]) ^ 0xFFFFFFFF


def mask(crc: int) -> int:
    """The form in which a CRC is stored beside its data (LevelDB's: rotated, plus a constant)."""
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def _shifted(register: int, bits: int) -> int:
    for _ in range(bits):
        register = register >> 1 ^ (POLYNOMIAL if register & 1 else 0)
    return register


def _of_a_few(data: bytes) -> int:
    """The CRC of fewer than four bytes, the only case with no whole word to invert."""
    register = int.from_bytes(data, "little") ^ 0xFFFFFFFF
    return _shifted(register, 8 * len(data)) ^ 0xFFFFFFFF


def _begun(data: bytes | memoryview) -> Words:
    """A message's first bytes as a power of two of words: zeros before a message change nothing."""
    words = 1 << (-(-len(data) // 4) - 1).bit_length()
    padded = np.zeros(4 * words, np.uint8)
    padded[-len(data) :] = np.frombuffer(data, np.uint8)
    padded[-len(data) :][:4] ^= 0xFF  # a CRC starts from a register of ones, which inverts the first word
    return padded.view("<u4")


def _halved(words: Words) -> Words:
    """The first half of `words` folded onto the second."""
    half = words.size // 2
    return _pushed(words[:half], _power(half.bit_length() - 1)) ^ words[half:]


@cache
def _power(level: int) -> Words:
    """What pushing past 2 ** level words makes of each of 32 bits: half as many words, passed twice."""
    if level:
        return _pushed(_power(level - 1), _power(level - 1))
    return np.array([_shifted(1 << bit, 32) for bit in range(32)], np.uint32)


def _pushed(words: Words, images: Words) -> Words:
    """Each word with its bits replaced by their images."""
    result = np.zeros_like(words)
    for bit in range(32):
        result ^= images[bit] * (words >> np.uint32(bit) & np.uint32(1))
    return result


@cache
def _row_tables() -> tuple[Words, Words]:
    """`_pushed` by a row for every value of a word's lower half, and of its upper."""
    halves = np.arange(65536, dtype=np.uint32)
    images = _power(ROW_LEVEL)
    return _pushed(halves, images), _pushed(halves << np.uint32(16), images)


def _pushed_a_row(words: Words) -> Words:
    lower, upper = _row_tables()
    halves = np.ascontiguousarray(words).view("<u2")
    # No index is out of range; "raise" would check each.
    return lower.take(halves[0::2], mode="clip") ^ upper.take(halves[1::2], mode="clip")
