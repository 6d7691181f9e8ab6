"""CRC-32C against the published vectors and against the definition, and the table that it guards."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blog_gen.model.formats.crc32c import crc32c
from blog_gen.model.formats.sorted_table import read_table, read_varint, varint, write_table


def by_definition(data: bytes) -> int:
    register = 0xFFFFFFFF
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = register >> 1 ^ (0x82F63B78 if register & 1 else 0)
    return register ^ 0xFFFFFFFF


@pytest.mark.parametrize(
    ("data", "crc"),
    [
        (b"", 0),
        (b"123456789", 0xE3069283),
        (bytes(32), 0x8A9136AA),  # RFC 3720, B.4, from here
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
        (bytes(reversed(range(32))), 0x113FDB5C),
    ],
)
def test_published_vectors(data: bytes, crc: int) -> None:
    assert crc32c(data) == crc


@given(st.binary(max_size=300))
def test_short_messages(data: bytes) -> None:
    assert crc32c(data) == by_definition(data)


@pytest.mark.parametrize("size", [15, 16, 17, 32, 35])
def test_messages_around_a_chunk(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("blog_gen.model.formats.crc32c.CHUNK", 16)
    data = bytes(number * 31 % 251 for number in range(size))
    assert crc32c(memoryview(data)) == by_definition(data)


@given(st.dictionaries(st.binary(max_size=40), st.binary(max_size=400), min_size=1, max_size=40))
def test_a_table_comes_back(table: dict[bytes, bytes]) -> None:
    assert read_table(write_table(table)) == table


@settings(max_examples=300)
@given(st.data())
def test_a_damaged_table_is_never_believed(data: st.DataObject) -> None:
    table = {b"": b"header", b"model/wte": b"\x08\x01", b"model/wpe": b"\x08\x01\x12\x00"}
    whole = write_table(table)
    if data.draw(st.booleans()):
        damaged = whole[: data.draw(st.integers(0, len(whole) - 1))]
    else:
        at, flip = data.draw(st.integers(0, len(whole) - 1)), data.draw(st.integers(1, 255))
        damaged = whole[:at] + bytes([whole[at] ^ flip]) + whole[at + 1 :]
    with suppress(ValueError):
        assert read_table(damaged) == table  # only what is padding may change unseen


@given(st.integers(0, 2**63))
def test_varint(number: int) -> None:
    assert read_varint(varint(number) + b"rest", 0) == (number, len(varint(number)))
