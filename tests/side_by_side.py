"""Several `blog-gen` at once, each a process of its own that begins where TensorFlow is imported."""

from __future__ import annotations

import importlib
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from calling import PROCESSES, become


@dataclass(frozen=True)
class Command:
    """`blog-gen` with `words` in the folder `at`.

    Args:
        signals: what the process gets before it computes a step, by the number of that.
        versions: of packages, in place of their own.
    """

    words: Sequence[str]
    at: Path
    signals: Mapping[int, int] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Ended:
    code: int
    said: str

    @property
    def steps(self) -> list[int]:
        """Those that it began to compute."""
        return [int(step) for step in re.findall(r"^step (\d+)$", self.said, re.MULTILINE)]


def run(folder: Path, *commands: Command, seconds: float = 120) -> list[Ended]:
    """All of them at once, to their ends; what they say is kept in `folder` meanwhile."""
    logs = [folder / f"said-{number}.txt" for number in range(len(commands))]
    running = [PROCESSES.Process(target=_become, args=each) for each in zip(commands, logs, strict=True)]
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


def _become(command: Command, log: Path) -> None:
    for package, version in command.versions.items():
        importlib.import_module(package).__version__ = version  # type: ignore[attr-defined]
    _send_to_itself(command.signals)
    become(command.words, command.at, dict(os.environ), (log, log))


def _send_to_itself(signals: Mapping[int, int]) -> None:
    training: Any = importlib.import_module("blog_gen.model.training.training")
    make = training.make_stepper

    def making(*arguments: Any) -> Any:
        stepper: Any = make(*arguments)
        train = stepper.train

        def signalled(batches: Any, rate: float, step: int) -> Any:
            print(f"step {step}", flush=True)
            if step in signals:
                os.kill(os.getpid(), signals[step])
            return train(batches, rate, step)

        stepper.train = signalled
        return stepper

    training.make_stepper = making
