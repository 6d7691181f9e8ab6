"""Words that a model may write: none of those that a small one puts together from pieces and nobody knows.

A model folder may hold `words.txt`, one word a line in small letters; then sampling keeps to it, piece by
piece: a token may follow only if the word begun so far goes on to a known one, or is one where it ends.
Folders without it, such as OpenAI's GPT-2, which hardly invents words, are free. A word is a run of letters,
or one character that is no ASCII: of these the vocabulary has many only in parts, and puts them together
from bytes. Such a byte counts as a letter here. Knows token ids and text, nothing of blogs.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from blog_gen.files import write_text
from blog_gen.gpt2.bpe import Tokenizer

Array = np.ndarray[Any, Any]
WORDS_FILE = "words.txt"
COMMON = 5  # documents that a word must stand in, so that few slips of the pen are among them
MASKS_KEPT = 2048  # of a byte a token each: most beginnings of words come again and again
FEW = 100  # words: to look at each is then quicker than at all tokens
_LETTER = r"(?:[^\W\d_]|[\udc80-\udcff])"  # or a byte of a character, as "surrogateescape" shows it
_WORD = re.compile(f"{_LETTER}+")
_LAST = re.compile(rf"{_LETTER}*\Z")
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


def save_words(words: Iterable[str], folder: Path) -> None:
    write_text(folder / WORDS_FILE, "".join(f"{word}\n" for word in sorted(words)))


def load_words(folder: Path) -> set[str] | None:
    """The words of a model folder; None where it has no list of them."""
    try:
        return set((folder / WORDS_FILE).read_text(encoding="utf-8").split())
    except FileNotFoundError:
        return None


@dataclass(frozen=True)
class _Pieces:
    """The tokens that go on with the same letters."""

    open: Array  # ids of tokens that are nothing else: the word may go on
    closed: Array  # ids of those in which the word ends, and what follows is fine


class KnownWords:
    """A processor (see `decoding`) that forbids what would make an unknown word."""

    def __init__(self, words: set[str], tokenizer: Tokenizer) -> None:
        written = [_text(tokenizer.token_bytes[token]) for token in range(tokenizer.n_vocab)]
        self._texts = [text.lower() for text in written]
        self._capital = np.array([text[:1].isupper() for text in written])  # begins with one
        self._small = [text[-1:].islower() for text in written]  # ends with a small letter
        # Every beginning must have a way to go on, a letter at a time if need be.
        letters = {text for text in self._texts if len(text) == 1}
        self._words = {spelling for word in words for spelling in _spellings(word, letters)}
        self._sorted = sorted(self._words)
        self._beginnings = {word[:end] for word in self._words for end in range(1, len(word) + 1)} | {""}
        self._end = tokenizer.end_of_text
        self._pieces = self._grouped()
        self._mask = lru_cache(MASKS_KEPT)(self._computed)

    def __call__(self, logits: Array, history: Sequence[int]) -> Array:
        begun = self._begun(history)
        if begun not in self._beginnings:
            return logits  # a prompt's own word
        mask = self._mask(begun)
        if begun and self._small[history[-1]]:
            mask = mask & ~self._capital  # kettLe
        return np.where(mask, logits, np.float32(-np.inf))

    def _begun(self, history: Sequence[int]) -> str:
        """The letters of a word that the text ends with."""
        begun = ""
        for token in reversed(history):
            text = self._texts[token]
            last = _last_letters(text)
            begun = last + begun
            if last != text:
                break
        return begun

    def _computed(self, begun: str) -> Array:
        """Which tokens may follow `begun`: bool (V,)."""
        mask = np.zeros(len(self._texts), bool)
        for letters in self._letters_after(begun):
            pieces, word = self._pieces[letters], begun + letters
            mask[pieces.open] = True
            if not word or word in self._words:
                mask[pieces.closed] = True
        return mask

    def _letters_after(self, begun: str) -> list[str]:
        """With what letters of a token `begun` goes on to the beginning of a known word, or to all of it."""
        at, end = bisect_left(self._sorted, begun), bisect_left(self._sorted, begun + "\U0010ffff")
        if end - at > FEW:
            return [letters for letters in self._pieces if begun + letters in self._beginnings]
        rests = (word[len(begun) :] for word in self._sorted[at:end])
        found = {rest[:size] for rest in rests for size in range(len(rest) + 1)} | {""}
        return [letters for letters in found if letters in self._pieces]

    def _grouped(self) -> dict[str, _Pieces]:
        """Tokens by the letters they begin with; those that hold an unknown word later on are in none."""
        groups: dict[str, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
        for token, text in enumerate(self._texts):
            match = _WORD.match(text) if token != self._end else None
            letters = match[0] if match else ""
            rest = text[len(letters) :]
            if token != self._end and not rest:
                groups[letters][0].append(token)
            elif token == self._end or self._fine(rest):
                groups[letters][1].append(token)
        return {
            letters: _Pieces(np.array(open_, np.int64), np.array(closed, np.int64))
            for letters, (open_, closed) in groups.items()
        }

    def _fine(self, rest: str) -> bool:
        """Whether the words in what follows a token's first letters are known, the last as far as it goes."""
        last = _last_letters(rest)
        whole = _WORD.findall(rest[: len(rest) - len(last)])
        return last in self._beginnings and all(word in self._words for word in whole)


def _spellings(word: str, letters: set[str]) -> set[str]:
    """`word` as tokens can write it: what is not among `letters` in bytes, of which capitals have others.

    >>> sorted(_spellings("ärm", {"r", "m"})), _spellings("arm", {"a", "r", "m"})
    (['\\udcc3\\udc84rm', '\\udcc3\\udca4rm'], {'arm'})
    """
    if letters.issuperset(word):
        return {word}
    return {
        "".join(
            each.lower() if each.lower() in letters else _text(each.encode(), whole=False) for each in form
        )
        for form in (word, word.capitalize(), word.upper())
    }


def _last_letters(text: str) -> str:
    match = _LAST.search(text)
    return match[0] if match else ""


def _text(piece: bytes, whole: bool = True) -> str:
    """A token's text: characters, and bytes that are none alone; all bytes where not `whole`."""
    return piece.decode("utf-8" if whole else "ascii", errors="surrogateescape")
