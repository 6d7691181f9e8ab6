"""What a pretraining does when, and where it stands: numbers only, nothing of weights or files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from blog_gen.model.training.schedules import LearningRateSchedule

AVERAGE_STEPS = 4  # between two additions to the average: a copy of the weights to the host each time


@dataclass(frozen=True)
class PretrainingPlan:
    """What happens when, all of it a function of the position in tokens."""

    tokens: int  # the whole run
    batch_tokens: int = 8192  # per update
    rate: float = 3e-3  # peak, shared by Muon and AdamW (see optimizers)
    warmup_tokens: int = 500_000
    decay: float = 0.3  # last share of the run, in which the rate falls to zero
    window: int = 1024  # tokens; positions that are not trained on are forgotten (experiments, 32)
    average_tokens: int = 2_000_000  # what the average of the weights looks back on, about
    mixture: Mapping[str, float] = field(default_factory=dict)  # by source: chance to be in an epoch
    final_mixture: Mapping[str, float] = field(default_factory=dict)  # the same while the rate falls

    @property
    def steps(self) -> int:
        return -(-self.tokens // self.batch_tokens)

    @property
    def schedule(self) -> LearningRateSchedule:
        warmup = max(1, self.warmup_tokens // self.batch_tokens)
        return LearningRateSchedule(self.steps, warmup, max(1, round(self.decay * self.steps)))

    def decaying(self, step: int) -> bool:
        """Whether `step`, counted from 1, is in the last part of the run."""
        return step > self.steps - round(self.decay * self.steps)

    def average_share(self, step: int) -> float:
        """Weight of the newest weights in their average at `step`: a plain mean until it is long enough."""
        length = self.average_tokens / self.batch_tokens
        return AVERAGE_STEPS / max(AVERAGE_STEPS, min(length, step))


@dataclass
class PretrainingProgress:
    """Where a run stands; with the arrays, all that a resume needs."""

    step: int = 0
    epoch: int = 0
    offset: int = 0  # tokens of the epoch already used
    final: bool = False  # whether the epoch was drawn from the final mixture
    seconds: float = 0.0  # spent so far, over all resumes
    losses: list[float] = field(default_factory=list)  # since the last report
    history: list[dict[str, float]] = field(default_factory=list)
