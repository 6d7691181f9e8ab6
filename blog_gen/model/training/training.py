"""Fine-tuning: a base model and token ids in, the best weights by held-out loss out.

Knows nothing of blogs. The loop is a function of its recipe and its position: a run killed at any instruction
resumes from its last checkpoint and ends with the same bits (same machine, same number of threads).
"""

from __future__ import annotations

import gc
import hashlib
import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from blog_gen.errors import ModelError, Note
from blog_gen.model.allocation import trim
from blog_gen.model.arrays import Array, Arrays, part_way
from blog_gen.model.distributed import strategy as distribution
from blog_gen.model.distributed.team import WorkerLostError
from blog_gen.model.hparams import HParams
from blog_gen.model.training import network
from blog_gen.model.training.adaptation import split
from blog_gen.model.training.backend import make_stepper
from blog_gen.model.training.checkpoints import SOONEST, Checkpoints, SaveTimer, state_bytes
from blog_gen.model.training.dataset import Rows, epoch_order
from blog_gen.model.training.dropout import NO_DROPOUT, Dropout
from blog_gen.model.training.fusion import checkpointed
from blog_gen.model.training.loss import chunked_cross_entropy, cross_entropy
from blog_gen.model.training.network import Wrap, as_it_is
from blog_gen.model.training.optimizers import Optimizer
from blog_gen.model.training.outcome import Outcome, TrainingProgress
from blog_gen.model.training.recipe import MEMORY_STRATEGIES, Recipe
from blog_gen.model.training.schedules import LearningRateSchedule

# Of what was learned, as alternatives to all of it; and nats by which one must be better to be taken.
SHARES, WORTH = (0.75, 0.5, 0.25), 0.005

OnEvaluation = Callable[[dict[str, float]], None]


