"""Which language a text is in, told by a small model that comes with py3langid. Knows prose from code."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from blog_gen import __version__
from blog_gen.errors import BlogGenError
from blog_gen.files import read_json, write_json

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

_LOOKED_AT = 6000  # characters; more make it no surer
_LEAST = 100  # letters; a shorter text may be in any language
_SURE = 0.8  # of 1; what a hundred words of prose reach in their own language
_NONE = "zxx"  # ISO 639-2: no language, such as a list of numbers
_NO_PROSE = re.compile(
    r"```.*?(?:```|\Z)|`[^`\n]*`|\{%\s*highlight.*?(?:endhighlight|\Z)|\{[{%][^{}]*+\}"
    r"|<[^<>]*>|\]\([^()\n]*\)|\b\w++://\S+|^(?: {4}|\t).*$",
    re.DOTALL | re.MULTILINE,
)
_LETTERS = re.compile(r"[^\W\d_]")
_EAST_ASIAN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")  # a letter says as much as three


def language_of(text: str) -> str | None:
    """The ISO 639-1 code of the language that `text` is in; None where it is too short or cannot be told."""
    prose = _NO_PROSE.sub(" ", text[:_LOOKED_AT].replace("\r", ""))
    if len(_LETTERS.findall(prose)) + 2 * len(_EAST_ASIAN.findall(prose)) < _LEAST:
        return None
    language, sure = _identifier().classify(prose)
    return str(language) if sure >= _SURE and language != _NONE else None


@cache
def _identifier() -> LanguageIdentifier:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier  # here: it takes a while, and needs NumPy

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


def main_language(languages: Iterable[str | None]) -> str | None:
    """The commonest language, the first of several as common; None where none was told.

    >>> main_language(["de", None, "en", "en"])
    'en'
    """
    ranked = Counter(filter(None, languages)).most_common(1)
    return ranked[0][0] if ranked else None


def languages_of(texts: Sequence[str], cache_file: Path) -> list[str | None]:
    """The language of each text; what `cache_file` has of earlier calls is not looked for again.

    The file is kept only where its folder is there already, and nothing depends on it. Another version may
    tell otherwise, and asks again.
    """
    known = _read(cache_file)
    keys = [hashlib.sha256(f"{__version__}\0{text}".encode()).hexdigest()[:24] for text in texts]
    found = {
        key: known[key] if key in known else language_of(text) for key, text in zip(keys, texts, strict=True)
    }
    if found.keys() - known.keys() and cache_file.parent.is_dir():
        with suppress(BlogGenError):
            write_json(cache_file, found)
    return [found[key] for key in keys]


def _read(cache_file: Path) -> dict[str, str | None]:
    try:
        known = read_json(cache_file)
    except (OSError, ValueError):
        return {}
    return {
        str(key): value if isinstance(value, str) else None
        for key, value in (known.items() if isinstance(known, dict) else ())
    }
