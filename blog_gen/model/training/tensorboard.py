"""Losses as TensorBoard reads them, written by TensorFlow itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

NAMES = {"loss": "loss/training", "held_out": "loss/held-out"}


def scalar_log(folder: Path) -> Callable[[Mapping[str, float]], None]:
    """A function that adds a row of a training history to an event file in `folder`, made at the first."""
    writer: Any = None

    def log(row: Mapping[str, float]) -> None:
        nonlocal writer
        import tensorflow as tf

        writer = writer or tf.summary.create_file_writer(str(folder))
        for key, name in NAMES.items():
            if key in row:
                # The plain operation: tf.summary.scalar wants TensorBoard itself installed.
                tf.raw_ops.WriteScalarSummary(
                    writer=writer._resource, step=int(row["step"]), tag=name, value=row[key]
                )
        writer.flush()

    return log
