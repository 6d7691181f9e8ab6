"""The bytes of a post as text: no byte-order mark, LF line ends. Knows nothing of what the text says."""

from __future__ import annotations

import re
from pathlib import Path

from blog_gen.errors import Note

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# Share of bytes. Western prose has few accented letters; Cyrillic in an old encoding is mostly such bytes.
_MOST_ACCENTED = 0.25
_UTF8_PAIR = re.compile(rb"[\xc2-\xf4][\x80-\xbf]")
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f\x7f]")


class UndecodableError(ValueError):
    """The bytes are not text in an encoding that can be told with certainty; the message says why."""


def decode(data: bytes, path: Path) -> tuple[str, list[Note]]:
    """`data` as text, and a note, at `path`, for each thing that had to be mended.

    >>> decode(b"one caf\\xe9\\r\\n", Path("a.md"))[0]
    'one café\\n'

    Raises:
        UndecodableError: binary data, or neither UTF-8 nor plainly Windows-1252 (which Latin-1 is a part of).
    """
    if b"\0" in data:
        raise UndecodableError("a post must be text, and this holds NUL bytes")
    notes = []
    if data.startswith(BYTE_ORDER_MARK):
        data = data.removeprefix(BYTE_ORDER_MARK)
        notes.append(
            Note(
                path,
                "a post must not begin with a byte-order mark: in a collection Jekyll skips it",
                "read without",
            )
        )
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = _decode_western(data)
        notes.append(Note(path, "a post must be in UTF-8, and Jekyll demands it", "read as Windows-1252"))
    text = text.replace("\r\n", "\n")  # as on Windows, and as good to Jekyll
    if "\r" in text:
        text = text.replace("\r", "\n")
        notes.append(Note(path, "lines should end in LF, and these end in CR", "read as LF"))
    return text, notes


def _decode_western(data: bytes) -> str:
    """Windows-1252, but only if no other reading is likely.

    Raises:
        UndecodableError: it is likely to be something else, such as UTF-8 that was cut or damaged.
    """
    accented = sum(byte > 0x7F for byte in data)
    if _UTF8_PAIR.search(data) or _CONTROL.search(data) or accented > _MOST_ACCENTED * len(data):
        raise UndecodableError("a post must be in UTF-8, and the encoding of this one is unknown")
    try:
        return data.decode("cp1252")
    except UnicodeDecodeError:
        raise UndecodableError("a post must be in UTF-8, and this is not Windows-1252 either") from None
