"""A training run's losses as something to look at: a table, lines of a chart, an SVG file, a row of bars."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from blog_gen.files import write_text

HISTORY_FILE, CURVE_FILE = "history.csv", "loss.svg"

WIDTH, HEIGHT = 640.0, 240.0  # of the plot, in user units
LABELS = {"loss": "training", "held_out": "held-out"}
_COLOURS = {"loss": "#8a8a8a", "held_out": "#0b57d0"}
_BARS = "▁▂▃▄▅▆▇█"


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


def as_svg(history: Sequence[Mapping[str, float]]) -> str | None:
    """The chart as an SVG file that needs nothing else; None where nothing was measured.

    Its classes let a page that shows it give it the page's own colours.
    """
    chart = chart_of(history)
    if chart is None:
        return None
    grey = 'fill="#666"'
    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg" class="chart" viewBox="-50 -20 790 300" role="img" '
        'font-family="sans-serif" font-size="13"><title>Loss over training steps</title>',
        f'<path class="axis" d="M0 0V{HEIGHT}H{WIDTH}" fill="none" stroke="#666"/>',
        f'<text x="-8" y="6" text-anchor="end" {grey}>{chart.high:.2f}</text>',
        f'<text x="-8" y="{HEIGHT}" text-anchor="end" {grey}>{chart.low:.2f}</text>',
        f'<text x="{WIDTH}" y="{HEIGHT + 22}" text-anchor="end" {grey}>{chart.steps} steps</text>',
    ]
    for line, beside in zip(chart.lines, (-6, 14), strict=False):
        colour, (x, y) = _COLOURS[line.name], line.last
        parts.append(
            f'<polyline class="{line.name}" points="{line.points}" fill="none" stroke="{colour}" '
            'stroke-width="2"/>'
        )
        parts.append(
            f'<text class="{line.name}" x="{x + 6}" y="{y + beside}" fill="{colour}">{line.label}</text>'
        )
    return "\n".join([*parts, "</svg>"]) + "\n"


def sparkline(history: Sequence[Mapping[str, float]]) -> tuple[str, str]:
    """The held-out losses of a run (or, without any, the training losses): which, and a row of bars.

    >>> sparkline([{"held_out": 4.0}, {"held_out": 3.0}, {"held_out": 2.0}])
    ('held-out', '█▅▁')
    """
    key = "held_out" if any("held_out" in row for row in history) else "loss"
    values = [row[key] for row in history if key in row]
    if len(values) < 2:
        return LABELS[key], ""
    low, high = min(values), max(values)
    bars = "".join(_BARS[round((value - low) / ((high - low) or 1.0) * 7)] for value in values)
    return LABELS[key], bars


def write_history(folder: Path, history: Sequence[Mapping[str, float]]) -> None:
    """Write the history of a run as a table and, where it can be drawn, as a chart."""
    write_text(folder / HISTORY_FILE, _as_csv(history))
    if (picture := as_svg(history)) is not None:
        write_text(folder / CURVE_FILE, picture)


def _as_csv(history: Sequence[Mapping[str, float]]) -> str:
    columns = list(dict.fromkeys(key for row in history for key in row))
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(history)
    return out.getvalue()
