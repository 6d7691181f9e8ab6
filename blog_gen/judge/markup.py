"""What is broken in a text's Markdown: marks left open, headings out of order, notes that are not there.

Knows nothing of candidates or limits. What a check calls a fault is rare in posts that people publish
(docs/judging.md); it is not everything that a renderer would mind.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from blog_gen.judge.blocks import PROSE, Block
from blog_gen.judge.words import quoted

# What may hold brackets and stars that mean nothing, in the order in which Markdown gives way.
_OPAQUE = re.compile(
    r"(?P<escape>\\[^\w\s])"
    r"|(?P<code>(?<!`)(`+)(?!`)(?:.+?)(?<!`)\3(?!`))"
    r"|(?P<target>(?<=\])\(\n?[^()\n]*(?:\([^()\n]*(?:\([^()\n]*\)[^()\n]*)*\)[^()\n]*)*(?:\n[ \t]*)?\))"
    r"|(?P<address><?https?://[^\s>)\]]+>?)|(?P<html><[^<>\n]*>)|(?P<math>\$[^\s$][^$\n]*\$)",
    re.DOTALL,
)
_LIQUID = re.compile(r"\{(?:\{[^{}]{0,500}+\}|%(?:[^{}%]|%(?!\})){0,500}+%)\}")
_DELIMITERS = re.compile(r"\*+|_+")
_FOOTNOTE_MARK = re.compile(r"\[\^([^\[\]\s]+)\]")
_REFERENCE = re.compile(r"\]\[([^\[\]\n]+)\]")
_TARGET = re.compile(r" {0,3}\[([^\]]+)\]:")
# A heading that is a link and no more is an entry of a list of contents.
_ENTRY = re.compile(r"[ \t#]*\[[^\[\]\n]*+\]\([^()\n]*+\)[ \t#]*")
# How a post text's head ends, to Markdown a heading: there a model began a second post in the first.
_HEAD = re.compile(r"^(?:title|category|tags): .*\n---$", re.MULTILINE)


class Fault(NamedTuple):
    """What is broken, in words, and the line of the text (from 1) where it is."""

    line: int
    what: str
    stray: bool = False  # breaks nothing: a mark that was to be emphasis, or means something else, shows
    cut: bool = False  # as in a text that ends too early: a fence, or a link at its end, is left open

    def __str__(self) -> str:
        return f"line {self.line}: {self.what}"


def heading_faults(blocks: Sequence[Block]) -> list[Fault]:
    """Headings that skip a level, and headings with nothing under them."""
    faults = []
    above = 0  # the level of the heading before
    for at, block in enumerate(blocks):
        if block.kind != "heading":
            continue
        if above and block.level > above + 1:
            faults.append(Fault(block.line, f"a heading of level {block.level} follows one of level {above}"))
        after = blocks[at + 1] if at + 1 < len(blocks) else None
        empty = after is None or (after.kind == "heading" and after.level <= block.level)
        if empty and not _ENTRY.fullmatch(block.text):
            what = f"there is nothing under the heading {quoted(block.text)}"
            faults.append(Fault(block.line, what, cut=after is None))
        above = block.level
    return faults


def markup_faults(blocks: Sequence[Block]) -> list[Fault]:
    """Fences, links, emphasis, code spans, tables, list items and notes that are open or undefined; heads."""
    faults = []
    for block in blocks:
        if not block.closed:
            faults.append(
                Fault(block.line, "a code fence is never closed", cut=block.text.lstrip()[:2] != "$$")
            )
        if block.kind == "heading" and _HEAD.search(block.text):
            faults.append(Fault(block.line, "the head of another post stands in this one"))
        if block.kind == "item" and not block.content.strip():
            faults.append(Fault(block.line, "a list item is empty"))
        if block.kind == "table":
            faults += _table_faults(block)
        if block.kind in PROSE or block.kind in ("heading", "table"):
            faults += [
                Fault(
                    block.line,
                    f"a {mark} is never closed in {quoted(block.text)}",
                    stray=mark in "*_`[",
                    cut=mark in ("](", "[", "`") and block is blocks[-1],
                )
                for mark in open_marks(block.text)
            ]
    return sorted([*faults, *_undefined(blocks)])


def open_marks(text: str) -> list[str]:
    """The marks of one block that are opened and never closed.

    >>> open_marks("a *b* [c](d) and `e"), open_marks("**a [b")
    (['`'], ['[', '*'])
    """
    plain = _OPAQUE.sub(lambda match: "." if match["target"] else "x", _LIQUID.sub("x", text))
    marks = ["`"] if "`" in plain else []
    if "](" in plain:
        marks.append("](")
    if _depth(plain):
        marks.append("[")
    return [*marks, *_open_emphasis(plain)]


def _depth(text: str) -> int:
    """How many brackets are open at the end."""
    depth = 0
    for character in text:
        if character == "[":
            depth += 1
        elif character == "]" and depth:
            depth -= 1
    return depth


def _open_emphasis(text: str) -> Iterator[str]:
    """`*` and `_` where runs that can only open emphasis outweigh those that close it (CommonMark, 6.2)."""
    is_open = {"*": 0, "_": 0}
    for run in _DELIMITERS.finditer(text):
        before, after = text[run.start() - 1 : run.start()] or " ", text[run.end() : run.end() + 1] or " "
        mark, left = run[0][0], len(run[0])
        in_word = mark == "_" and before.isalnum() and after.isalnum()
        if in_word:
            continue
        if _flanks(after, before):  # closes
            closed = min(left, is_open[mark])
            is_open[mark] -= closed
            left -= closed
        if _flanks(before, after):  # opens
            is_open[mark] += left
    return (mark for mark, count in is_open.items() if count)


def _flanks(outside: str, inside: str) -> bool:
    """Does a run between these characters cling to the inside one?"""
    if inside.isspace():
        return False
    return inside.isalnum() or not outside.isalnum()


def _table_faults(table: Block) -> Iterator[Fault]:
    """A head that is not as wide as the line under it, so no table to GitHub; and a table that was cut.

    Other rows may have what they like. kramdown fills them up, and some hold a heading for those below.
    """
    head, line, *rows = map(_cells, table.text.split("\n"))
    if head != line:
        yield Fault(table.line, "the head of a table and the line under it differ in their columns")
    if rows and rows[-1] < min([head, *rows[:-1]]):
        yield Fault(table.line + len(rows) + 1, "the last row of a table has fewer columns than the others")


def _cells(row: str) -> int:
    plain = _OPAQUE.sub("x", row).strip()
    return plain.removeprefix("|").removesuffix("|").count("|") + 1


def _undefined(blocks: Sequence[Block]) -> Iterator[Fault]:
    """Footnotes and link references that the text uses and never defines."""
    notes = {_FOOTNOTE_MARK.search(block.text)[1] for block in blocks if block.kind == "footnote"}  # type: ignore[index]
    targets = {match[1].lower() for block in blocks if (match := _TARGET.match(block.text))}
    for block in blocks:
        if block.kind not in PROSE and block.kind not in ("heading", "table"):
            continue
        plain = _OPAQUE.sub(" ", block.text)
        yield from (
            Fault(block.line, f"the footnote {mark} is not defined")
            for mark in _FOOTNOTE_MARK.findall(plain)
            if mark not in notes
        )
        yield from (
            Fault(block.line, f"the link [{name}] is not defined")
            for name in _REFERENCE.findall(plain)
            if name.lower() not in targets and name[0] != "^"
        )
