"""Slugs, by Jekyll's rule to the letter, and the names of posts that follow from them. Knows no files."""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Iterator

FALLBACK = "untitled"  # for a title without a letter or a digit
LONGEST = 80  # bytes; a file name may have 255, and a suffix, a date and an extension come on top


def slugify(text: str) -> str:
    """What Jekyll's `slugify` makes of `text`: letters, marks and digits, all else a hyphen; may be empty.

    >>> slugify("Café — déjà vu!"), slugify("C++ & C#"), slugify("!!!")
    ('café-déjà-vu', 'c-c', '')
    """
    # Letter by letter, since Ruby's `downcase` knows no final sigma.
    kept = "".join(letter.lower() if _is_kept(letter) else "-" for letter in text)
    return "-".join(word for word in kept.split("-") if word)


def _is_kept(letter: str) -> bool:
    category = unicodedata.category(letter)
    return category[0] in "LM" or category == "Nd"


def slug_of(title: str) -> str:
    """The slug of a new post: `slugify`, cut at a word where it is long, with a fallback where it is empty.

    >>> slug_of("Bread, again"), len(slug_of("bread " * 99)), slug_of("?!")
    ('bread-again', 77, 'untitled')
    """
    slug = slugify(title)
    if len(slug.encode()) > LONGEST:
        cut = slug.encode()[: LONGEST + 1].decode("utf-8", "ignore")
        slug = cut.rpartition("-")[0] or cut[:-1]
    return slug or FALLBACK


def numbered(slug: str) -> Iterator[str]:
    """`slug` and then, for when it is taken, `slug-2`, `slug-3` and so on."""
    yield slug
    for number in itertools.count(2):
        yield f"{slug}-{number}"
