"""A base model from scratch, for maintainers: one long, exactly resumable run over an encoded corpus.

The plan says which mixture and learning rate come next; `Pretraining` draws the batch, steps, and now and
then measures and saves. An exponential average of the weights runs beside them: it shows, without a decay,
what a decay would bring, and is what is handed on.
Nothing is kept in a generator: a state file is arrays plus a position, so a killed run resumes bit for bit.
"""

from __future__ import annotations

import math
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TypeVar

import numpy as np

from blog_gen.errors import ModelError
from blog_gen.model.arrays import Array
from blog_gen.model.distributed import strategy as distribution
from blog_gen.model.distributed.team import WorkerLostError
from blog_gen.model.hparams import HParams
from blog_gen.model.pretraining.objective import batch_of, begun
from blog_gen.model.pretraining.plan import AVERAGE_STEPS, PretrainingPlan, PretrainingProgress
from blog_gen.model.pretraining.shards import Epoch, Shards
from blog_gen.model.stopping import NEVER, StopRequest
from blog_gen.model.training.optimizers import Optimizer
from blog_gen.model.training.state import load_state, save_state
from blog_gen.model.weights import initial_weights

_T = TypeVar("_T")
STATE_FILE = "state.safetensors"
PLATEAU_FILE = "plateau.safetensors"  # as it was before the rate fell: where a longer plan resumes
REPORT_STEPS = 25
MEASURE_STEPS = 250
SAVE_SECONDS = 600.0
VALID_WINDOWS = 48  # of the validation text, spread evenly, at each measurement


