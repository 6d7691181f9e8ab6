"""Fine-tuning: a base model and token ids in, the best weights by held-out loss out.

Knows nothing of blogs. The loop is a function of its recipe and its position: a run killed at any instruction
resumes from its last checkpoint and ends with the same bits (same machine, same number of threads).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from blog_gen.errors import ModelError, Note
from blog_gen.model.allocation import after_compiling, before_compiling, trim
from blog_gen.model.arrays import Array, Arrays, part_way
from blog_gen.model.distributed import strategy as distribution
from blog_gen.model.distributed.team import WorkerLostError
from blog_gen.model.hparams import HParams
from blog_gen.model.stopping import NEVER, StopRequest
from blog_gen.model.training.adaptation import split
from blog_gen.model.training.checkpoints import SOONEST, Checkpoints
from blog_gen.model.training.dataset import Rows, batches_of
from blog_gen.model.training.loss import Objective
from blog_gen.model.training.optimizers import Optimizer
from blog_gen.model.training.outcome import Outcome, TrainingProgress
from blog_gen.model.training.recipe import Recipe, identity_of
from blog_gen.model.training.schedules import LearningRateSchedule
from blog_gen.model.training.steppers.stepper import make_stepper

# Of what was learned, as alternatives to all of it; and nats by which one must be better to be taken.
SHARES, WORTH = (0.75, 0.5, 0.25), 0.005

EVALUATED_AT_ONCE = 4  # batches, between which an interruption is heard

OnEvaluation = Callable[[dict[str, float]], None]


class _Interrupted(Exception):
    """While it was measured; nothing has changed since the last step."""


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
        before_compiling(hparams.parameters)
        self.hparams, self.rows, self.held_out = hparams, rows, held_out
        self.recipe, self.folder = recipe, folder
        self.identity = identity_of(recipe, base, (rows.tokens, held_out.tokens))
        self.position = TrainingProgress()
        self._stop = NEVER
        self._compiled = False
        distribution.begin({"hparams": asdict(hparams), "recipe": asdict(recipe)})
        self._start, frozen = split(base, recipe.lora, recipe.freeze, recipe.seed)
        self.stepper = make_stepper(
            self._start,
            Optimizer("adamw", weight_decay=recipe.weight_decay, clip_norm=recipe.clip_norm),
            Objective.of(hparams, recipe, ("wte" if hparams.tied else "head") in self._start),
            frozen,
            recipe.precision,
        )
        self._schedule = LearningRateSchedule(recipe.steps, recipe.warmup, shape=recipe.schedule)
        self._checkpoints = Checkpoints(folder, self.identity, self.stepper)

    def next_logits(self, ids: Sequence[int], length: int) -> Array:
        """Float32 logits (V,) of what follows `ids`, computed in a window of `length` tokens."""
        tokens = np.zeros((1, length), np.int32)
        tokens[0, : len(ids)] = ids
        return self.stepper.predict({"tokens": tokens, "last": np.array(len(ids) - 1, np.int32)})

    def run(
        self,
        report: OnEvaluation = lambda row: None,
        stop: StopRequest = NEVER,
        max_seconds: float = math.inf,
        save_seconds: float = SOONEST,
        doing: Callable[[str], None] = lambda words: None,
    ) -> Outcome | None:
        """Train to the end and leave the best weights in place, or save and return None on `stop`.

        Args:
            save_seconds: from one state to the next, at least.
            doing: hears what takes a while when no steps are left.

        Raises:
            ModelError: the loss was not finite before anything was learned.
            WorkerLostError: another machine is not there any more; the state is saved.
        """
        self._stop = self._checkpoints.stop = stop
        self._checkpoints.timer.least = save_seconds
        try:
            stopped = self._learn(report, max_seconds)
            if self.position.step:  # from here on nothing is lost by whoever ends the process
                self._checkpoints.save_rest(self.position)
        except _Interrupted:
            self._checkpoints.save_rest(self.position)
            return None
        except WorkerLostError:
            self.save()
            raise
        finally:
            self._stop = self._checkpoints.stop = NEVER
        self.stepper.end_training()
        trim()
        doing("comparing with parts of what was learned")
        best = self._best(report)
        passes = self.position.best_step * self.recipe.batch_rows / len(self.rows)
        return Outcome(best, self.position, stopped, passes)

    def _learn(self, report: OnEvaluation, max_seconds: float) -> str:
        """All steps that are left; why it stopped.

        Raises:
            _Interrupted: after a step, or between two parts of an evaluation, which a resume begins again.
        """
        began, before = time.monotonic(), self.position.seconds
        if not self.position.history or (self.position.losses and self._is_due(max_seconds)):
            self._evaluate(report)
        trim()
        first: tuple[int, float] | None = None
        stopped = self._stopping(max_seconds)
        while not stopped:
            loss = self.advance(self.position.fitting(max_seconds))
            if loss is None:
                self._checkpoints.note_saved(True)  # as far as it is worth it
                return f"the loss was no longer a number at step {self.position.step + 1}"
            self._checkpoints.note_saved(False)
            self.position.losses.append(loss)
            self.position.seconds = before + time.monotonic() - began
            report({"step": self.position.step, "loss": self.position.losses[-1]})
            self._heed()
            if self._is_due(max_seconds):
                self._evaluate(report)
            first = first or (self.position.step, self.position.seconds)  # it compiled, and tells no time
            self.position.time_since(*first)
            stopped = self._stopping(max_seconds)
            self._checkpoints.save_if_due(self.position)
            self._heed()  # what another worker was told comes with the evaluation
        return stopped

    def _heed(self) -> None:
        if self._stop.asked():
            raise _Interrupted

    def _best(self, report: OnEvaluation) -> Arrays:
        """The best weights, which are then in place: of some step, of the start (then none), or between.

        Source of the last: Wortsman et al., "Robust fine-tuning of zero-shot models", 2021.
        """
        position = self.position
        tuned = self._checkpoints.best() if position.step else {}  # no step helped: one between may
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

    def advance(self, fitting: float = math.inf) -> float | None:
        """One step where there is time for `fitting` in all; its loss, or None, uncounted, if no number."""
        step = self.position.step + 1
        rate = self.recipe.rate * self._schedule.within(fitting).share(step)
        loss, norm = self.stepper.train(batches_of(self.rows, self.recipe, step), rate, step)
        if not (math.isfinite(loss) and math.isfinite(norm)):
            if self.position.best_step == 0:
                fix = "Lower training.learning_rate"
                got = f"{loss} at step {step}"
                raise ModelError("the training loss must stay finite", got=got, fix=fix, path=self.folder)
            return None
        if not self._compiled:
            after_compiling(self.hparams.parameters)
            self._compiled = True
        self.position.step = step
        return loss

    def _is_due(self, max_seconds: float) -> bool:
        """Whether an evaluation is, after this step."""
        regular = self.position.step % self.recipe.evaluate_every == 0
        return regular or self.position.step >= self.recipe.steps or self.position.seconds >= max_seconds

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
        elif position.best_step or 2 * position.step > self.recipe.steps:
            position.stale += 1  # not at first: warm-up makes nearly every model worse before it is better
        position.losses = []
        position.history.append(row)
        self._checkpoints.saved = False  # `stop` is not told: what was measured can be measured again
        report(row)
        if position.step and position.best_step == position.step:
            self.save()  # before the first step there is the base

    def held_out_loss(self, by_text: bool = False) -> float:
        """Mean nats per token over the held-out rows; `by_text`: the mean of each text's own mean."""
        shares = self.held_out.share_of_text if by_text else self.held_out.counted
        size = self.recipe.batch_rows
        each = [np.arange(at, min(at + size, len(shares))) for at in range(0, len(shares), size)]
        losses: list[float] = []
        for at in range(0, len(each), EVALUATED_AT_ONCE):
            self._heed()
            part = each[at : at + EVALUATED_AT_ONCE]
            losses += self.stepper.losses([self.held_out.batch(which, size, shares) for which in part])
        return sum(losses) / round(float(shares.sum()))

    def release(self) -> None:
        """Give up what it holds in memory and can do without on disk: nothing more is learned or measured."""
        self._checkpoints.make_room()
        self.stepper.close()
        trim()

    def save(self) -> None:
        """Write all that a resume needs."""
        self._checkpoints.save(self.position)

    def resume(self, note: Callable[[Note], None] = lambda each: None) -> bool:
        """Take up the last state of this very run that is whole, if there is one; `note` hears of damage."""
        position = self._checkpoints.resume(note)
        self.position = position or self.position
        return position is not None
