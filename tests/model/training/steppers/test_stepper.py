"""What a stepper holds in memory, and gives back."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from objectives import One
from side_by_side import called

from blog_gen.model.allocation import trim
from blog_gen.model.arrays import Arrays
from blog_gen.model.quiet import quiet

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/statm").exists(), reason="Linux tells what is resident there"
)
quiet()
import keras  # noqa: E402

from blog_gen.model.training.optimizers import Optimizer  # noqa: E402
from blog_gen.model.training.steppers.stepper import Stepper, make_stepper  # noqa: E402

SIDE = 2048
SIZE = 4 * SIDE * SIDE  # bytes of a matrix
BATCH: Arrays = {"x": np.ones((1, SIDE), np.float32)}


@keras.ops.custom_gradient  # type: ignore[untyped-decorator]
def _squared(x: Any) -> Any:
    return x * x, lambda upstream: 2 * x * upstream


def _loss(weights: dict[str, Any], batch: dict[str, Any]) -> Any:
    hidden = _squared(batch["x"] @ keras.ops.cast(weights["learned"], "float32"))
    return keras.ops.mean(hidden @ keras.ops.cast(weights["frozen"], "float32"))


def _begun() -> Stepper:
    """After a step in one part, one in two and a measurement."""
    learned, frozen = ({name: np.full((SIDE, SIDE), 1e-3, np.float32)} for name in ("learned", "frozen"))
    made = make_stepper(learned, Optimizer(), One(_loss), frozen, "float32")
    made.train([BATCH], 1e-3, 1)
    made.train([BATCH, BATCH], 1e-3, 2)
    made.losses([BATCH])
    return made


def _training_ends() -> None:
    stepper = _begun()
    before, loss = _resident(), stepper.losses([BATCH])
    stepper.end_training()
    assert before - _resident() > 2.5 * SIZE  # two averages and the sums of gradients
    assert set(stepper.shapes()) == {"w/learned"}
    assert stepper.losses([BATCH]) == loss
    stepper.load({"w/learned": np.zeros((SIDE, SIDE), np.float32)}.items())
    assert stepper.losses([BATCH]) == [0.0]


def _all_ends() -> None:
    stepper = _begun()
    before = _resident()
    stepper.close()
    assert before - _resident() > 4.5 * SIZE  # the weights, frozen ones, averages and sums


def _resident() -> int:
    """Bytes of this process in memory, for Linux."""
    trim()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_what_only_training_needs_is_given_back_before_the_rest(tmp_path: Path) -> None:
    _holds(_training_ends, tmp_path)


def test_all_is_given_back_though_tensorflow_keeps_the_graph(tmp_path: Path) -> None:
    _holds(_all_ends, tmp_path)


def _holds(law: Callable[[], None], folder: Path) -> None:
    """In a process of its own: what other tests left in the heap says nothing of this one."""
    [ended] = called(folder, law)
    assert ended.code == 0, ended.said


def test_an_array_that_was_read_stays_as_it_was() -> None:
    learned = {"learned": np.ones((SIDE, 8), np.float32)}
    made = make_stepper(learned, Optimizer(), One(_halved), {}, "float32")
    held = dict(made.arrays())
    before = {name: value.copy() for name, value in held.items()}
    made.train([BATCH], 1e-3, 1)
    made.train([BATCH, BATCH], 1e-3, 2)
    assert all(np.array_equal(held[name], before[name]) for name in held)
    assert not any(np.array_equal(value, before[name]) for name, value in made.arrays())


@pytest.mark.parametrize("parts", [1, 2])
def test_one_that_was_closed_begins_anew_with_the_same_bits(parts: int) -> None:
    def learned(start: float) -> tuple[Stepper, Arrays]:
        shape = (SIDE, 8)
        made = make_stepper(
            {"learned": np.full(shape, start, np.float32)},
            Optimizer(),
            One(_loss),
            {"frozen": np.full((8, 8), start, np.float32)},
        )
        for step in (1, 2):
            made.train([BATCH] * parts, 1e-3, step)
        return made, {**dict(made.arrays()), "loss": np.array(made.losses([BATCH]))}

    first, other = learned(1e-3), learned(2e-3)
    kept = {name: value.copy() for name, value in first[1].items()}
    assert first[0] is not other[0]  # both are in use
    for stepper, _ in (first, other, first):  # once is enough
        stepper.close()
    again, more = learned(1e-3), learned(1e-3)
    assert {again[0], more[0]} == {first[0], other[0]}
    for arrays in (again[1], more[1]):
        assert all(np.array_equal(arrays[name], kept[name]) for name in kept)


def _halved(weights: dict[str, Any], batch: dict[str, Any]) -> Any:
    return keras.ops.mean(batch["x"] @ keras.ops.cast(weights["learned"], "float32")) / 2
