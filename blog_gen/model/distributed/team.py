"""All workers of one training: what the chief calls, all call. TensorFlow connects them and adds up.

A message is one tensor that all add up, to which all but the chief bring zeros; with each comes back whether
somebody pressed Ctrl-C anywhere. So whoever follows knows nothing of blogs, clocks or files.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from blog_gen.errors import ModelError
from blog_gen.model.arrays import Array, Arrays
from blog_gen.model.distributed.cluster import Cluster
from blog_gen.model.distributed.messages import filled, flat, nested, packed, unpacked
from blog_gen.model.training.machine import Machine, this_machine

if TYPE_CHECKING:
    from blog_gen.model.training.steppers.stepper import Stepper

_UNKNOWN = Machine(None, has_bfloat16=False)


class WorkerLostError(ModelError):
    """A worker went away; the state from before is kept."""

    def __init__(self) -> None:
        super().__init__("a worker was lost", fix="Run the same command on all again: it resumes")


@contextmanager
def worker_loss_explained() -> Iterator[None]:
    """What TensorFlow raises when a worker is not there any more, as a `WorkerLostError`."""
    import tensorflow as tf

    errors = tf.errors
    lost = errors.UnavailableError, errors.AbortedError, errors.CancelledError, errors.DeadlineExceededError
    try:
        yield
    except (*lost, errors.FailedPreconditionError, errors.InternalError, errors.UnknownError):
        raise WorkerLostError from None


@dataclass
class Team:
    """This process as one of the workers of `cluster`; `stopping`: whether it was asked to stop."""

    strategy: Any
    cluster: Cluster
    machine: Machine = _UNKNOWN  # all of them as one: the least memory, the speeds together
    stopping: Callable[[], bool] = lambda: False
    stopped: bool = False  # whether any worker was asked to stop
    _add: Any = field(init=False)

    def __post_init__(self) -> None:
        import tensorflow as tf

        def add(value: Any) -> Any:
            return tf.distribute.get_replica_context().all_reduce("SUM", tf.identity(value))

        self._add = tf.function(lambda value: self.strategy.run(add, args=(value,)), autograph=False)

    @property
    def is_chief(self) -> bool:
        return self.cluster.rank == 0

    def interrupted(self) -> bool:
        return self.stopped or self.stopping()

    def sum(self, value: Array) -> Array:
        """What all workers bring, added up: int32 arrays of one shape. All wait for all.

        Raises:
            WorkerLostError: one is not there any more.
        """
        import tensorflow as tf

        mine = self.cluster.rank * self.strategy.num_replicas_in_sync // len(self.cluster.workers)
        with worker_loss_explained():
            dealt = self.strategy.experimental_distribute_values_from_function(
                lambda replica: tf.constant(value * np.int32(replica.replica_id_in_sync_group == mine))
            )
            total: Array = self.strategy.experimental_local_results(self._add(dealt))[0].numpy()
        return total

    def send(self, call: str, about: Mapping[str, Any] | None = None, arrays: Arrays | None = None) -> None:
        """From the chief to all others."""
        message = packed(call, about or {}, arrays or {})
        _, stopped = self.sum(np.array([len(message), self.stopping()], np.int32))
        self.stopped = bool(stopped)
        self.sum(np.frombuffer(message.ljust(filled(len(message))), np.int32))

    def receive(self) -> tuple[str, dict[str, Any], dict[str, Array]]:
        """What the chief sent: a call, its JSON and its arrays."""
        length, stopped = self.sum(np.array([0, self.stopping()], np.int32))
        self.stopped = bool(stopped)
        return unpacked(self.sum(np.zeros(filled(length) // 4, np.int32)).tobytes()[:length])

    def greet(self, about: Mapping[str, Any]) -> list[dict[str, Any]]:
        """What every worker says of itself, in their order; and learn what all their machines can do."""
        text = json.dumps({**about, "machine": asdict(this_machine())})
        mine, workers = self.cluster.rank, len(self.cluster.workers)
        lengths = self.sum(np.where(np.arange(workers) == mine, len(text), 0).astype(np.int32))
        longest = filled(int(lengths.max()))
        rows = np.zeros((workers, longest // 4), np.int32)
        rows[mine] = np.frombuffer(text.encode().ljust(longest), np.int32)
        found = [json.loads(row.tobytes()) for row in self.sum(rows)]
        machine = together([Machine(**each.pop("machine")) for each in found])
        self.machine = replace(machine, replicas=self.strategy.num_replicas_in_sync)
        return found

    def follow(self, make: Callable[[Mapping[str, Any]], Stepper]) -> str:
        """Make every call that the chief makes until it ends; why it ended before its time, if it did.

        Args:
            make: a stepper like the chief's, from what that says of it.

        Raises:
            WorkerLostError: one is not there any more.
        """
        stepper: Any = None
        while True:
            call, about, arrays = self.receive()
            with worker_loss_explained():
                if call == "end":
                    self._part()
                    return str(about["why"])
                if call == "begin":
                    stepper = make(about)
                elif call == "load":
                    stepper.load(arrays.items())
                elif call == "train":
                    stepper.train(nested(arrays), about["rate"], about["step"])
                elif call == "end_training":
                    stepper.end_training()
                elif call == "close":
                    stepper.close()
                else:
                    stepper.losses(nested(arrays))

    def end(self, why: str) -> None:
        """Let the chief's others go, and wait until they have heard it."""
        if not self.is_chief:
            return
        with suppress(WorkerLostError):
            self.send("end", {"why": why})
            self._part()

    def _part(self) -> None:
        with suppress(WorkerLostError):  # they are gone: that is what was waited for
            self.sum(np.zeros(1, np.int32))