class FineTuning:
    """One run; `folder` keeps its state while it lasts.

    Args:
        base: float32 weights by their published names, asked for one at a time.
    """

    def __init__(
        self,
        hparams: HParams,
        base: Arrays,
        rows: Rows,
        held_out: Rows,
        recipe: Recipe,
        folder: Path,
    ) -> None:
        self.hparams, self.rows, self.held_out = hparams, rows, held_out
        self.recipe, self.folder = recipe, folder
        self.identity = _identity(base, (rows, held_out), recipe)
        self.position = TrainingProgress()
        distribution.begin({"hparams": asdict(hparams), "recipe": asdict(recipe)})
        self._start, frozen = split(base, recipe.lora, recipe.freeze, recipe.seed)
        self._learns_table = ("wte" if hparams.tied else "head") in self._start
        self.stepper = make_stepper(
            self._start,
            Optimizer("adamw", weight_decay=recipe.weight_decay, clip_norm=recipe.clip_norm),
            self._training_loss,
            self._evaluation_loss,
            frozen,
            recipe.precision,
            self._last_logits,
        )
        self._schedule = LearningRateSchedule(recipe.steps, recipe.warmup, shape=recipe.schedule)
        self._checkpoints = Checkpoints(folder, self.identity)

    def _training_loss(self, weights: Any, batch: Any) -> Any:
        dropout = Dropout(self.recipe.dropout, batch["seed"])
        states, targets, share = self._forward(weights, batch, dropout, *self._wraps())
        return chunked_cross_entropy(
            states, network.output_table(weights), targets, share, self._learns_table
        )

    def _evaluation_loss(self, weights: Any, batch: Any) -> Any:
        states, targets, share = self._forward(weights, batch, NO_DROPOUT)
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
        return self.stepper.predict({"tokens": tokens, "last": np.array(len(ids) - 1, np.int32)})

    def _wraps(self) -> tuple[Wrap, ...]:
        """What is computed twice: blocks, or beside adapters attention's shares, which take few products."""
        if self.recipe.activation_checkpointing:
            return (checkpointed,)
        return (as_it_is, checkpointed) if self.recipe.lora is not None else ()

    def _forward(self, weights: Any, batch: Any, dropout: Dropout, *wraps: Wrap) -> tuple[Any, Any, Any]:
        """Last states (N, C), targets (N,) and each target's share in the loss (N,)."""
        from keras import ops

        packing = network.Packing(batch["positions"], batch["segments"])
        states = network.hidden_states(
            weights, batch["tokens"], self.hparams, self.recipe.precision, packing, dropout, *wraps
        )
        flat = ops.reshape(states, (-1, self.hparams.n_embd))
        return flat, ops.reshape(batch["targets"], (-1,)), ops.reshape(batch["share"], (-1,))

    def run(
        self,
        report: OnEvaluation = lambda row: None,
        interrupted: Callable[[], bool] = lambda: False,
        max_seconds: float = math.inf,
        save_seconds: float = SOONEST,
    ) -> Outcome | None:
        """Train to the end and leave the best weights in place, or save and return None when `interrupted`.

        Args:
            save_seconds: from one state to the next, at least.

        Raises:
            ModelError: the loss was not finite before anything was learned.
            WorkerLostError: another machine is not there any more; the state is saved.
        """
        began, before = time.monotonic(), self.position.seconds
        timer = SaveTimer(state_bytes(self.stepper.shapes()), least=save_seconds)
        if not self.position.history:
            self._evaluate(report)
        trim()
        compiled, stopped = False, self._stopping(max_seconds)
        # A resume after a measurement that was broken off; or one for which no time is left.
        if self.position.losses and (stopped or self.position.step % self.recipe.evaluate_every == 0):
            self._evaluate(report)
            stopped = self._stopping(max_seconds)
        while not stopped:
            try:
                stopped = self._advance_and_measure(report, began - before, max_seconds)
            except WorkerLostError:
                self.save()
                raise
            if not compiled:
                trim()
                compiled = True
            if interrupted() and not stopped:
                self.save()
                return None
            if timer.due():
                timer.time(self.save)
        best = self._best(report)
        passes = self.position.best_step * self.recipe.batch_rows / len(self.rows)
        return Outcome(best, self.position, stopped, passes)

    def _advance_and_measure(self, report: OnEvaluation, began: float, max_seconds: float) -> str:
        """A step, and a measurement where one is due; why the run is over, if it is."""
        if (loss := self.advance()) is None:
            return f"the loss was no longer a number at step {self.position.step + 1}"
        self.position.losses.append(loss)
        self.position.seconds = time.monotonic() - began
        report({"step": self.position.step, "loss": loss})
        if self.position.step % self.recipe.evaluate_every == 0 or self._spent(max_seconds):
            self._evaluate(report)
        return self._stopping(max_seconds)

    def _best(self, report: OnEvaluation) -> Arrays:
        """The best weights, which are then in place: of some step, of the start (then none), or between.

        Source of the last: Wortsman et al., "Robust fine-tuning of zero-shot models", 2021.
        """
        position = self.position
        if position.step and not position.best_step and len(self.held_out):
            self._checkpoints.save_best(self.stepper, position.step)  # no step helped; one between may
        tuned = self._checkpoints.best() if position.step else {}
        best = tuned if position.best_step else {}
        loss = position.best_loss - max(WORTH, self.recipe.doubt)
        for share in SHARES if len(self.held_out) else ():
            between = part_way(self._start, tuned, share)
            self._put(between)
            if (tried := self.held_out_loss()) < loss:
                best, loss, position.share = between, tried, share
        if position.share < 1:
            position.best_step, position.best_loss = position.step, loss
            row = {"step": position.step, "seconds": round(position.seconds, 1), "held_out": loss}
            position.history.append({**row, "share": position.share})
            report(position.history[-1])
        self._put(best or self._start)
        return best

    def _put(self, weights: Arrays) -> None:
        self.stepper.load((f"w/{name}", value) for name, value in weights.items())

    def advance(self) -> float | None:
        """One step; its loss, or None where that is no number, with nothing counted."""
        step = self.position.step + 1
        rate = self.recipe.rate * self._schedule.share(step)
        loss, norm = self.stepper.train(self._batches(step), rate, step)
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
        total = sum(float(part["share"].sum()) for part in parts)
        for number, part in enumerate(parts):
            part["share"] = part["share"] / np.float32(max(total, 1.0))
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
        return "the time limit was reached" if self.position.seconds >= max_seconds else ""

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
            if position.step:  # before the first there is the base
                self._checkpoints.save_best(self.stepper, position.step)
        elif position.best_step or 2 * position.step > self.recipe.steps:
            position.stale += 1  # not at first: warm-up makes nearly every model worse before it is better
        position.losses = []
        position.history.append(row)
        report(row)

    def held_out_loss(self, by_text: bool = False) -> float:
        """Mean nats per token over the held-out rows; `by_text`: the mean of each text's own mean."""
        shares = self.held_out.share_of_text if by_text else self.held_out.counted
        size = self.recipe.batch_rows
        each = [np.arange(at, min(at + size, len(shares))) for at in range(0, len(shares), size)]
        losses = self.stepper.losses([self.held_out.batch(which, size, shares) for which in each])
        return sum(losses) / round(float(shares.sum()))

    def release(self) -> None:
        """Give up all that it holds in memory, once nothing more is to be learned or measured."""
        del self.stepper
        gc.collect()
        trim()

    def save(self) -> None:
        """Write all that a resume needs."""
        self._checkpoints.save(self.stepper, self.position)

    def resume(self, note: Callable[[Note], None] = lambda each: None) -> bool:
        """Take up the last state of this very run that is whole, if there is one; `note` hears of damage."""
        position = self._checkpoints.resume(self.stepper, note)
        self.position = position or self.position
        return position is not None


def _identity(base: Arrays, data: Sequence[Rows], recipe: Recipe) -> str:
    """A hash of everything that decides the outcome; in how many parts a step is computed does not."""
    decides = {name: value for name, value in asdict(recipe).items() if name not in MEMORY_STRATEGIES}
    digest = hashlib.sha256(json.dumps(decides, sort_keys=True).encode())
    for name in sorted(base):
        digest.update(np.ascontiguousarray(base[name]).data)
    for rows in data:
        digest.update(np.ascontiguousarray(rows.tokens).data)
    return digest.hexdigest()
