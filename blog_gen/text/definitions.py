"""Definitions of links whose address only Liquid knows: without it they lead nowhere. Knows no HTML."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from blog_gen.text.safety.links import label_of

_DEFINITION = re.compile(
    r"^ {0,3}\[([^\[\]\n]+)\]:[ \t]*+(?=[^\n]*(?:\{%|\{\{))([^\n]*+)(?:\n|\Z)", re.MULTILINE
)
_USE = re.compile(r"(!?)\[([^\[\]\n]*)\](?:\[([^\[\]\n]*)\])?(?![(:])([ \t]*)")


def dead_labels(texts: Iterable[str], printed: Callable[[str], str]) -> frozenset[str]:
    """Labels of the definitions of which nothing is left once Liquid is `printed`."""
    found = (definition for text in texts for definition in _DEFINITION.finditer(text))
    return frozenset(
        label_of(each[1]) for each in found if printed(each[2]).strip()[:1] in ("", '"', "'", "(")
    )


def without_dead(text: str, labels: frozenset[str]) -> str:
    """`text` without the definitions of `labels`; what linked to one is text, and what showed one is gone.

    >>> without_dead("[![a][x]][y] [b][X], [x] [c][]\\n\\n[x]: {{ page.x }}\\n[y]: /y", frozenset({"x"}))
    'b, x [c][]\\n\\n[y]: /y'
    """
    if not labels:
        return text
    text = _DEFINITION.sub(lambda found: "" if label_of(found[1]) in labels else found[0], text)
    for _ in "picture", "link around it":
        text = _USE.sub(lambda use: _left(use, labels), text)
    return text


def _left(use: re.Match[str], labels: frozenset[str]) -> str:
    if not use[2] and use[3]:  # a link around a picture that is gone
        return ""
    if label_of(use[3] or use[2]) not in labels:
        return use[0]
    return "" if use[1] else use[2] + use[4]
