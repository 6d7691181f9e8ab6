"""A training run's losses as the lines of a chart. Knows numbers, nothing of SVG beyond its points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 640.0, 240.0  # of the plot, in user units
LABELS = {"loss": "training", "held_out": "held-out"}


@dataclass(frozen=True)
class Line:
    """One measured thing over the steps."""

    name: str
    label: str
    points: str  # `x,y x,y …`, y downwards
    last: tuple[float, float]


@dataclass(frozen=True)
class Chart:
    """All lines in one frame, and the values at its corners."""

    lines: tuple[Line, ...]
    low: float
    high: float
    steps: int


def chart_of(history: Sequence[Mapping[str, float]]) -> Chart | None:
    """The chart of a run's history; None where nothing was measured.

    >>> chart_of([{"step": 0, "held_out": 4.0}, {"step": 10, "held_out": 2.0}]).lines[0].points
    '0.0,0.0 640.0,240.0'
    """
    values = [row[name] for row in history for name in LABELS if name in row]
    if not values:
        return None
    low, high, steps = min(values), max(values), max(int(row["step"]) for row in history)

    def point(row: Mapping[str, float], name: str) -> tuple[float, float]:
        x = WIDTH * row["step"] / max(steps, 1)
        return round(x, 1), round(HEIGHT * (high - row[name]) / ((high - low) or 1.0), 1)

    lines = []
    for name, label in LABELS.items():
        points = [point(row, name) for row in history if name in row]
        if points:
            lines.append(Line(name, label, " ".join(f"{x},{y}" for x, y in points), points[-1]))
    return Chart(tuple(lines), low, high, steps)
