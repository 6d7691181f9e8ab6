"""Changes to a post's text that leave all else as its author wrote it. Knows front matter, no files."""

from __future__ import annotations

import re
from typing import Any

from blog_gen.errors import DraftError
from blog_gen.site import front_matter
from blog_gen.site.front_matter import FrontMatterError, split

# After a key's own line: what is indented, list items that are not, and blank lines between these.
_MORE = r"(?:(?:[ \t]*\n)*(?:[ \t]+\S.*|-(?:[ \t].*)?)\n)*"


def with_key(text: str, key: str, value: Any, before: str | None = None) -> str:
    r"""`text` with one key of its front matter set, or taken out where `value` is None.

    A new key is put before the key `before`, else at the end.

    >>> with_key("---\ntitle: A  # mine\npublished: false\n---\nHi\n", "published", True)
    '---\ntitle: A  # mine\npublished: true\n---\nHi\n'

    Raises:
        DraftError: the front matter is not valid, or so written that the key cannot be told apart.
    """
    raw = _raw(text)
    line = "" if value is None else front_matter.dump({key: value})
    block = _block(raw, key) or _insertion(raw, before)
    patched = raw[: block[0]] + line + raw[block[1] :]
    _check(raw, patched, key, value)
    begin = text.index("\n") + 1
    return text[:begin] + patched + text[begin + len(raw) :]


def with_body(text: str, body: str) -> str:
    r"""`text` with another body.

    >>> with_body("---\ntitle: A\n---\n\nOld\n", "New")
    '---\ntitle: A\n---\n\nNew\n'
    """
    rest = split(text)[1]
    return text[: len(text) - len(rest)] + "\n" + body.strip() + "\n"


def _raw(text: str) -> str:
    try:
        raw = split(text)[0]
    except FrontMatterError as error:
        raise DraftError("the front matter must be fixed first", got=error) from error
    if raw is None:
        raise DraftError("a draft must have front matter", got="none")
    return raw


def _block(raw: str, key: str) -> tuple[int, int] | None:
    name = re.escape(key)
    found = re.search(rf"^(?:{name}|\"{name}\"|'{name}')[ \t]*:.*\n{_MORE}", raw, re.MULTILINE)
    return found.span() if found else None


def _insertion(raw: str, before: str | None) -> tuple[int, int]:
    block = _block(raw, before) if before else None
    at = block[0] if block else len(raw)
    return at, at


def _check(raw: str, patched: str, key: str, value: Any) -> None:
    """The patch changed this key and nothing else, as a parser sees it."""
    alone = DraftError(f"`{key}` must stand alone in the front matter", fix="Edit the file as text")
    try:
        wanted = front_matter.parse(raw)
    except FrontMatterError as error:
        raise DraftError("the front matter must be fixed first", got=error) from error
    wanted.pop(key, None)
    if value is not None:
        wanted[key] = front_matter.parse(front_matter.dump({key: value}))[key]
    try:
        if front_matter.parse(patched) != wanted:
            raise alone
    except FrontMatterError:
        raise alone from None
