"""A text cut into pieces, each with what is to be marked on it. Knows nothing of drafts or HTML."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from blog_gen.judge.index import Run


@dataclass(frozen=True)
class Shade:
    """How sure the model was of `text[start:end]`: 0 hardly to 4 quite."""

    start: int
    end: int
    level: int


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
    edges = {0, len(text), *(min(edge, len(text)) for span in spans for edge in span)}
    for start, end in itertools.pairwise(sorted(edges)):
        run = next((run for run in runs if run.start <= start < run.end), None)
        level = next((shade.level for shade in shades if shade.start <= start < shade.end), None)
        yield Piece(text[start:end], run, level)


def passages(
    text: str, runs: Sequence[Run], shades: Sequence[Shade] = ()
) -> list[tuple[Run | None, list[Piece]]]:
    """The `pieces`, those of a run together, so that it is one link however its words are shaded."""
    by_run = itertools.groupby(pieces(text, runs, shades), key=lambda piece: piece.run)
    return [(run, list(same)) for run, same in by_run]
