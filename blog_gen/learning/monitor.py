"""What a caller hears of a training run while it lasts. Imports nothing heavy: every command has one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from blog_gen.errors import Note
from blog_gen.model.stopping import NEVER, StopRequest


@dataclass(frozen=True)
class Monitor:
    """What a caller wants to hear of a training run while it lasts."""

    started: Callable[[str, int], None] = lambda sentence, steps: None
    row: Callable[[Mapping[str, float]], None] = lambda row: None
    stop: StopRequest = NEVER
    note: Callable[[Note], None] = lambda note: None
    doing: Callable[[str], None] = lambda words: None  # what takes a while, where no step is counted
    sample: Callable[[int, str], None] | None = None  # hears a sample, and after which step it was drawn
    sample_every: int = 0  # steps; 0 for none
