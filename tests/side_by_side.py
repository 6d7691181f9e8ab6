"""Several at once, each in a process of its own that begins where TensorFlow is imported."""

from __future__ import annotations

import importlib
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from calling import PROCESSES, become, say_into
from hosts import Host


@dataclass(frozen=True)
class Command:
    """`blog-gen` with `words` in the folder `at`.

    Args:
        before: what happens in the process before it computes a step, by the number of that.
        attributes: of modules, by their dotted names, in place of their own.
        host: where it runs; None: where the test does.
    """

    words: Sequence[str]
    at: Path
    before: Mapping[int, Callable[[], object]] = field(default_factory=dict)
    attributes: Mapping[str, object] = field(default_factory=dict)
    host: Host | None = None


@dataclass(frozen=True)
class Ended:
    code: int
    said: str

    @property
    def steps(self) -> list[int]:
        """Those that it began to compute."""
        return [int(step) for step in re.findall(r"^step (\d+)$", self.said, re.MULTILINE)]


def run(folder: Path, *commands: Command) -> list[Ended]:
    """All of them at once, to their ends."""
    return called(folder, *(partial(_become, command) for command in commands))


def called(folder: Path, *calls: Callable[[], object], seconds: float = 120) -> list[Ended]:
    """Each in a process of its own, at once, to their ends; what they say is kept in `folder` meanwhile."""
    logs = [folder / f"said-{number}.txt" for number in range(len(calls))]
    running = [PROCESSES.Process(target=_call, args=each) for each in zip(calls, logs, strict=True)]
    try:
        for process in running:
            process.start()
        for process in running:
            process.join(seconds)
        said = [log.read_text() for log in logs]
        assert all(process.exitcode is not None for process in running), said
    finally:
        for process in running:
            process.kill()
    codes = [process.exitcode or 0 for process in running]
    return [Ended(code, text) for code, text in zip(codes, said, strict=True)]


def _call(call: Callable[[], object], log: Path) -> None:
    say_into(log, log)
    call()


def _become(command: Command) -> None:
    if command.host is not None:
        command.host.enter()
    for name, value in command.attributes.items():
        module, _, attribute = name.rpartition(".")
        setattr(importlib.import_module(module), attribute, value)
    _watch_steps(command.before)
    become(command.words, command.at, dict(os.environ))


def _watch_steps(before: Mapping[int, Callable[[], object]]) -> None:
    """Say each step that is computed, and let happen what is to happen before it."""
    training: Any = importlib.import_module("blog_gen.model.training.training")
    make = training.make_stepper

    def making(*arguments: Any) -> Any:
        stepper: Any = make(*arguments)
        train = stepper.train

        def watched(batches: Any, rate: float, step: int) -> Any:
            print(f"step {step}", flush=True)
            before.get(step, int)()
            return train(batches, rate, step)

        stepper.train = watched
        return stepper

    training.make_stepper = making
