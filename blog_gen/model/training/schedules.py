"""Learning-rate schedules: a share of the peak for each step, from nothing but the step's number."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal


@dataclass(frozen=True)
class LearningRateSchedule:
    """Linear warm-up, a plateau, then decay to zero."""

    steps: int  # the whole run
    warmup: int = 0  # steps that rise to the peak
    decay: int | None = None  # steps that fall, at the end; None: all after the warm-up
    shape: Literal["linear", "cosine"] = "linear"

    def share(self, step: int) -> float:
        """Share of the peak rate for `step`, counted from 1.

        >>> run = LearningRateSchedule(steps=10, warmup=2, decay=4)
        >>> [run.share(step) for step in (1, 2, 6, 8, 10)]
        [0.5, 1.0, 1.0, 0.6, 0.2]
        """
        if step <= self.warmup:
            return step / self.warmup
        falling = self.steps - self.warmup if self.decay is None else self.decay
        left = max(self.steps - step + 1, 1) / (falling + 1)
        if left >= 1.0:
            return 1.0
        return 0.5 - 0.5 * math.cos(math.pi * left) if self.shape == "cosine" else left

    def within(self, steps: float) -> LearningRateSchedule:
        """This one, or where there is no time for so many `steps` one of that many, warm-up and decay too.

        >>> LearningRateSchedule(steps=100, warmup=10).within(50.7)
        LearningRateSchedule(steps=50, warmup=5, decay=None, shape='linear')
        """
        if steps >= self.steps:
            return self
        shorter = max(1, int(steps))
        parts = (None if part is None else part * shorter // self.steps for part in (self.warmup, self.decay))
        warmup, decay = parts
        return replace(self, steps=shorter, warmup=warmup or 0, decay=decay)
