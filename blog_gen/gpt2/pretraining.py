"""A base model from scratch, for maintainers: one long, exactly resumable run over an encoded corpus.

The way of a run: `Plan` says, from the number of tokens seen alone, which window length, mixture and
learning rate come next; `Pretraining` draws the batch for that position, steps, and now and then measures and saves. Nothing is kept in a
generator: a state file is arrays plus a position, so a killed run goes on bit for bit.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save_file

from blog_gen.errors import ModelError
from blog_gen.files import TEMPORARY_PREFIX
from blog_gen.gpt2 import network
from blog_gen.gpt2.backend import make_stepper
from blog_gen.gpt2.hparams import HParams
from blog_gen.gpt2.loss import chunked_cross_entropy
from blog_gen.gpt2.optimizers import Optimizer
from blog_gen.gpt2.schedules import Schedule
from blog_gen.gpt2.shards import Shards
from blog_gen.gpt2.weights import initial_weights

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Plan:
    """What happens when, all of it a function of the position in tokens."""

    tokens: int  # the whole run
    batch_tokens: int = 8192  # per update
    rate: float = 4e-3  # peak, shared by Muon and AdamW (see optimizers)
    warmup_tokens: int = 500_000
    decay: float = 0.3  # last share of the run, in which the rate falls to zero
    lengths: tuple[tuple[float, int], ...] = ((0.0, 256), (0.4, 512), (0.7, 1024))  # from share, window
    mixture: Mapping[str, float] = field(default_factory=dict)  # source: chance to be in an epoch
    final_mixture: Mapping[str, float] = field(default_factory=dict)  # the same while the rate falls

    @property
    def steps(self) -> int:
        return -(-self.tokens // self.batch_tokens)

    @property
    def schedule(self) -> Schedule:
        warmup = max(1, self.warmup_tokens // self.batch_tokens)
        return Schedule(self.steps, warmup, max(1, round(self.decay * self.steps)))

    def decaying(self, step: int) -> bool:
        """Whether `step`, counted from 1, is in the last part of the run."""
        return step > self.steps - round(self.decay * self.steps)

    def length(self, step: int) -> int:
        """Window length of `step`: short windows first, since attention over long ones costs more."""
        return [length for share, length in self.lengths if (step - 1) >= share * self.steps][-1]


@dataclass
class Position:
    """Where a run stands; with the arrays, all that a resume needs."""

    step: int = 0
    epoch: int = 0
    offset: int = 0  # tokens of the epoch already used
    final: bool = False  # whether the epoch was drawn from the final mixture
    seconds: float = 0.0  # spent so far, over all sessions
    history: list[dict[str, float]] = field(default_factory=list)


class Pretraining:
    """One run in `folder`: `state.safetensors` now, `plateau.safetensors` as it was before the rate fell."""

    def __init__(self, hparams: HParams, plan: Plan, optimizer: Optimizer, shards: Shards, folder: Path) -> None:
        self.hparams, self.plan, self.shards, self.folder = hparams, plan, shards, folder
        self.position = Position()
        self._stepper = make_stepper(
            initial_weights(hparams, seed=shards.seed), optimizer, self._loss, self._loss
        )

    def _loss(self, weights: Any, batch: Any) -> Any:
        from keras import ops

        states = network.hidden_states(weights, batch["tokens"][:, :-1], self.hparams, "bfloat16")
        targets = ops.reshape(batch["tokens"][:, 1:], (-1,))
        share = ops.full(targets.shape, 1.0 / targets.shape[0], "float32")
        flat = ops.reshape(states, (-1, self.hparams.n_embd))
        return chunked_cross_entropy(flat, weights["wte"], targets, share)

    def run(
        self, report: Callable[[dict[str, float]], None], every: int = 50, save_seconds: float = 300.0,
        measure: Callable[[], float] | None = None, measure_every: int = 500,
    ) -> None:
        """Train to the end of the plan; `report` gets the mean loss of the last `every` steps."""
        saved, losses, mark = time.monotonic(), [], time.monotonic()
        before = self.position.seconds
        began = mark
        while self.position.step < self.plan.steps:
            if not self.position.final and self.plan.decaying(self.position.step + 1):
                self.save("plateau.safetensors")
            losses.append(self._advance())
            now = time.monotonic()
            self.position.seconds = before + now - began
            if self.position.step % every == 0 or self.position.step == self.plan.steps:
                row = self._row(losses, now - mark)
                if measure and (self.position.step % measure_every == 0 or self.position.step == self.plan.steps):
                    row["valid_loss"] = measure()
                self.position.history.append(row)
                report(row)
                losses, mark = [], time.monotonic()
            if now - saved > save_seconds:
                self.save()
                saved = now
        self.save()

    def _advance(self) -> float:
        step = self.position.step + 1
        loss, norm = self._stepper.train(
            {"tokens": self._batch(step)}, self.plan.rate * self.plan.schedule.share(step), step
        )
        if not (np.isfinite(loss) and np.isfinite(norm)):
            raise ModelError("the loss must stay finite", got=loss, fix="Lower the rate; the last state is kept")
        self.position.step = step
        return loss

    def _batch(self, step: int) -> Array:
        """(rows, length + 1) token ids; each row's last token is the next row's first."""
        length = self.plan.length(step)
        final = self.plan.decaying(step)
        if final != self.position.final:
            self.position.final, self.position.epoch, self.position.offset = final, self.position.epoch + 1, 0
        while True:
            epoch = self._epoch()
            if self.position.offset + self.plan.batch_tokens + 1 <= epoch.length:
                break
            self.position.epoch, self.position.offset = self.position.epoch + 1, 0
        stream = epoch.window(self.position.offset, self.plan.batch_tokens + 1).astype(np.int32)
        self.position.offset += self.plan.batch_tokens
        starts = np.arange(0, self.plan.batch_tokens, length)
        return stream[starts[:, None] + np.arange(length + 1)[None, :]]

    def _epoch(self) -> Any:
        key = (self.position.epoch, self.position.final)
        if getattr(self, "_cached", (None, None))[0] != key:
            mixture = self.plan.final_mixture if self.position.final else self.plan.mixture
            self._cached = (key, self.shards.epoch(self.position.epoch, mixture))
        return self._cached[1]

    def _row(self, losses: list[float], seconds: float) -> dict[str, float]:
        rate = len(losses) * self.plan.batch_tokens / seconds
        left = (self.plan.steps - self.position.step) * self.plan.batch_tokens / rate
        return {
            "step": self.position.step,
            "tokens": self.position.step * self.plan.batch_tokens,
            "loss": round(float(np.mean(losses)), 4),
            "tokens_per_second": round(rate),
            "minutes_left": round(left / 60, 1),
        }

    def weights(self) -> dict[str, Array]:
        state = self._stepper.state()
        return {name[2:]: value for name, value in state.items() if name.startswith("w/")}

    def loss(self, tokens: Array) -> float:
        return self._stepper.loss({"tokens": tokens})

    def save(self, name: str = "state.safetensors") -> None:
        about = {"position": json.dumps(asdict(self.position)), "plan": json.dumps(asdict(self.plan))}
        temporary = self.folder / (TEMPORARY_PREFIX + name)
        save_file(self._stepper.state(), temporary, metadata=about)
        temporary.replace(self.folder / name)

    def resume(self) -> bool:
        """Take up the saved state; a plan that grew goes back to the plateau, before the rate fell."""
        for name in ("state.safetensors", "plateau.safetensors"):
            if not (self.folder / name).exists():
                continue
            with safe_open(self.folder / name, "numpy") as file:
                about = file.metadata()
                position = Position(**json.loads(about["position"]))
                if position.final and not self.plan.decaying(position.step):
                    continue
                self._stepper.load({key: file.get_tensor(key) for key in file.keys()})  # noqa: SIM118
            self.position = position
            return True
        return False
