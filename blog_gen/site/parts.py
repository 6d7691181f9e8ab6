"""What the bytes of a post are made of: front matter, its values, and a body that a reader sees."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from blog_gen.errors import Note
from blog_gen.site import front_matter
from blog_gen.site.decoding import BYTE_ORDER_MARK, UndecodableError, decode
from blog_gen.site.folder import LeftOut
from blog_gen.site.jekyll.places import HTML, Kind
from blog_gen.site.jekyll.visible import markdown_of_html, visible_markdown

NO_TEXT = "a post must have text after its front matter"


@dataclass(frozen=True)
class Parts:
    """What a file is made of, mended where that can mean only one thing."""

    raw: str | None  # the front matter's own text; None where there is none
    values: dict[str, Any]
    body: str  # as it stands
    notes: tuple[Note, ...]


def parts_of(data: bytes, path: Path, kind: Kind = "other", may_be_blank: bool = False) -> Parts:
    """The one reading of a post's bytes, for all that read posts; `kind` says what its folder is to Jekyll.

    Raises:
        LeftOut: it is no text, its front matter means nothing for certain, it has no text besides where it
            must, or Jekyll does not build it as it begins.
    """
    if kind in ("posts", "drafts"):
        data = data.removeprefix(BYTE_ORDER_MARK)  # as Jekyll does there
    try:
        text, slips = decode(data, path)
        if not text.strip():
            raise LeftOut("a post must not be empty")
        raw, body, more_slips = _parted(text, data, path, kind)
        values, yet_more = _parsed(raw or "", path)
    except (UndecodableError, front_matter.FrontMatterError) as reason:
        raise LeftOut(str(reason)) from reason
    if not (may_be_blank or body.strip()):
        raise LeftOut(NO_TEXT)
    return Parts(raw, values, body, (*slips, *more_slips, *yet_more))


def seen(body: str, path: Path, liquid: bool = True) -> str:
    """The body as Markdown, less what a visitor does not see; empty where that is all of it."""
    shown = markdown_of_html if path.name.lower().endswith(HTML) else visible_markdown
    return shown(body, liquid).strip()


def _parted(text: str, data: bytes, path: Path, kind: Kind) -> tuple[str | None, str, list[Note]]:
    """Front matter and body; without front matter, or with blank lines before it, read all the same.

    Raises:
        LeftOut: in a collection, Jekyll does not build such a file.
    """
    raw, body = front_matter.split(text)
    rule = "a post must have front matter, or Jekyll does not build it"
    if kind == "collection" and not data.startswith(b"---"):
        raise LeftOut(f"{rule}: it must begin with the first byte of the file")
    if raw is not None:
        return raw, body, []
    raw, body = front_matter.split(text.lstrip())
    if raw is not None:
        return raw, body, [Note(path, "front matter must begin on the first line", "read as if it did")]
    if kind == "posts":
        return None, text, []
    return None, text, [Note(path, rule, "learned from, titled by its file name")]


def _parsed(raw: str, path: Path) -> tuple[dict[str, Any], list[Note]]:
    try:
        return front_matter.parse(raw), []
    except front_matter.FrontMatterError as error:
        better, notes = front_matter.mended(raw, path)
        if not notes:
            raise error
        return front_matter.parse(better), notes
