"""Words that a model may write: none of those that a small one puts together from pieces and nobody knows.

A model folder may hold `words.txt`, one word a line in small letters; then sampling keeps to it, piece by
piece: a token may follow only if the word begun so far goes on to a known one, or is one where it ends.
Folders without it, such as OpenAI's GPT-2, which hardly invents words, are free. A word is a run of letters.
Signs that are no ASCII are listed too, since a vocabulary may have them only in parts: those that it has
whole are free. Knows token ids and text, nothing of blogs.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from blog_gen.errors import ModelError
from blog_gen.files import write_text
from blog_gen.model.arrays import Array
from blog_gen.model.bpe import Tokenizer
from blog_gen.model.sampling.processors import Histories
from blog_gen.model.sampling.rows import masked

WORDS_FILE = "words.txt"
COMMON = 5  # documents that a word must stand in, so that few slips of the pen are among them
MASKS_KEPT = 2048  # of a byte a token each: most beginnings of words come again and again
FEW = 600  # words: to look at each is then quicker than at all tokens
_WORD = re.compile(r"[^\W\d_]+")
_OPEN = re.compile(r"[^\W\d_]*[\udc80-\udcff]*\Z")  # letters, and bytes of a character that is not whole yet
_LISTED = re.compile(r"[^\W\d_]+|[^\x00-\x9f\s]")


def words_in(text: str) -> Iterator[str]:
    """
    >>> list(words_in("Don't panic, café 7b → ☔"))
    ['don', 't', 'panic', 'café', 'b', '→', '☔']
    """
    return (match[0] for match in _LISTED.finditer(text.lower()))


def common_words(texts: Iterable[str]) -> set[str]:
    """The words that stand in `COMMON` texts or more."""
    found: Counter[str] = Counter()
    for text in texts:
        found.update(set(words_in(text)))
    return {word for word, documents in found.items() if documents >= COMMON}


def is_word(listed: str) -> bool:
    """Whether what `words_in` gave is a word, not a sign."""
    return _WORD.fullmatch(listed) is not None


def save_words(words: Iterable[str], folder: Path) -> None:
    write_text(folder / WORDS_FILE, "".join(f"{word}\n" for word in sorted(words)))


def load_words(folder: Path) -> set[str] | None:
    """The words of a model folder; None where it has no list of them.

    Raises:
        ModelError: the list is empty or damaged.
    """
    path = folder / WORDS_FILE
    try:
        words = set(path.read_text(encoding="utf-8").split())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise ModelError("words.txt must be UTF-8, one word a line", got=error, path=path) from None
    if not words:
        raise ModelError("words.txt must hold a word", got="an empty file", path=path)
    return words


@dataclass(frozen=True)
class _Pieces:
    """The tokens that go on with the same letters."""

    open: Array  # ids of tokens that are nothing else: the word may go on
    closed: Array  # ids of those in which the word ends, and what follows is fine


class VocabularyConstraint:
    """A processor (see `processors`) that forbids what would make an unknown word."""

    def __init__(self, words: set[str], tokenizer: Tokenizer) -> None:
        self._bytes = tokenizer.token_bytes
        self._end = tokenizer.end_of_text
        self._texts = [_text(piece).lower() for piece in self._bytes]
        self._no_capital = np.array([not _text(piece)[:1].isupper() for piece in self._bytes])
        self._free = np.ones(len(self._bytes), bool)
        self._small = [_text(piece)[-1:].islower() for piece in self._bytes]  # ends with a small letter
        self._words = {word for word in words if _WORD.fullmatch(word)}
        self._sorted = sorted(self._words)
        self._signs = words - self._words | {text for text in self._texts if len(text) == 1} - set(_BYTES)
        self._begun_signs = {part for sign in self._signs for part in _parts(sign)}
        self._beginnings = set(_beginnings(self._words)) | {""}
        self._pieces, self._ragged, self._rests = self._grouped()
        self._mask = lru_cache(MASKS_KEPT)(self._computed)

    def __call__(self, logits: Array, histories: Histories) -> Array:
        return masked(logits, np.stack([self._allowed(history) for history in histories]))

    def _allowed(self, history: Sequence[int]) -> Array:
        """Which tokens may follow: bool (V,)."""
        begun = self._begun(history)
        if begun not in self._beginnings and not self._begins_sign(begun):
            return self._free  # a prompt's own word
        mask = self._mask(begun)
        return mask & self._no_capital if begun and self._small[history[-1]] else mask  # kettLe

    def _begun(self, history: Sequence[int]) -> str:
        """What the text ends with: letters of a word, small, and bytes of a character that is not whole."""
        end = b""
        for token in reversed(history):
            end = self._bytes[token] + end
            if _open(self._texts[token]) != self._texts[token]:
                break
        return _open(_text(end).lower())

    def _begins_sign(self, begun: str) -> bool:
        """Whether `begun` ends with bytes of a sign, after a known word or none."""
        word = begun.rstrip(_BYTES)
        return begun[len(word) :] in self._begun_signs and (not word or word in self._words)

    def _computed(self, begun: str) -> Array:
        """Which tokens may follow `begun`: bool (V,)."""
        mask = np.zeros(len(self._texts), bool)
        if begun and begun[-1] in _BYTES:
            mask[[token for token in self._rests if self._goes(begun, self._bytes[token])]] = True
            return mask
        for letters in self._letters_after(begun):
            pieces, word = self._pieces[letters], begun + letters
            mask[pieces.open] = True
            if not word or word in self._words:
                mask[pieces.closed] = True
        mask[[token for token in self._ragged if self._leads(begun + self._texts[token])]] = True
        return mask

    def _letters_after(self, begun: str) -> list[str]:
        """With what letters of a token `begun` goes on to the beginning of a known word, or to all of it."""
        at, end = bisect_left(self._sorted, begun), bisect_left(self._sorted, begun + "\U0010ffff")
        if end - at > FEW:
            return [letters for letters in self._pieces if begun + letters in self._beginnings]
        rests = (word[len(begun) :] for word in self._sorted[at:end])
        found = {rest[:size] for rest in rests for size in range(len(rest) + 1)} | {""}
        return [letters for letters in found if letters in self._pieces]

    def _grouped(self) -> tuple[dict[str, _Pieces], list[int], list[int]]:
        """Tokens by the letters they begin with, less those that hold an unknown word later on; those that
        are letters and then bytes of a character; and those that begin with the rest of a character."""
        groups: dict[str, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
        ragged, rests = [], []
        for token, text in enumerate(self._texts):
            match = _WORD.match(text)
            letters = match[0] if match and token != self._end else ""
            if token == self._end:
                groups[""][1].append(token)
            elif 0x80 <= next(iter(self._bytes[token]), 0) < 0xC0:
                rests.append(token)
            elif text == letters:
                groups[letters][0].append(token)
            elif _open(text) == text:
                ragged.append(token)
            elif self._goes("", text[len(letters) :].encode(errors="surrogateescape")):
                groups[letters][1].append(token)
        return (
            {key: _Pieces(_ids(open_), _ids(closed)) for key, (open_, closed) in groups.items()},
            ragged,
            rests,
        )

    def _leads(self, begun: str) -> bool:
        return begun in self._beginnings or self._begins_sign(begun)

    def _goes(self, begun: str, piece: bytes) -> bool:
        """Whether all words and signs are known in `piece` after `begun`, the last as far as it goes."""
        text = _text(begun.encode(errors="surrogateescape") + piece).lower()
        last = _open(text)
        whole = text[: len(text) - len(last)]
        signs = (sign for sign in _LISTED.findall(whole) if not _WORD.match(sign))
        return (
            self._leads(last)
            and all(word in self._words for word in _WORD.findall(whole))
            and all(sign in self._signs for sign in signs)
        )


_BYTES = "".join(map(chr, range(0xDC80, 0xDD00)))  # single ones, as "surrogateescape" shows them


def _beginnings(words: Iterable[str]) -> Iterator[str]:
    """Every beginning of every word, between characters and within them."""
    for word in words:
        for end in range(1, len(word) + 1):
            yield word[:end]
            if word[end - 1] > "\x7f":
                yield from (word[: end - 1] + part for part in _parts(word[end - 1]))


def _parts(character: str) -> set[str]:
    """What a text may end with within a character, small or capital.

    >>> _parts("ä") == {"\\udcc3"}, len(_parts("☔")), _parts("a")
    (True, 2, set())
    """
    forms = [form.encode() for form in (character, character.upper()) if len(form) == 1]
    return {_text(form[:end]) for form in forms for end in range(1, len(form))}


def _ids(tokens: Sequence[int]) -> Array:
    return np.array(tokens, np.int64)


def _open(text: str) -> str:
    """The end of a text that is not finished: letters, and bytes of a character."""
    match = _OPEN.search(text)
    return match[0] if match else ""


def _text(piece: bytes) -> str:
    """Characters, and bytes that are none alone."""
    return piece.decode(errors="surrogateescape")
