"""How tests call the real command: in a process of its own, by a clock that they set.

`call` forks that process from one that has imported TensorFlow and done nothing else, which saves seconds of
each; `command` is the line for those that want all of it, from the interpreter on.
"""

from __future__ import annotations

import importlib
import multiprocessing
import os
import pkgutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import blog_gen

DAY = "2026-03-05"
NOW = f"{DAY}T12:00:00+00:00"
LONGEST = 300  # seconds that a command may take
Done = subprocess.CompletedProcess[str]
Run = Callable[..., Done]

PROCESSES = multiprocessing.get_context("forkserver")
_OWN = [module.name for module in pkgutil.walk_packages(blog_gen.__path__, "blog_gen.")]
PROCESSES.set_forkserver_preload(["__main__", "tensorflow", "keras", *_OWN])


def command(words: Sequence[str]) -> list[str]:
    return [sys.executable, "-m", "blog_gen.cli", *words]


def environment(now: str = NOW) -> dict[str, str]:
    return {**os.environ, "BLOG_GEN_NOW": now}


def call(site: Path, *words: str, code: int | None = 0, now: str | None = NOW, **variables: str) -> Done:
    """`blog-gen` with `words` in the folder `site`, to its end.

    Args:
        code: the exit code that it must have; None: any.
        now: its clock; None: the real one.
        variables: of its environment, beside those of this process.
    """
    clock = {} if now is None else {"BLOG_GEN_NOW": now}
    with tempfile.TemporaryDirectory() as folder:
        streams = [Path(folder, name) for name in ("out", "err")]
        process = PROCESSES.Process(
            target=_said_into, args=(streams, words, site, {**os.environ, **clock, **variables})
        )
        process.start()
        process.join(LONGEST)
        process.kill()
        out, err = (path.read_text(encoding="utf-8") for path in streams)
    ended = process.exitcode
    assert ended is not None, f"{words} did not end: {out}{err}"
    assert "Traceback" not in err, err
    assert code is None or ended == code, f"{words}: {out}{err}"
    return subprocess.CompletedProcess(command(words), ended, out, err)


def say_into(out: Path, errors: Path) -> None:
    """Send what this process says there, perhaps to one file."""
    for number, path in enumerate((out, errors), start=1):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND), number)


def _said_into(streams: Sequence[Path], *command: Any) -> None:
    say_into(*streams)
    become(*command)


def become(words: Sequence[str], site: Path, variables: Mapping[str, str]) -> None:
    """Be that command from here on."""
    os.environ.clear()
    os.environ.update(variables)
    time.tzset()
    os.chdir(site)
    sys.argv = ["blog-gen", *words]
    from blog_gen.cli import main

    as_fast_as_ever(setattr)
    main()


def as_fast_as_ever(put: Callable[[object, str, object], None]) -> None:
    """Know at once how fast this machine is, which the command would try out; `put` is `setattr`, or like it.

    How often it computes something meanwhile decides the numbers in the names of TensorFlow's functions, and
    by these XLA finds what it has compiled before.
    """
    machine = importlib.import_module("blog_gen.model.training.machine")
    put(machine, "product_rate", lambda dtype: 1e11)
    put(machine, "bandwidth", lambda: 1e10)
