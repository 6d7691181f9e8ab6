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
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from blog_gen.errors import ModelError, Note
from blog_gen.model.hparams import HParams
from blog_gen.model.training import network
from blog_gen.model.training.adaptation import split
from blog_gen.model.training.autopilot import MEMORY_STRATEGIES, Recipe
from blog_gen.model.training.backend import make_stepper
from blog_gen.model.training.dataset import Rows, epoch_order
from blog_gen.model.training.dropout import NO_DROPOUT, Dropout
from blog_gen.model.training.fusion import checkpointed
from blog_gen.model.training.loss import chunked_cross_entropy, cross_entropy
from blog_gen.model.training.optimizers import Optimizer
from blog_gen.model.training.outcome import Outcome, TrainingProgress
from blog_gen.model.training.schedules import LearningRateSchedule
from blog_gen.model.training.state import State, load_state, save_state

Array = np.ndarray[Any, Any]
OnEvaluation = Callable[[dict[str, float]], None]

STATE_FILES = ("state-0.safetensors", "state-1.safetensors")  # in turn: one damaged, there is the one before
BEST_FILE = "best.safetensors"


class FineTuning:
    """One run; `folder` keeps its state while it lasts.

    Args:
        base: float32 weights by their published names; not kept, so that a model is not in memory twice.
    """

    def __init__(
        self,
        hparams: HParams,
        base: Mapping[str, Array],
        rows: Rows,
        held_out: Rows,
        recipe: Recipe,
        folder: Path,
    ) -> None:
        self.hparams, self.rows, self.held_out = hparams, rows, held_out
        self.recipe, self.folder = recipe, folder
        self.identity = _identity(base, (rows, held_out), recipe)
        self.position = TrainingProgress()
        trained, frozen = split(base, recipe.lora, recipe.freeze, recipe.seed)
        self._learns_table = ("wte" if hparams.tied else "head") in trained
        self._stepper = make_stepper(
            trained,
            Optimizer("adamw", weight_decay=recipe.weight_decay, clip_norm=recipe.clip_norm),
            self._training_loss,
            self._evaluation_loss,
            frozen,
            recipe.precision,
            self._last_logits,
        )
        self._schedule = LearningRateSchedule(recipe.steps, recipe.warmup, shape=recipe.schedule)
        self._saves = 0

    def _training_loss(self, weights: Any, batch: Any) -> Any:
        dropout = Dropout(self.recipe.dropout, batch["seed"])
        wrap = checkpointed if self.recipe.activation_checkpointing else (lambda block: block)
        states, targets, share = self._forward(weights, batch, dropout, wrap)
        return chunked_cross_entropy(
            states, network.output_table(weights), targets, share, self._learns_table
        )

    def _evaluation_loss(self, weights: Any, batch: Any) -> Any:
        states, targets, share = self._forward(weights, batch, NO_DROPOUT, lambda block: block)
        return cross_entropy(states, network.output_table(weights), targets, share)

    def _last_logits(self, weights: Any, batch: Any) -> Any:
        """(V,) logits that follow the `last` of the tokens (1, T)."""
        from keras import ops

        states = network.hidden_states(weights, batch["tokens"], self.hparams, self.recipe.precision)
        state = ops.take(states[0], batch["last"], axis=0)
        return ops.matmul(ops.cast(network.output_table(weights), "float32"), ops.cast(state, "float32"))

    def next_logits(self, ids: Sequence[int], length: int) -> Array:
        """Float32 logits (V,) of what follows `ids`, computed in a window of `length` tokens."""
        tokens = np.zeros((1, length), np.int32)
        tokens[0, : len(ids)] = ids
        return self._stepper.predict({"tokens": tokens, "last": np.array(len(ids) - 1, np.int32)})

    def _forward(self, weights: Any, batch: Any, dropout: Dropout, wrap: Any) -> tuple[Any, Any, Any]:
        """Last states (N, C), targets (N,) and each target's share in the loss (N,)."""
        from keras import ops

        packing = network.Packing(batch["positions"], batch["segments"])
        states = network.hidden_states(
            weights, batch["tokens"], self.hparams, self.recipe.precision, packing, dropout, wrap
        )
        flat = ops.reshape(states, (-1, self.hparams.n_embd))
        return flat, ops.reshape(batch["targets"], (-1,)), ops.reshape(batch["share"], (-1,))

    def run(
        self,
        report: OnEvaluation = lambda row: None,
        interrupted: Callable[[], bool] = lambda: False,
        max_seconds: float = math.inf,
        save_seconds: float = 20.0,
    ) -> Outcome | None:
        """Train to the end, or save and return None when `interrupted` says so.

        Raises:
            ModelError: the loss was not finite before anything was learned.
        """
        began, before, saved = time.monotonic(), self.position.seconds, time.monotonic()
        if not self.position.history:
            self._evaluate(report)
        stopped = self._stopping(max_seconds)
        while not stopped:
            loss = self.advance()
            if loss is None:
                stopped = f"the loss was no longer a number at step {self.position.step + 1}"
                break
            self.position.losses.append(loss)
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
        passes = self.position.best_step * self.recipe.batch_rows / len(self.rows)
        return Outcome(self._best(), self.position, stopped, passes)

    def advance(self) -> float | None:
        """One step; its loss, or None where that is no number, with nothing counted."""
        step = self.position.step + 1
        rate = self.recipe.rate * self._schedule.share(step)
        loss, norm = self._stepper.train(self._batches(step), rate, step)
        if not (math.isfinite(loss) and math.isfinite(norm)):
            if self.position.best_step == 0:
                fix = "Lower training.learning_rate"
                got = f"{loss} at step {step}"
                raise ModelError("the training loss must stay finite", got=got, fix=fix, path=self.folder)
            return None
        self.position.step = step
        return loss

    def _batches(self, step: int) -> list[dict[str, Array]]:
        """The rows of `step`, in as many parts as one update is computed from."""
        per_epoch = -(-len(self.rows) // self.recipe.batch_rows)
        epoch, place = divmod(step - 1, per_epoch)
        order = epoch_order(len(self.rows), self.recipe.seed, epoch)
        which = order[place * self.recipe.batch_rows : (place + 1) * self.recipe.batch_rows]
        size = -(-self.recipe.batch_rows // self.recipe.gradient_accumulation)
        parts = [self.rows.batch(which[at : at + size], size) for at in range(0, len(which), size)]
        total = sum(float(part["counted"].sum()) for part in parts)
        for number, part in enumerate(parts):
            part["share"] = part.pop("counted") / np.float32(max(total, 1.0))
            seed = self.recipe.seed * 0x85EBCA6B + step * 0xC2B2AE35 + number * 0x27D4EB2F
            part["seed"] = np.array(seed % 2**32, np.uint32)
        return parts

    def _spent(self, max_seconds: float) -> bool:
        return self.position.step >= self.recipe.steps or self.position.seconds >= max_seconds

    def _stopping(self, max_seconds: float) -> str:
        """Why the run is over, in plain words; empty while it is not."""
        if len(self.held_out) and self.position.stale >= self.recipe.patience:
            return "the held-out loss stopped falling"
        if self.position.step >= self.recipe.steps:
            return "all steps done"
        return "the time allowed was over" if self.position.seconds >= max_seconds else ""

    def _evaluate(self, report: OnEvaluation) -> None:
        """Measure, and keep the weights when they are the best so far."""
        position = self.position
        row: dict[str, float] = {"step": position.step, "seconds": round(position.seconds, 1)}
        if position.losses:
            row["loss"] = float(np.mean(position.losses))
        if len(self.held_out):
            row["held_out"] = self.held_out_loss()
        loss = row.get("held_out", -position.step)
        if loss < position.best_loss:
            position.best_loss, position.best_step, position.stale = loss, position.step, 0
            position.best_loss += 0 if position.step else self.recipe.doubt
            self._save_best()
        elif position.best_step or 2 * position.step > self.recipe.steps:
            position.stale += 1  # not at first: warm-up makes nearly every model worse before it is better
        position.losses = []
        position.history.append(row)
        report(row)

    def held_out_loss(self) -> float:
        """Mean nats per token over the held-out rows."""
        total = 0.0
        for start in range(0, len(self.held_out), self.recipe.batch_rows):
            which = np.arange(start, min(start + self.recipe.batch_rows, len(self.held_out)))
            batch = self.held_out.batch(which, self.recipe.batch_rows)
            batch["share"] = batch.pop("counted")
            total += self._stepper.loss(batch)
        return total / self.held_out.count

    def _save_best(self) -> None:
        """Keep these weights on disk, where they take no memory; before the first step there is the base."""
        if not self.position.step:
            return
        shapes = {name: shape for name, shape in self._stepper.shapes().items() if name.startswith("w/")}
        arrays = ((name, value) for name, value in self._stepper.arrays() if name in shapes)
        about = {"identity": self.identity, "step": self.position.step}
        save_state(self.folder / BEST_FILE, shapes, arrays, about)

    def _best(self) -> dict[str, Array]:
        state = load_state(self.folder / BEST_FILE) if self.position.best_step else None
        return {} if state is None else {name[2:]: value for name, value in state.arrays()}

    def save(self) -> None:
        """Write the state, in the older one's place; the best weights it speaks of are on disk already."""
        about = asdict(self.position) | {"identity": self.identity}
        path = self.folder / STATE_FILES[self._saves % 2]
        save_state(path, self._stepper.shapes(), self._stepper.arrays(), about)
        self._saves += 1

    def resume(self, note: Callable[[Note], None] = lambda each: None) -> bool:
        """Take up the last state of this very run that is whole, if there is one; `note` hears of damage."""
        found = [(number, self._whole(name, note)) for number, name in enumerate(STATE_FILES)]
        ours = [(state.position["step"], number, state) for number, state in found if state is not None]
        best = self._whole(BEST_FILE, note)
        for _, number, state in sorted(ours, key=lambda each: -each[0]):
            if state.position["best_step"] and best is None:
                continue  # what it found best is lost
            del state.position["identity"]
            self._stepper.load(state.arrays())
            self.position, self._saves = TrainingProgress(**state.position), number + 1
            return True
        return False

    def _whole(self, name: str, note: Callable[[Note], None]) -> State | None:
        try:
            state = load_state(self.folder / name)
        except ModelError as error:
            note(Note(self.folder / name, error.rule, "it is left aside"))
            return None
        return state if state is not None and state.position.get("identity") == self.identity else None


def _identity(base: Mapping[str, Array], data: Sequence[Rows], recipe: Recipe) -> str:
    """A hash of everything that decides the outcome; in how many parts a step is computed does not."""
    decides = {name: value for name, value in asdict(recipe).items() if name not in MEMORY_STRATEGIES}
    digest = hashlib.sha256(json.dumps(decides, sort_keys=True).encode())
    for name in sorted(base):
        digest.update(np.ascontiguousarray(base[name]).data)
    for rows in data:
        digest.update(np.ascontiguousarray(rows.tokens).data)
    return digest.hexdigest()
