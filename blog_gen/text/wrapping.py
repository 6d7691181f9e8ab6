"""Paragraphs whose lines were broken at a width, joined: no reader sees such breaks, and a model learns them.

Knows lines of Markdown, nothing of posts or files. A break is left where it means something: in code, lists,
tables, quotations and verse, after two blanks or a backslash, and wherever the next word had fitted.
"""

from __future__ import annotations

import re
import statistics
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from blog_gen.text.safety import fences
from blog_gen.text.safety.fences import Fence

NARROWEST, WIDEST = 40, 130  # characters a line: widths that people wrap at
LONG = 160  # characters; a paragraph of so many has been wrapped or not
ROOM = 0.8  # of the width: who wraps by hand, or does not break a link, leaves lines ragged
_ITEM = re.compile(r"[ \t]*(?:[-+*]|\d{1,9}[.)])[ \t]")
_CODE = re.compile(r" {4}|\t")
# A line of something else than a paragraph or an item: a quotation, heading, table, definition, rule, image;
# an item of nothing, as dashes below a heading may be one, and one that begins with code.
_APART = re.compile(
    r"[ \t]*(?:[>#<|=~:!\\]|\[[^\[\]]*\]:|\{[:%{]|\$\$|([-*_])[ \t]*+(?:\1[ \t]*+){2,}+$)"
    r"|[ \t]*(?:-+|[+*]|\d{1,9}[.)])(?:[ \t]*+$| {5}| *\t[ \t])"
    r"|.*[ \t]\|[ \t]|.*\$\$"
)
_BREAKS = ("  ", "\\", "<br>", "<br/>", "<br />")
# Chinese and Japanese put no blank between words.
_UNSPACED = re.compile(r"[\u3000-\u30ff\u3400-\u9fff\uf900-\ufaff\uff00-\uffef]")


def wrapped_at(bodies: Iterable[str]) -> int | None:
    """The width, in characters, at which most long paragraphs of `bodies` are wrapped; None: they are not."""
    long = [lines for body in bodies for lines in _paragraphs(body) if sum(map(len, lines)) >= LONG]
    widths = [max(map(len, lines)) for lines in long if len(lines) > 2]
    if 2 * len(widths) <= len(long):
        return None
    width = int(statistics.median(widths))
    wrapped = sum(all(_fits_no_more(*pair, width) for pair in pairwise(lines)) for lines in long)
    return width if NARROWEST <= width <= WIDEST and 2 * wrapped > len(long) else None


def joined(body: str, width: int) -> str:
    """`body` with the lines of its paragraphs joined where they were broken at `width` characters.

    >>> joined("We walked along the\\nold canal, and\\nback. Then\\nwe slept.", 20)
    'We walked along the old canal, and back. Then\\nwe slept.'
    """
    return "\n".join(line for segment in fences.split(body) for line in _joined(segment, width))


def _joined(segment: fences.Segment, width: int) -> Iterator[str]:
    if isinstance(segment, Fence):
        yield from segment.lines
        return
    for lines in _runs(segment.lines):
        if not _is_prose(lines):
            yield from lines
            continue
        parts = [lines[0]]
        for line, following in pairwise(lines):
            if not _ITEM.match(following) and _fits_no_more(line, following, width):
                parts.append(following.lstrip(" "))
            else:
                yield " ".join(parts)
                parts = [following]
        yield " ".join(parts)


def _fits_no_more(line: str, following: str, width: int) -> bool:
    """Whether `line` was broken for its width alone: nothing of `following` had its place there."""
    if line.endswith(_BREAKS) or _UNSPACED.match(line[-1:]) or _UNSPACED.match(following):
        return False
    word = following.split(maxsplit=1)[0]
    return ROOM * width < len(line) + 1 + len(word) and len(line) <= WIDEST


def _paragraphs(body: str) -> Iterator[Sequence[str]]:
    for segment in fences.split(body):
        for lines in _runs(segment.lines) if not isinstance(segment, Fence) else ():
            if _is_prose(lines) and not any(map(_ITEM.match, lines)):
                yield lines


def _is_prose(lines: Sequence[str]) -> bool:
    """Is it a paragraph or a list, and nothing else?"""
    return bool(lines[0].strip()) and not _CODE.match(lines[0]) and not any(map(_APART.match, lines))


def _runs(lines: Sequence[str]) -> Iterator[list[str]]:
    """Lines that follow one another without a blank one; each blank line alone."""
    run: list[str] = []
    for line in lines:
        if line.strip():
            run.append(line)
            continue
        if run:
            yield run
        run = []
        yield [line]
    if run:
        yield run
