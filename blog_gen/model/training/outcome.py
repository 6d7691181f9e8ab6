"""Where a fine-tuning run stands, how it ended, and what its losses say to a person who never saw one."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from blog_gen.model.arrays import Arrays


MEMORISING = 0.5  # nats a token between held-out and training loss
SLIGHT = 0.05  # nats a token: of a gain that is less nothing is to be seen in a text


@dataclass
class TrainingProgress:
    """With the arrays, all that a resume needs."""

    step: int = 0
    seconds: float = 0.0  # of training, over all its resumes
    best_loss: float = math.inf  # held-out loss: nats a token, ≥ 0
    best_step: int = 0  # 0: before the first update
    stale: int = 0  # evaluations since the best, not counting those before the first
    losses: list[float] = field(default_factory=list)  # nats a token, ≥ 0, since the last evaluation
    history: list[dict[str, float]] = field(default_factory=list)
    share: float = 1.0  # of what was learned, that the best weights have: 0 < share ≤ 1
    pace: float = 0.0  # seconds a step, with what is measured now and then; 0 while it is not known

    def time_since(self, step: int, seconds: float) -> None:
        """Take the pace from the steps after `step`, which was done at `seconds`."""
        if self.step > step:
            self.pace = (self.seconds - seconds) / (self.step - step)

    def fitting(self, max_seconds: float) -> float:
        """How many steps there is time for, in all."""
        return self.step + (max_seconds - self.seconds) / self.pace if self.pace else math.inf


@dataclass(frozen=True)
class Outcome:
    """A finished run; `weights` are those trained, at their best, and none where nothing was better."""

    weights: Arrays
    position: TrainingProgress
    stopped: str  # why it ended, in plain words
    passes: float  # ≥ 0, times through the posts, up to the best weights

    @property
    def summary(self) -> str:
        """The run in one sentence for a person who never saw a loss."""
        rows = [row for row in self.position.history if "held_out" in row]
        if not rows:
            return "No post was held out, so how well it learned was not measured."
        best = [row for row in rows if row["step"] == self.position.best_step][-1]
        words = f"Held-out loss {rows[0]['held_out']:.2f} before, {best['held_out']:.2f} after"
        if self.position.share < 1:
            words += f" (with {self.position.share:.0%} of what was learned)".replace("%", " %")
        if self.position.best_step == 0:
            return f"{words}: nothing useful was learned, so the weights from before are kept."
        if best["held_out"] > rows[0]["held_out"]:
            return f"{words}: with so few held-out posts the difference means little; more posts would help."
        if self.passes < 1:
            return f"{words}, after {_share(self.passes)} of your posts: too few to tell if it is memorising."
        if rows[0]["held_out"] - best["held_out"] < SLIGHT:
            return f"{words}: hardly easier to predict; more posts would help."
        if "loss" not in best:
            return f"{words}."
        if best["held_out"] - best["loss"] > MEMORISING:
            return f"{words}; training loss {best['loss']:.2f}: it is memorising; more posts would help."
        return f"{words}; training loss {best['loss']:.2f}: it is learning, not memorising."


def _share(part: float) -> str:
    """
    >>> _share(0.163), _share(0.004)
    ('16 %', 'less than 1 %')
    """
    return f"{part:.0%}".replace("%", " %") if part >= 0.01 else "less than 1 %"
