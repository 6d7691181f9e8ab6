"""More to see of a training run on request: samples as it learns, and its losses for TensorBoard."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from blog_gen.learning.monitor import Monitor


def watched(monitor: Monitor, sample_every: int | None, tensorboard: Path | None) -> Monitor:
    """`monitor`, and samples to standard error every so many steps, and losses to a TensorBoard folder."""
    from blog_gen.model.training.tensorboard import scalar_log

    log = scalar_log(tensorboard) if tensorboard else None

    def row(values: Mapping[str, float]) -> None:
        monitor.row(values)
        if log:
            log(values)

    def sample(step: int, text: str) -> None:
        click.echo(f"after {step} steps: {' '.join(text.split())}", err=True)

    return replace(monitor, row=row, sample=sample, sample_every=sample_every or 0)
