"""Fine-tuning: a base model and token ids in, the best weights by held-out loss out.

Knows nothing of blogs. The loop is a function of its recipe and its position: a run killed at any instruction
goes on from its last state and ends with the same bits (same machine, same number of threads).
"""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from blog_gen.errors import ModelError
from blog_gen.gpt2 import network
from blog_gen.gpt2.autopilot import Recipe
from blog_gen.gpt2.backend import make_stepper
from blog_gen.gpt2.dataset import Rows, epoch_order
from blog_gen.gpt2.hparams import HParams
from blog_gen.gpt2.loss import chunked_cross_entropy
from blog_gen.gpt2.optimizers import Optimizer
from blog_gen.gpt2.schedules import Schedule
from blog_gen.gpt2.state import load_state, save_state

Array = np.ndarray[Any, Any]
STATE_FILE = "state.safetensors"
BEST_FILE = "best.safetensors"


@dataclass
class Position:
    """Where a run stands; with the arrays, all that a resume needs."""

    step: int = 0
    seconds: float = 0.0  # of training, over all its resumes
    best_loss: float = math.inf
    best_step: int = 0
    stale: int = 0  # evaluations since the best
    losses: list[float] = field(default_factory=list)  # since the last evaluation
    history: list[dict[str, float]] = field(default_factory=list)


@dataclass(frozen=True)
class Outcome:
    """A finished run."""

    weights: dict[str, Array]
    position: Position
    stopped: str  # why it ended, in plain words

    @property
    def reading(self) -> str:
        """What the losses say, for a person who never saw one."""
        rows = [row for row in self.position.history if "held_out" in row]
        if not rows:
            return "No post was held out, so how well it learned was not measured."
        best = next(row for row in rows if row["step"] == self.position.best_step)
        gap = best["held_out"] - best.get("loss", best["held_out"])
        words = f"Held-out loss {rows[0]['held_out']:.2f} before, {best['held_out']:.2f} after"
        if self.position.best_step == 0:
            return f"{words}: training did not help; the base model's weights are kept."
        memorising = gap > 0.5
        verdict = (
            "it is memorising; more posts would help" if memorising else "it is learning, not memorising"
        )
        return f"{words}; training loss {best['loss']:.2f}: {verdict}."


