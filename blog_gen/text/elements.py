"""Block elements of HTML in Markdown, which go on over blank lines and whose indentation means nothing.

To kramdown an element that begins a line ends with its closing tag; what is in it is no Markdown, and so no
indented code. Knows nothing of what is safe.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate

from blog_gen.text.safety.fences import Prose, Segment

_NAMES = (
    "article|aside|blockquote|center|div|dl|fieldset|figure|footer|form|header|main|nav|ol|p|section|table|ul"
)
_TAG = re.compile(rf"(?P<margin>^ {{0,3}})?<(?P<end>/?)(?P<name>{_NAMES})\b(?P<more>[^<>]*)>", re.I | re.M)


def without_indentation(segments: Sequence[Segment]) -> list[Segment]:
    """`segments`, with lines of prose at the margin that stand in an element which begins a line and ends.

    >>> from blog_gen.text.safety.fences import split
    >>> without_indentation(split("<div>\\n    <p>A</p>\\n\\n    B\\n</div>\\n\\n    code"))[0].lines
    ('<div>', '<p>A</p>', '', 'B', '</div>', '', '    code')
    """
    lines = [line for segment in segments if isinstance(segment, Prose) for line in segment.lines]
    inside = iter(_inside(lines))
    return [
        Prose(tuple(line.lstrip(" \t") if next(inside) else line for line in segment.lines))
        if isinstance(segment, Prose)
        else segment
        for segment in segments
    ]


def _inside(lines: Sequence[str]) -> Iterable[bool]:
    """Whether each line begins within such an element."""
    starts = list(accumulate((len(line) + 1 for line in lines), initial=0))
    # By name, the lines of tags that nothing has closed yet; None: it begins no such element.
    opened: dict[str, list[int | None]] = {}
    change = [0] * (len(lines) + 1)
    for tag in _TAG.finditer("\n".join(lines)):
        line, waiting = bisect_right(starts, tag.start()) - 1, opened.setdefault(tag["name"].lower(), [])
        if not tag["end"]:
            waiting.append(line if tag["margin"] is not None and "markdown" not in tag["more"] else None)
        elif waiting and (first := waiting.pop()) is not None:
            change[first] += 1
            change[line] -= 1
    return (depth > 0 for depth in accumulate([0, *change][: len(lines)]))
