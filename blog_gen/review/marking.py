"""A text cut into pieces, each with what is to be marked on it. Knows nothing of drafts or HTML."""

from __future__ import annotations

import itertools
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from blog_gen.judge.overlap import Run


@dataclass(frozen=True)
class Shade:
    """How sure the model was of `text[start:end]`: 0 hardly to 4 quite."""

    start: int
    end: int
    level: int


Span = TypeVar("Span", "Run", Shade)


@dataclass(frozen=True)
class Piece:
    """A stretch of text with the same marks all over."""

    text: str
    run: Run | None = None
    level: int | None = None


def pieces(text: str, runs: Sequence[Run], shades: Sequence[Shade] = ()) -> Iterator[Piece]:
    """`text` in order; neither `runs` nor `shades` overlap among themselves.

    >>> [(piece.text, piece.level) for piece in pieces("a bc", [], [Shade(2, 4, 3)])]
    [('a ', None), ('bc', 3)]
    """
    spans = [(run.start, run.end) for run in runs] + [(shade.start, shade.end) for shade in shades]
    edges = sorted({0, len(text), *(min(edge, len(text)) for span in spans for edge in span)})
    marked, shaded = _over(edges, runs), _over(edges, shades)
    for start, end in itertools.pairwise(edges):
        run, shade = marked.get(start), shaded.get(start)
        yield Piece(text[start:end], run, shade.level if shade else None)


def _over(edges: Sequence[int], spans: Sequence[Span]) -> dict[int, Span]:
    """The one of `spans` that lies over each edge, its end left out; no other edges have any."""
    return {
        edge: span
        for span in spans
        for edge in edges[bisect_left(edges, span.start) : bisect_left(edges, span.end)]
    }


def passages(
    text: str, runs: Sequence[Run], shades: Sequence[Shade] = ()
) -> list[tuple[Run | None, list[Piece]]]:
    """The `pieces`, those of a run together, so that it is one link however its words are shaded."""
    by_run = itertools.groupby(pieces(text, runs, shades), key=lambda piece: piece.run)
    return [(run, list(same)) for run, same in by_run]
