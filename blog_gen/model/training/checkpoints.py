"""What of a run is on disk while it lasts: two states, and nothing else.

One is the best so far, whose weights are the best weights; before there is a best one it is the last. It
stays. The other one is given up before the next state is written, so that the disk never holds three. How
often follows from what it costs. Nobody waits for the disk to have it: a power cut that comes before it has
finds a damaged file, which its checksum tells, and the state that stayed, which by then is on the disk for
certain. From there the same steps are made again.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from blog_gen.errors import ModelError, Note
from blog_gen.files import sync
from blog_gen.model.arrays import Arrays, LazyArrays
from blog_gen.model.stopping import NEVER
from blog_gen.model.training.outcome import TrainingProgress
from blog_gen.model.training.state import State, load_state, save_state
from blog_gen.model.training.steppers.stepper import Stepper

STATE_FILES = ("state-0.safetensors", "state-1.safetensors")  # in turn: one damaged, there is the one before

SAVING_SHARE = 0.03  # of the time, at most, goes into states
SOONEST = 20.0  # seconds from one state to the next, at least
BYTES_A_SECOND = 4 << 20  # written to the disk at most, on average: 240 MiB a minute


@dataclass
class SaveTimer:
    """When the next state is due: the dearer, the later."""

    size: int  # bytes of a state
    clock: Callable[[], float] = time.monotonic
    least: float = SOONEST
    cost: float = 0.0  # seconds that the last one took

    def __post_init__(self) -> None:
        self._last = self.clock()

    @property
    def interval(self) -> float:
        """Seconds from the end of one save to the next.

        >>> SaveTimer(size=100 << 20).interval, SaveTimer(1400 << 20, cost=6).interval
        (25.0, 350.0)
        """
        if not self.least:
            return 0.0
        return max(self.least, self.cost / SAVING_SHARE, self.size / BYTES_A_SECOND)

    def due(self) -> bool:
        return self.clock() - self._last > self.interval

    def time(self, save: Callable[[], None]) -> None:
        """Do it, and remember what it took."""
        began = self.clock()
        save()
        self._last = self.clock()
        self.cost = self._last - began


class Checkpoints:
    """Those of the run `identity` in `folder`, whose arrays are in `stepper`."""

    def __init__(self, folder: Path, identity: str, stepper: Stepper) -> None:
        self.folder, self._identity, self._stepper = folder, identity, stepper
        self.timer = SaveTimer(state_bytes(stepper.shapes()))
        self.stop = NEVER  # hears whether there is something to save
        self.saved = False  # whether the state on disk is the one that the run is in
        self._stays = 0  # which of STATE_FILES does

    def save(self, position: TrainingProgress) -> None:
        """Write all that a resume needs."""
        self.timer.time(lambda: self._write(position))
        self.note_saved(True)

    def save_rest(self, position: TrainingProgress) -> None:
        """Save what is not on disk yet."""
        if not self.saved:
            self.save(position)

    def save_if_due(self, position: TrainingProgress) -> None:
        if self.timer.due():
            self.save_rest(position)

    def note_saved(self, saved: bool) -> None:
        self.saved = saved
        self.stop.unsaved(not saved)

    def _write(self, position: TrainingProgress) -> None:
        """Write a state in the place of the one that does not stay."""
        path = self.make_room()
        about = asdict(position) | {"identity": self._identity}
        save_state(path, self._stepper.shapes(), self._stepper.arrays(), about, synced=False)
        if position.best_step in (0, position.step):
            self._stays = STATE_FILES.index(path.name)

    def make_room(self) -> Path:
        """Give up the state that does not stay, once the other is on the disk for certain; where it was."""
        stays, other = (self.folder / STATE_FILES[(self._stays + turn) % 2] for turn in (0, 1))
        sync(stays)
        other.unlink(missing_ok=True)
        return other

    def best(self) -> Arrays:
        """The weights of the state that stays, read as they are asked for."""
        state = load_state(self.folder / STATE_FILES[self._stays])
        assert state is not None, "it was saved"
        found = {name[2:]: stored for name, stored in state.tensors.items() if name.startswith("w/")}
        return LazyArrays({name: each.shape for name, each in found.items()}, lambda name: found[name].read())

    def resume(self, note: Callable[[Note], None]) -> TrainingProgress | None:
        """Load the last state that is whole; where it stood, or None. `note` hears of damage."""
        found = {number: self._whole(name, note) for number, name in enumerate(STATE_FILES)}
        at = {state.position["step"]: (number, state) for number, state in found.items() if state}
        for step, (_, state) in sorted(at.items(), reverse=True):
            best = state.position["best_step"] or step
            if best not in at:
                continue  # what it found best is lost
            del state.position["identity"]
            self._stepper.load(state.arrays())
            self._stays, self.saved = at[best][0], True
            return TrainingProgress(**state.position)
        return None

    def _whole(self, name: str, note: Callable[[Note], None]) -> State | None:
        try:
            state = load_state(self.folder / name)
        except ModelError as error:
            note(Note(self.folder / name, error.rule, "it is ignored"))
            return None
        return state if state is not None and state.position.get("identity") == self._identity else None


def state_bytes(shapes: Mapping[str, tuple[int, ...]]) -> int:
    """Of a state on disk: every trained weight and its averages, float32."""
    return 4 * sum(math.prod(shape) for shape in shapes.values())
