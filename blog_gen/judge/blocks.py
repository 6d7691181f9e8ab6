"""Markdown seen as a row of blocks with their places: enough to tell a whole text from a broken one.

Not a Markdown parser: it renders nothing, and what is nested stands in the row one after another.
Knows nothing of candidates or limits.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from blog_gen.judge.words import forms_of

Kind = Literal[
    "heading",
    "paragraph",
    "item",
    "quote",
    "table",
    "fence",
    "code",
    "html",
    "liquid",
    "rule",
    "definition",
    "footnote",
]
PROSE: frozenset[Kind] = frozenset({"paragraph", "item", "quote", "footnote"})

_ITEM = re.compile(r"[ \t]*(?:[-*+]|\d{1,9}[.)])(?:[ \t]+|$)")
_DELIMITER_ROW = re.compile(r"[ \t]*+\|?[ \t]*+:?-++:?[ \t]*+(?:\|[ \t]*+:?-++:?[ \t]*+)*+\|?[ \t]*$")
# Also after a tag, where what converts posts from other systems puts it.
_FENCE = re.compile(r"[ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)?(?:<[a-z][^<>]*>[ \t]*)?(`{3,}(?=[^`]*$)|~{3,})")
# A block of Liquid whose content is no Markdown, or of mathematics: from a line of its own to its end.
_VERBATIM = re.compile(r"[ \t]*(?:\{%-?[ ]*(highlight|raw|comment|mermaid|katex)\b[^%]*%\}|(\$\$))[ \t]*$")
_RAW_HTML = re.compile(r" {0,3}<(pre|script|style|textarea)(?:[\s>]|$)", re.IGNORECASE)
_UNDERLINE = re.compile(r" {0,3}(=+|-{2,})[ \t]*$")
# The first that matches says what begins at a line.
_BEGINNINGS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    ("heading", re.compile(r" {0,3}#{1,6}(?:\s|$)")),
    ("rule", re.compile(r" {0,3}([-*_])(?:[ \t]*+\1){2,}+[ \t]*+$")),
    ("item", _ITEM),
    ("quote", re.compile(r" {0,3}>")),
    ("footnote", re.compile(r" {0,3}\[\^[^\[\]\s]+\]:")),
    ("definition", re.compile(r" {0,3}(?:\*?\[[^\]]+\]:[ \t]*\S|\{:[^}]*\}[ \t]*$)")),
    ("liquid", re.compile(r" {0,3}\{%[^%]*%\}[ \t]*$")),
    ("html", re.compile(r" {0,3}<(?:!--|/?[A-Za-z][\w-]*(?:[\s>/]|$))")),
)


@dataclass(frozen=True)
class Block:
    """`text` is `body[start:end]` and begins in line `line` (from 1)."""

    kind: Kind
    text: str
    start: int
    line: int
    level: int = 0  # of a heading, 1 to 6
    closed: bool = True  # False for a fence that goes on to the end of the text

    @property
    def content(self) -> str:
        """The text without a list item's marker."""
        marker = _ITEM.match(self.text) if self.kind == "item" else None
        return self.text[marker.end() :] if marker else self.text


@lru_cache(maxsize=8)  # several checks look at the same text, one after another
def blocks_of(body: str) -> tuple[Block, ...]:
    """The blocks of Markdown `body`, in order.

    >>> [block.kind for block in blocks_of("Hello\\n\\n## Why\\n- one\\n- two\\n```\\n# code")]
    ['paragraph', 'heading', 'item', 'item', 'fence']
    """
    lines = body.split("\n")
    blocks: list[Block] = []
    at = offset = 0  # the line and the character to go on from
    while at < len(lines):
        after = at + 1
        if lines[at].strip():
            kind = _kind(lines, at, in_list=bool(blocks) and blocks[-1].kind == "item")
            after = _end(lines, at, kind)
            blocks.append(_block(kind, lines[at:after], offset, at + 1))
        offset += sum(len(line) + 1 for line in lines[at:after])
        at = after
    return tuple(blocks)


def _kind(lines: Sequence[str], at: int, in_list: bool) -> Kind:
    line, following = lines[at], lines[at + 1] if at + 1 < len(lines) else ""
    if _FENCE.match(line) or _VERBATIM.match(line):
        return "fence"
    if "|" in line and "|" in following and _DELIMITER_ROW.match(following):
        return "table"
    for kind, beginning in _BEGINNINGS:
        if beginning.match(line):
            return kind
    # in a list, what is indented goes on with the item
    return "code" if line.startswith(("    ", "\t")) and not in_list else "paragraph"


def _end(lines: Sequence[str], at: int, kind: Kind) -> int:
    """The line after the last one of the block that begins in line `at`."""
    if kind in ("heading", "rule", "definition", "liquid"):
        return at + 1
    if kind == "html" and (raw := _RAW_HTML.match(lines[at])):
        ends = f"</{raw[1].lower()}"
        return next((n + 1 for n in range(at, len(lines)) if ends in lines[n].lower()), len(lines))
    if kind == "fence":
        closing = _closing(lines[at])
        return next((n + 1 for n in range(at + 1, len(lines)) if closing.match(lines[n])), len(lines))
    for n in range(at + 1, len(lines)):
        if kind == "paragraph" and _UNDERLINE.match(lines[n]):
            return n + 1
        if not lines[n].strip() or not _goes_on(lines, n, kind):
            return n
    return len(lines)


def _closing(opening: str) -> re.Pattern[str]:
    """What closes the fence that line `opening` opens."""
    if verbatim := _VERBATIM.match(opening):
        return re.compile(
            rf"[ \t]*\{{%-?[ ]*end{verbatim[1]}\b|.*\$\$[ \t]*$" if verbatim[1] else r".*\$\$[ \t]*$"
        )
    fence = _FENCE.match(opening)
    mark = fence[1] if fence else "```"
    return re.compile(rf"[ \t>]*{mark[0]}{{{len(mark)},}}[ \t]*$")


def _goes_on(lines: Sequence[str], at: int, kind: Kind) -> bool:
    """Does line `at`, which is not blank, belong to the block of this kind before it?"""
    if kind == "html":
        return True
    if kind == "code":
        return lines[at].startswith((" ", "\t"))
    if kind == "table":
        return "|" in lines[at]
    begun = _kind(lines, at, in_list=True)
    if kind == "footnote" and begun == "definition":
        return False
    return begun in ("paragraph", "definition") or begun == kind == "quote"


def _block(kind: Kind, lines: Sequence[str], start: int, line: int) -> Block:
    text = "\n".join(lines)
    level, closed = 0, True
    if kind == "heading":
        level = len(text.lstrip()) - len(text.lstrip().lstrip("#"))
    elif kind == "paragraph" and len(lines) > 1 and (underline := _UNDERLINE.match(lines[-1])):
        kind, level = "heading", 1 if underline[1].startswith("=") else 2
    elif kind == "fence":
        closed = len(lines) > 1 and bool(_closing(lines[0]).match(lines[-1]))
    return Block(kind, text, start, line, level, closed)


def prose_of(body: str) -> list[list[str]]:
    """The words of each paragraph, item, quotation and footnote."""
    return [forms_of(block.text) for block in blocks_of(body) if block.kind in PROSE]
