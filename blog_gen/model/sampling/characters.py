"""Tokens that may follow where a character has begun: text is valid UTF-8 whatever the model would like.

A byte-level token may be a part of a character; the next one must go on with it. A run may list the
characters of its texts, in `characters.txt`: then no others are put together from parts, since a model that
knows a script little invents letters of it. Those that are whole tokens are free. Knows bytes, not words.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from blog_gen.errors import ModelError
from blog_gen.files import write_text
from blog_gen.model.arrays import Array
from blog_gen.model.bpe import Tokenizer
from blog_gen.model.sampling.processors import Histories
from blog_gen.model.sampling.rows import masked

CHARACTERS_FILE = "characters.txt"
LONGEST = 3  # bytes of a character that is not whole yet
# One for every way in which a character can go on: what may follow its first byte depends on that.
_ENDS = [bytes([following]) + b"\x80" * more for following in (0x80, 0x90, 0xA0) for more in range(3)]


def save_characters(texts: Iterable[str], folder: Path) -> None:
    """List the characters of `texts` that are more than one byte."""
    found = {letter for text in texts for letter in set(text) if letter > "\x7f"}
    write_text(folder / CHARACTERS_FILE, "".join(sorted(found)) + "\n")


def load_characters(folder: Path) -> set[str] | None:
    """The characters that a model folder lists; None where it has no list.

    Raises:
        ModelError: the list is damaged.
    """
    path = folder / CHARACTERS_FILE
    try:
        return set(path.read_text(encoding="utf-8")) - {"\n"}
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise ModelError("characters.txt must be UTF-8", got=error, path=path) from None


class WholeCharacters:
    """A processor (see `processors`) that forbids what would not be UTF-8, or no character of the texts."""

    def __init__(self, tokenizer: Tokenizer, characters: set[str] | None) -> None:
        """`characters`: all that may be put together from parts; None for any."""
        encoded = None if characters is None else [letter.encode() for letter in characters]
        self._parts = encoded and {each[:size] for each in encoded for size in range(1, len(each) + 1)}
        self._bytes = [tokenizer.token_bytes[token] for token in range(tokenizer.n_vocab)]
        self._end = tokenizer.end_of_text
        self._mask = lru_cache(maxsize=256)(self._computed)

    def __call__(self, logits: Array, histories: Histories) -> Array:
        return masked(logits, np.stack([self._mask(self._begun(history)) for history in histories]))

    def _begun(self, history: Sequence[int]) -> bytes:
        """The bytes of a character that is not whole, which the text ends with."""
        if not history or self._bytes[history[-1]][-1:] < b"\x80":
            return b""
        tail = b"".join(self._bytes[token] for token in history[-LONGEST:])[-LONGEST:]
        # A character begins at its first byte; those that follow it begin with bits 10.
        for size in range(1, len(tail) + 1):
            if tail[-size] >= 0xC0:
                return tail[-size:] if _may_go_on(tail[-size:]) and not _whole(tail[-size:]) else b""
        return b""

    def _computed(self, begun: bytes) -> Array:
        """Which tokens may follow `begun`: bool (V,)."""
        mask = np.array([_may_go_on(begun + piece) and self._known(begun, piece) for piece in self._bytes])
        mask[self._end] = not begun
        return mask

    def _known(self, begun: bytes, piece: bytes) -> bool:
        """Whether the character that `begun` begins, and the one that `piece` ends within, are known."""
        if self._parts is None:
            return True
        text = begun + piece
        first = text[: _length(text)] if begun else b""
        last = _unfinished(text)
        return all(part in self._parts for part in (first, last) if part)


def _length(text: bytes) -> int:
    """Bytes of the character that `text` begins with, which has more than one."""
    return 2 if text[0] < 0xE0 else 3 if text[0] < 0xF0 else 4


def _unfinished(text: bytes) -> bytes:
    """The bytes at the end of valid UTF-8 that are no whole character yet."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    decoder.decode(text)
    return decoder.getstate()[0]


def _may_go_on(text: bytes) -> bool:
    """Whether `text` is UTF-8, as far as it goes, and its last character can still become one."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        decoder.decode(text)
    except UnicodeDecodeError:
        return False
    # Python's decoder takes the beginning of a surrogate for that of a character.
    begun = decoder.getstate()[0]
    return not begun or any(_whole(begun + end) for end in _ENDS)


def _whole(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True
