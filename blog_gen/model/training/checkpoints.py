"""What of a run is on disk while it lasts: its last two states, and its best weights.

A state is written in the place of the older one, which goes first: the disk never holds three, nor two
and the best weights twice. How often follows from what it costs. Nobody waits for the disk to have it: a
power cut that comes before it has finds a damaged file, which its checksum tells, and the state before it,
which by then is on the disk for certain.
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
from blog_gen.model.training.backend import Stepper
from blog_gen.model.training.outcome import TrainingProgress
from blog_gen.model.training.state import State, load_state, save_state

STATE_FILES = ("state-0.safetensors", "state-1.safetensors")  # in turn: one damaged, there is the one before
BEST_FILE = "best.safetensors"

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
    """Those of the run `identity` in `folder`."""

    def __init__(self, folder: Path, identity: str) -> None:
        self.folder, self._identity = folder, identity
        self._saves = 0

    def save(self, stepper: Stepper, position: TrainingProgress) -> None:
        """Write a state in the older one's place; the best weights it speaks of are written already."""
        path = self.make_room()
        about = asdict(position) | {"identity": self._identity}
        save_state(path, stepper.shapes(), stepper.arrays(), about, synced=False)
        self._saves += 1

    def make_room(self) -> Path:
        """Give up the older of two states, once the other is on the disk for certain; where it was."""
        older, newer = (self.folder / STATE_FILES[(self._saves + turn) % 2] for turn in (0, 1))
        sync(newer)
        older.unlink(missing_ok=True)
        return older

    def save_best(self, stepper: Stepper, step: int) -> None:
        """Keep the weights of now on disk, where they take no memory, in place of the best so far."""
        self.make_room()
        shapes = {name: shape for name, shape in stepper.shapes().items() if name.startswith("w/")}
        arrays = ((name, value) for name, value in stepper.arrays() if name in shapes)
        save_state(self.folder / BEST_FILE, shapes, arrays, {"identity": self._identity, "step": step})

    def best(self) -> Arrays:
        """The best weights, read as they are asked for; none where none were kept."""
        state = load_state(self.folder / BEST_FILE)
        if state is None:
            return {}
        found = {name.removeprefix("w/"): stored for name, stored in state.tensors.items()}
        return LazyArrays({name: each.shape for name, each in found.items()}, lambda name: found[name].read())

    def resume(self, stepper: Stepper, note: Callable[[Note], None]) -> TrainingProgress | None:
        """Load the last state that is whole; where it stood, or None. `note` hears of damage."""
        found = [(number, self._whole(name, note)) for number, name in enumerate(STATE_FILES)]
        ours = [(state.position["step"], number, state) for number, state in found if state is not None]
        best = self._whole(BEST_FILE, note)
        for _, number, state in sorted(ours, key=lambda each: -each[0]):
            if state.position["best_step"] and best is None:
                continue  # what it found best is lost
            del state.position["identity"]
            stepper.load(state.arrays())
            self._saves = number + 1
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