class FineTuning:
    """One run; `folder` keeps its state while it lasts."""

    def __init__(
        self,
        hparams: HParams,
        base: Mapping[str, Array],
        rows: Rows,
        held_out: Rows,
        recipe: Recipe,
        folder: Path,
    ) -> None:
        self.hparams, self.rows, self.held_out, self.recipe, self.folder = (
            hparams,
            rows,
            held_out,
            recipe,
            folder,
        )
        self.position = Position()
        optimizer = Optimizer("adamw", weight_decay=recipe.weight_decay, clip_norm=recipe.clip_norm)
        self._stepper = make_stepper(base, optimizer, self._training_loss, self._evaluation_loss)
        self._schedule = Schedule(recipe.steps, recipe.warmup)
        self._best = dict(base)
        self.identity = _identity(base, (rows, held_out), recipe)

    def _training_loss(self, weights: Any, batch: Any) -> Any:
        return self._loss(weights, batch, network.Dropout(self.recipe.dropout, batch["seed"]))

    def _evaluation_loss(self, weights: Any, batch: Any) -> Any:
        return self._loss(weights, batch, network.NO_DROPOUT)

    def _loss(self, weights: Any, batch: Any, dropout: network.Dropout) -> Any:
        from keras import ops

        packing = network.Packing(batch["positions"], batch["segments"])
        states = network.hidden_states(
            weights, batch["tokens"], self.hparams, "bfloat16", packing=packing, dropout=dropout
        )
        flat = ops.reshape(states, (-1, self.hparams.n_embd))
        counted = ops.reshape(batch["counted"], (-1,))
        share = counted / ops.maximum(ops.sum(counted), 1.0)
        return chunked_cross_entropy(flat, weights["wte"], ops.reshape(batch["targets"], (-1,)), share)

    def run(
        self,
        report: Callable[[dict[str, float]], None] = lambda row: None,
        interrupted: Callable[[], bool] = lambda: False,
        max_seconds: float = math.inf,
        save_seconds: float = 20.0,
    ) -> Outcome | None:
        """Train to the end, or save and return None when `interrupted` says so.

        Raises:
            ModelError: the loss is no longer finite; the last good state stays on disk.
        """
        began, before, saved = time.monotonic(), self.position.seconds, time.monotonic()
        if not self.position.history:
            self._evaluate(report)
        stopped = self._stopping(max_seconds)
        while not stopped:
            self.position.losses.append(self._advance())
            self.position.seconds = before + time.monotonic() - began
            report({"step": self.position.step, "loss": self.position.losses[-1]})
            if self.position.step % self.recipe.evaluate_every == 0 or self._spent(max_seconds):
                self._evaluate(report)
            stopped = self._stopping(max_seconds)
            if interrupted() and not stopped:
                self.save()
                return None
            if time.monotonic() - saved > save_seconds:
                self.save()
                saved = time.monotonic()
        return Outcome(self._best, self.position, stopped)

    def _advance(self) -> float:
        step = self.position.step + 1
        per_epoch = -(-len(self.rows) // self.recipe.batch_rows)
        epoch, place = divmod(self.position.step, per_epoch)
        order = epoch_order(len(self.rows), self.recipe.seed, epoch)
        which = order[place * self.recipe.batch_rows : (place + 1) * self.recipe.batch_rows]
        batch = self.rows.batch(which, self.recipe.batch_rows)
        batch["seed"] = np.array((self.recipe.seed * 0x85EBCA6B + step * 0xC2B2AE35) % 2**32, np.uint32)
        loss, norm = self._stepper.train(batch, self.recipe.rate * self._schedule.share(step), step)
        if not (math.isfinite(loss) and math.isfinite(norm)):
            raise ModelError(
                "the training loss must stay finite",
                got=f"{loss} at step {step}",
                fix="Lower training.learning_rate; the last good state is kept",
                path=self.folder,
            )
        self.position.step = step
        return loss

    def _spent(self, max_seconds: float) -> bool:
        return self.position.step >= self.recipe.steps or self.position.seconds >= max_seconds

    def _stopping(self, max_seconds: float) -> str:
        """Why the run is over, in plain words; empty while it is not."""
        if len(self.held_out) and self.position.stale >= self.recipe.patience:
            return "the held-out loss stopped falling"
        if self.position.step >= self.recipe.steps:
            return "all steps done"
        return "the time allowed was over" if self.position.seconds >= max_seconds else ""

    def _evaluate(self, report: Callable[[dict[str, float]], None]) -> None:
        """Measure, and keep the weights when they are the best so far."""
        position = self.position
        row: dict[str, float] = {"step": position.step, "seconds": round(position.seconds, 1)}
        if position.losses:
            row["loss"] = float(np.mean(position.losses))
        if len(self.held_out):
            row["held_out"] = self.held_out_loss()
        if row.get("held_out", -position.step) < position.best_loss:
            position.best_loss, position.best_step = row.get("held_out", -position.step), position.step
            position.stale = 0
            self._best = self.weights()
        else:
            position.stale += 1
        position.losses = []
        position.history.append(row)
        report(row)

    def held_out_loss(self) -> float:
        """Mean nats per token over the held-out rows."""
        total = 0.0
        for start in range(0, len(self.held_out), self.recipe.batch_rows):
            which = np.arange(start, min(start + self.recipe.batch_rows, len(self.held_out)))
            batch = self.held_out.batch(which, self.recipe.batch_rows)
            total += self._stepper.loss(batch) * float(batch["counted"].sum())
        return total / self.held_out.count

    def weights(self) -> dict[str, Array]:
        state = self._stepper.state()
        return {name[2:]: value for name, value in state.items() if name.startswith("w/")}

    def save(self) -> None:
        """Write the best weights, then the state: whatever is killed between, a resume repeats it."""
        save_state(self.folder / BEST_FILE, self._best, {"identity": self.identity})
        save_state(self.folder / STATE_FILE, self._stepper.state(), self._about())

    def _about(self) -> dict[str, Any]:
        return asdict(self.position) | {"identity": self.identity}

    def resume(self) -> bool:
        """Take up the state in the folder, if it is of this very run."""
        state, best = load_state(self.folder / STATE_FILE), load_state(self.folder / BEST_FILE)
        if state is None or best is None or state[1].pop("identity") != self.identity:
            return False
        self._stepper.load(state[0])
        self.position, self._best = Position(**state[1]), best[0]
        return True


def _identity(base: Mapping[str, Array], data: Sequence[Rows], recipe: Recipe) -> str:
    """A hash of everything that decides the outcome."""
    digest = hashlib.sha256(json.dumps(asdict(recipe), sort_keys=True).encode())
    for name in sorted(base):
        digest.update(np.ascontiguousarray(base[name]).data)
    for rows in data:
        digest.update(np.ascontiguousarray(rows.tokens).data)
    return digest.hexdigest()
