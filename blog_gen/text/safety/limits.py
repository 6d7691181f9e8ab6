"""Markdown that would stall or crash a renderer, eased: nesting, unclosed brackets, long emphasis.

kramdown needs time exponential in unclosed `![`, cubic in unclosed `[` and in `*a **b`, and overflows
its stack on a few thousand quote marks in a line. A language model caught in a loop writes all of these.
"""

from __future__ import annotations

import re
from itertools import pairwise

DEPTH = 8  # of quotes, lists and brackets; people stop at three
_EMPHASES = 80  # runs of `*` and `_` in one paragraph: kramdown takes 0.2 s for the worst of them

# A quote, a list item with or without an attribute list, a definition, a footnote.
_MARKER = r"(?:[ \t]*+(?:>|(?:[-+*:]|\d++[.)])[ \t]++(?:\{:[^{}\n]*+\})?+|\[\^[^\[\]\n]*+\]:))"
_MARKERS = re.compile(rf"^((?>{_MARKER}{{{DEPTH}}})){_MARKER}++", re.MULTILINE)
_PARAGRAPH = re.compile(r"(?:(?!\n[ \t>]*(?:\n|[-+*:][ \t]|\d+[.)][ \t])).)+", re.DOTALL)
_BRACKET = re.compile(r"\\.|[\[\]]", re.DOTALL)
_EMPHASIS = re.compile(r"(?<=[^\s\\])[*_]+|(?<!\\)[*_]+(?=\S)")


def with_closed_brackets(text: str) -> str:
    r"""`text`, its code masked, with each `[` escaped that its paragraph does not close, or nests too deeply.

    >>> with_closed_brackets("see [a](b) and [c")
    'see [a](b) and \\[c'
    """
    return _PARAGRAPH.sub(lambda paragraph: _closed(paragraph[0]), text)


def _closed(paragraph: str) -> str:
    opened: list[int] = []
    loose: set[int] = set()
    for found in _BRACKET.finditer(paragraph):
        if found[0] == "[":
            (opened.append if len(opened) < DEPTH else loose.add)(found.start())
        elif found[0] == "]" and opened:
            opened.pop()
    edges = [0, *sorted(loose.union(opened)), len(paragraph)]
    return "\\".join(paragraph[start:end] for start, end in pairwise(edges))


def eased(text: str) -> str:
    """`text`, its code shown, as it is, unless it is nested or emphasised as nothing is that people write.

    >>> eased("> " * 99 + "deep") == "> " * 8 + "deep"
    True
    """
    return _PARAGRAPH.sub(lambda paragraph: _plain(paragraph[0]), _MARKERS.sub(r"\1", text))


def _plain(paragraph: str) -> str:
    if len(_EMPHASIS.findall(paragraph)) <= _EMPHASES:
        return paragraph
    return _EMPHASIS.sub(lambda run: "".join("\\" + mark for mark in run[0]), paragraph)
