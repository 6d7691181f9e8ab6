"""Text as the words a reader would call the same: letter case, punctuation and typography do not count.

Knows nothing of documents or limits. Link targets, bare addresses and HTML tags are not words: two posts
that link to the same page, or show a picture in the same way, have not copied one another.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from itertools import accumulate
from typing import NamedTuple

# Marks that belong to the letter before them but are not `\w`: combining accents, Hebrew and Arabic
# points, the vowel signs of the Indic scripts, and of Thai, Lao, Burmese and Khmer.
_MARKS = (
    "\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0900-\u0963\u0966-\u0dff\u0e31\u0e34-\u0e3a\u0e47-\u0e4e"
    "\u0eb1\u0eb4-\u0ebc\u0ec8-\u0ece\u102b-\u103e\u1056-\u1059\u105e-\u1060\u17b4-\u17d3\u17dd"
)
# These scripts put no blank between words, so each character stands for itself: those of Chinese and
# Japanese, and the letters of Thai, Lao, Burmese and Khmer with their marks.
_IDEOGRAPHS = "\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_LETTERS = (
    "\u0e01-\u0e30\u0e32\u0e33\u0e40-\u0e46\u0e81-\u0eb0\u0eb2\u0eb3\u0ebd\u0ec0-\u0ec6\u0edc-\u0edf"
    "\u1000-\u102a\u103f\u1050-\u1055\u105a-\u105d\u1780-\u17b3\u17d7\u17dc"
)
_LETTER = rf"(?:[^\W_{_IDEOGRAPHS}{_LETTERS}]|[{_MARKS}])"
_TOKEN = re.compile(
    r"</?[A-Za-z][A-Za-z0-9]*(?:\s[^<>]*)?/?>"
    r"|https?://[^\s)>\]]+|(?<=\])\([^()\n]*+(?:\([^()\n]*+\)[^()\n]*+)*+\)"
    rf"|(?P<word>[{_IDEOGRAPHS}]|[{_LETTERS}][{_MARKS}]*+|{_LETTER}++(?:(?:\.{_LETTER}++){{2,}}+|(?:['’ʼ]{_LETTER}++)*+))"
)

_UNSPACED = re.compile(rf"[{_IDEOGRAPHS}]|(?P<letter>[{_MARKS}]*+[{_LETTERS}])")
# Of a word, in tenths: a dictionary finds 0.62 to 0.64 words a character in three Chinese blogs, 0.54 in a
# Japanese one, and 0.34 a letter in Thai.
WORD, _IDEOGRAPH, _UNSPACED_LETTER = 10, 6, 3
_LONGEST_QUOTED = 120  # characters


class Word(NamedTuple):
    """A normalised word and where it stands: `text[start:end]`."""

    form: str
    start: int
    end: int


def words_of(text: str) -> list[Word]:
    """The words of Markdown `text`, in order.

    >>> [word.form for word in words_of('A <img src="pen.png"> if i<n')]
    ['a', 'if', 'i', 'n']
    >>> [word.form for word in words_of("It’s a *Well-Known* [trick](https://example.org/a-b).")]
    ["it's", 'a', 'well', 'known', 'trick']
    >>> [word.form for word in words_of("Remove com.example.app, e.g. by hand.")]
    ['remove', 'com.example.app', 'e', 'g', 'by', 'hand']
    """
    return [Word(_normalised(match[0]), *match.span()) for match in _TOKEN.finditer(text) if match["word"]]


def forms_of(text: str) -> list[str]:
    """The normalised words of `text` without their places."""
    return [word.lower() if word.isascii() else _normalised(word) for word in _TOKEN.findall(text) if word]


def unspaced(text: str) -> bool:
    """Is most of the text in a script that puts no blanks between words?

    >>> unspaced("今天下雨。We read."), unspaced("It rained (下雨).")
    (True, False)
    """
    words = [word for word in _TOKEN.findall(text) if word]
    return 2 * sum(_UNSPACED.match(word) is not None for word in words) > len(words)


def tenths_until(forms: Iterable[str]) -> list[int]:
    """How long a text is before each of its words, and at its end: in tenths of a word.

    Where a script puts no blanks between words, each character is one of the forms and less than a word.

    >>> tenths_until(["vim", "很", "快"])
    [0, 10, 16, 22]
    """
    return list(accumulate(map(_tenths, forms), initial=0))


def length_in_words(text: str) -> int:
    """How many words a text has; where no blanks are written between them, about how many, rounded up.

    >>> length_in_words("A *cold* day."), length_in_words("今天很冷。")
    (3, 3)
    """
    return in_words(sum(map(_tenths, forms_of(text))))


def in_words(tenths: int) -> int:
    """Tenths of a word as words, rounded up."""
    return -(-tenths // WORD)


def _tenths(form: str) -> int:
    unspaced = None if form.isascii() else _UNSPACED.match(form)
    if unspaced is None:
        return WORD
    return _UNSPACED_LETTER if unspaced["letter"] else _IDEOGRAPH


def quoted(text: str, words: int = 12) -> str:
    """`text` on one line and in quotation marks, cut after some words, for a sentence to a person.

    >>> quoted("one two\\nthree four", words=3)
    '“one two three …”'
    """
    parts = text.split()
    shown = " ".join(parts[:words])[:_LONGEST_QUOTED]  # where there are no blanks, a text is one part
    return f"“{shown}”" if shown == " ".join(parts) else f"“{shown} …”"


def _normalised(word: str) -> str:
    if word.isascii():
        return word.lower()
    return unicodedata.normalize("NFKC", word).casefold().replace("’", "'").replace("ʼ", "'")