@dataclass
class SharedStepper:
    """The chief's stepper, whose calls all workers make: a `Stepper`."""

    own: Stepper
    team: Team
    stale: set[str] = field(default_factory=set)  # names of arrays that the others have otherwise

    def train(self, batches: Sequence[Arrays], rate: float, step: int) -> tuple[float, float]:
        self._hand_over("")
        self.team.send("train", {"rate": rate, "step": step}, flat(batches))
        with worker_loss_explained():
            return self.own.train(batches, rate, step)

    def losses(self, batches: Sequence[Arrays]) -> list[float]:
        self._hand_over("w/")
        self.team.send("losses", {}, flat(batches))
        with worker_loss_explained():
            return self.own.losses(batches)

    def predict(self, batch: Arrays) -> Array:
        return self.own.predict(batch)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        return self.own.shapes()

    def arrays(self) -> Iterator[tuple[str, Array]]:
        return self.own.arrays()

    def load(self, arrays: Iterable[tuple[str, Array]]) -> None:
        """Load here; the others are given what they need of it when they need it."""

        def noted() -> Iterator[tuple[str, Array]]:
            for name, value in arrays:
                self.stale.add(name)
                yield name, value

        self.own.load(noted())

    def end_training(self) -> None:
        self.team.send("end_training", {})
        self.own.end_training()

    def close(self) -> None:
        self.team.send("close", {})
        self.own.close()

    def _hand_over(self, kind: str) -> None:
        """What was loaded, of names that begin with `kind`, an array at a time."""
        if any(name.startswith(kind) for name in self.stale):
            for name, value in self.own.arrays():
                if name in self.stale and name.startswith(kind):
                    self.team.send("load", {}, {name: value})
                    self.stale.remove(name)


def together(machines: Sequence[Machine]) -> Machine:
    """Several machines as one.

    >>> together([Machine(8 << 30, True, 2e11), Machine(4 << 30, False, 1e11)])
    Machine(memory=4294967296, has_bfloat16=False, flops=300000000000.0, replicas=1, bandwidth=None)
    """
    memory = [each.memory for each in machines if each.memory is not None]
    return Machine(
        min(memory, default=None),
        all(each.has_bfloat16 for each in machines),
        _total([each.flops for each in machines]),
        bandwidth=_total([each.bandwidth for each in machines]),
    )


def _total(rates: Sequence[float | None]) -> float | None:
    known = [rate for rate in rates if rate is not None]
    return sum(known) if len(known) == len(rates) else None