class Pretraining:
    """One run, with its state in `folder`."""

    def __init__(
        self,
        hparams: HParams,
        plan: PretrainingPlan,
        optimizer: Optimizer,
        shards: Shards,
        folder: Path,
        valid: Shards | None = None,
    ) -> None:
        self.hparams, self.plan, self.shards, self.valid, self.folder = hparams, plan, shards, valid, folder
        self.position = PretrainingProgress()
        self._epoch: tuple[tuple[int, bool], Epoch] | None = None
        machine = distribution.machine()
        self._parts = machine.replicas
        precision = "bfloat16" if machine.has_bfloat16 else "float32"
        start = initial_weights(hparams)
        self._stepper = begun(start, hparams, optimizer, precision)
        self._average = {name: value.copy() for name, value in start.items()}

    def run(
        self,
        report: Callable[[dict[str, float]], None],
        stop: StopRequest = NEVER,
        max_seconds: float = math.inf,
        saved_to: Callable[[], None] = lambda: None,
    ) -> bool:
        """Train to the end of the plan; False when it was stopped or out of time, the state saved.

        `saved_to` is called after each save.
        """

        def keep() -> None:
            self.save()
            saved_to()
            stop.unsaved(False)

        began = saved = mark = time.monotonic()
        before = self.position.seconds
        while self.position.step < self.plan.steps:
            if not self.position.final and self.plan.decaying(self.position.step + 1):
                self.save(PLATEAU_FILE)
            self.position.losses.append(self._saved_if_lost(self._advance))
            stop.unsaved(True)
            now = time.monotonic()
            self.position.seconds = before + now - began
            if self._every(REPORT_STEPS):
                self._saved_if_lost(partial(self._report, report, now - mark))
                mark = time.monotonic()
            if stop.asked() or now - began > max_seconds:
                break
            if now - saved > SAVE_SECONDS:
                keep()
                saved = now
        keep()
        return self.position.step >= self.plan.steps

    def _every(self, steps: int) -> bool:
        return self.position.step % steps == 0 or self.position.step == self.plan.steps

    def _report(self, report: Callable[[dict[str, float]], None], seconds: float) -> None:
        position, tokens = self.position, self.plan.batch_tokens
        rate = len(position.losses) * tokens / seconds
        row: dict[str, float] = {"step": position.step, "tokens": position.step * tokens}
        row |= {"loss": round(float(np.mean(position.losses)), 4), "seconds": round(position.seconds)}
        if self.valid is not None and self._every(MEASURE_STEPS):
            row["valid_bits_per_byte"] = round(self.valid_bits_per_byte(), 4)
            row["average_bits_per_byte"] = round(self._of_average(self.valid_bits_per_byte), 4)
        position.losses = []
        position.history.append(row)
        left = (self.plan.steps - position.step) * tokens / rate
        report(row | {"tokens_per_second": round(rate), "minutes_left": round(left / 60, 1)})

    def _saved_if_lost(self, call: Callable[[], _T]) -> _T:
        """What `call` returns; where another machine is lost in it, the state from before is saved."""
        before = replace(self.position)
        try:
            return call()
        except WorkerLostError:
            self.position = before
            self.save()
            raise

    def _advance(self) -> float:
        step = self.position.step + 1
        rate = self.plan.rate * self.plan.schedule.share(step)
        rows = self._batch(step)
        size = -(-len(rows) // self._parts)
        parts = [batch_of(rows[at : at + size], size, len(rows)) for at in range(0, len(rows), size)]
        loss, norm = self._stepper.train(parts, rate, step)
        if not (math.isfinite(loss) and math.isfinite(norm)):
            raise ModelError(
                "the loss must stay finite", got=loss, fix="Lower the rate; the last checkpoint is kept"
            )
        self.position.step = step
        if step % AVERAGE_STEPS == 0:
            self._average_in(self.plan.average_share(step))
        return loss

    def _average_in(self, share: float) -> None:
        for name, value in self._trained():
            self._average[name] += np.float32(share) * (value - self._average[name])

    def _of_average(self, measured: Callable[[], float]) -> float:
        """What is `measured` with the average in the weights' place; these come back after it."""
        weights = self.weights()
        self._load(self._average)
        try:
            return measured()
        finally:
            self._load(weights)

    def _batch(self, step: int) -> Array:
        """(rows, length + 1) token ids; each row's last token is the next row's first."""
        position, length, size = self.position, self.plan.window, self.plan.batch_tokens
        if self.plan.decaying(step) != position.final:
            position.final, position.epoch, position.offset = not position.final, position.epoch + 1, 0
        while position.offset + size + 1 > self._stream().length:
            if self._stream().length <= size:
                raise ModelError(
                    "a corpus must hold more than one batch", got=f"{self._stream().length} tokens"
                )
            position.epoch, position.offset = position.epoch + 1, 0
        stream = self._stream().window(position.offset, size + 1).astype(np.int32)
        position.offset += size
        rows: Array = stream[np.arange(0, size, length)[:, None] + np.arange(length + 1)[None, :]]
        return rows

    def _stream(self) -> Epoch:
        """The pass over the corpus that the position is in."""
        key = (self.position.epoch, self.position.final)
        if self._epoch is None or self._epoch[0] != key:
            mixture = self.plan.final_mixture if self.position.final else self.plan.mixture
            self._epoch = key, self.shards.epoch(self.position.epoch, mixture)
        return self._epoch[1]

    def valid_bits_per_byte(self) -> float:
        """Over evenly spread windows of the validation text, as long as those trained on."""
        assert self.valid is not None
        tokens, length = self.valid.tokens, self.plan.window
        starts = np.linspace(0, len(tokens) - length - 1, VALID_WINDOWS).astype(int)
        windows = np.stack([tokens[start : start + length + 1] for start in starts]).astype(np.int32)
        parts = [batch_of(part, len(part), len(part)) for part in np.split(windows, VALID_WINDOWS // 8)]
        nats = np.mean(self._stepper.losses(parts))
        return float(nats) / math.log(2) * len(tokens) / self.valid.bytes

    def start_from(self, weights: Mapping[str, Array]) -> None:
        """Begin with finished weights in place of random ones, and with an order of the texts of its own.

        A model whose checkpoint is lost resumes this way; the optimizer's slots fill up during the warm-up.
        """
        self._load(weights)
        self._average = {name: np.array(value, np.float32) for name, value in weights.items()}
        self.position.epoch = zlib.crc32(weights["wte"].tobytes()) >> 1  # not the order they were made in

    def weights(self) -> dict[str, Array]:
        """As they are after the last step, by name."""
        return dict(self._trained())

    def average(self) -> dict[str, Array]:
        """The exponential average of the weights, by name: what is evaluated and handed on."""
        return dict(self._average)

    def _trained(self) -> Iterator[tuple[str, Array]]:
        return ((name[2:], value) for name, value in self._stepper.arrays() if name.startswith("w/"))

    def _load(self, weights: Mapping[str, Array]) -> None:
        self._stepper.load((f"w/{name}", value) for name, value in weights.items())

    def save(self, name: str = STATE_FILE) -> None:
        """Weights, slots and their average; `a/NAME` sorts before the stepper's own names."""
        average = {f"a/{name}": value for name, value in sorted(self._average.items())}
        shapes = {name: value.shape for name, value in average.items()} | self._stepper.shapes()
        arrays = chain(average.items(), self._stepper.arrays())
        save_state(self.folder / name, shapes, arrays, asdict(self.position))

    def resume(self) -> bool:
        """Take up the saved state; a plan that grew goes back to the plateau, before the rate fell."""
        for name in (STATE_FILE, PLATEAU_FILE):
            state = load_state(self.folder / name)
            if state is None:
                continue
            position = PretrainingProgress(**state.position)
            if position.final and not self.plan.decaying(position.step):
                continue
            self._stepper.load((name, value) for name, value in state.arrays() if name[:2] != "a/")
            self._average = {name[2:]: value for name, value in state.arrays() if name[:2] == "a/"}
            self.position = position
            return True
        return False
