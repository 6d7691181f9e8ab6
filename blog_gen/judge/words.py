"""Text as the words a reader would call the same: letter case, punctuation and typography do not count.

Knows nothing of documents or limits. Link targets, bare addresses and HTML tags are not words: two posts
that link to the same page, or show a picture in the same way, have not copied one another.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

# Marks that belong to the letter before them but are not `\w`: combining accents, Hebrew and Arabic
# points, the vowel signs of the Indic scripts and of Thai.
_MARKS = "\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0900-\u0963\u0966-\u0dff\u0e31-\u0e3a\u0e47-\u0e4e"
# Chinese and Japanese put no space between words, so there each character is one.
_IDEOGRAPHS = "\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_LETTER = rf"(?:[^\W_{_IDEOGRAPHS}]|[{_MARKS}])"
_TOKEN = re.compile(
    r"</?[A-Za-z][A-Za-z0-9]*(?:\s[^<>]*)?/?>"
    r"|https?://[^\s)>\]]+|(?<=\])\([^()\n]*+(?:\([^()\n]*+\)[^()\n]*+)*+\)"
    rf"|(?P<word>[{_IDEOGRAPHS}]|{_LETTER}++(?:(?:\.{_LETTER}++){{2,}}+|(?:['’ʼ]{_LETTER}++)*+))"
)

_UNSPACED = re.compile(rf"[{_IDEOGRAPHS}]")


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


def quoted(text: str, words: int = 12) -> str:
    """`text` on one line and in quotation marks, cut after some words, for a sentence to a person.

    >>> quoted("one two\\nthree four", words=3)
    '“one two three …”'
    """
    parts = text.split()
    return "“" + " ".join(parts[:words]) + (" …”" if len(parts) > words else "”")


def _normalised(word: str) -> str:
    if word.isascii():
        return word.lower()
    return unicodedata.normalize("NFKC", word).casefold().replace("’", "'").replace("ʼ", "'")
