"""Progress on standard error: a bar with rate and time left on a terminal, plain lines elsewhere."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import click

LINE_SECONDS = 15.0  # without a terminal, no more than a line in this time


class Progress:
    """One bar after another; `close` leaves the terminal as it was."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._task: Any = None
        self._said = 0.0
        self._began = 0.0
        self._limit = math.inf
        self._first: int | None = None
        self._measured: dict[str, float] = {}

    def start(self, label: str, total: int, limit: float | None = None) -> None:
        """Begin a bar of `total`, which ends after `limit` seconds though not all is done."""
        self.close()
        self._began = self._said = time.monotonic()
        self._limit, self._first = math.inf if limit is None else limit, None
        self._measured.clear()
        if not sys.stderr.isatty():
            click.echo(f"{label} …", err=True)
            return
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
        from rich.progress import Progress as RichProgress

        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TextColumn("{task.fields[left]}"),
            TextColumn("{task.fields[more]}"),
        )
        self._bar = RichProgress(*columns, console=Console(stderr=True), transient=True)
        self._bar.start()
        self._task = self._bar.add_task(label, total=total, rate="", left="", more="")

    def update(
        self, done: int, total: int, more: str = "", unit: str = "steps", in_turn: bool = True
    ) -> None:
        """Say that `done` of `total` are done, at the rate seen so far, with `more` to tell.

        Args:
            in_turn: one is done after the other; of what is made side by side no rate tells the time.
        """
        if self._first is None:
            self._first = done  # where an interrupted run is resumed, that many steps cost no time now
        seconds = max(time.monotonic() - self._began, 1e-6)
        rate = f"{(done - self._first) / seconds:.2g} {unit}/s" if in_turn else ""
        left = self._left(done, total, seconds) if in_turn else ""
        if self._bar is not None:
            self._bar.update(self._task, completed=done, total=total, rate=rate, left=left, more=more)
        elif time.monotonic() - self._said > LINE_SECONDS:
            said = ", ".join(filter(None, [f"  {done}/{total} {unit}", rate, left]))
            click.echo(f"{said}  {more}".rstrip(), err=True)
            self._said = time.monotonic()

    def row(self, values: Mapping[str, float], total: int) -> None:
        """A row of a training history of `total` steps; a loss stays until it is measured again."""
        self._measured.update(values)
        self.update(int(values["step"]), total, _losses(self._measured))

    def _left(self, done: int, total: int, seconds: float) -> str:
        """Seconds, by the rate since the first number that was heard, and no more than are allowed."""
        each = seconds / max(1, done - (self._first or 0))
        left = min(each * (total - done), self._limit - seconds)
        return f"{left:.0f} s left" if left >= 1 else "ending"

    def close(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


@contextmanager
def progress() -> Iterator[Progress]:
    bar = Progress()
    try:
        yield bar
    finally:
        bar.close()


def _losses(row: Mapping[str, float]) -> str:
    """A row of a training history in a few words."""
    parts = []
    if "loss" in row:
        parts.append(f"loss {row['loss']:.2f}")
    if "held_out" in row:
        parts.append(f"held-out {row['held_out']:.2f}")
    return ", ".join(parts)
