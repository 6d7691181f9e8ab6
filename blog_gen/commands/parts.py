"""Candidates of `generate` in parts: sampled by several processes, or elsewhere and read from files."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from blog_gen.commands.options import options
from blog_gen.errors import DraftError, UsageError

if TYPE_CHECKING:
    from blog_gen.drafting.parts import Part

part_options = options(
    click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path)),
    click.option(
        "--processes", type=click.IntRange(1), default=1, metavar="N", help="Sample in so many processes."
    ),
    click.option("--part", metavar="K/N", help="Only sample, and only the Kth of N parts; with --output."),
    click.option(
        "--output", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Where --part goes."
    ),
    click.option("--from", "judge", is_flag=True, help="Judge the parts in FILES, and write the drafts."),
)


@dataclass(frozen=True)
class PartOptions:
    """What `part_options` were given."""

    files: tuple[Path, ...]
    processes: int
    part: str | None
    output: Path | None
    judge: bool


def taken_from(given: dict[str, Any]) -> PartOptions:
    """The parameters of `part_options`, which are no settings, out of all that were `given`.

    Raises:
        UsageError: they make no sense together; says which.
    """
    found = PartOptions(**{field.name: given.pop(field.name) for field in fields(PartOptions)})
    if found.judge != bool(found.files):
        raise UsageError(
            "--from takes the files that --part has written",
            got="none" if found.judge else "files without it",
        )
    if (found.part is None) != (found.output is None):
        raise UsageError("--part and --output need each other")
    if (found.part is not None) + found.judge + (found.processes > 1) > 1:
        raise UsageError("only one of --processes, --part and --from can be used")
    return found


def part_of(text: str) -> Part:
    """`K/N`.

    Raises:
        UsageError: it is not of that form, or K not from 1 to N.
    """
    from blog_gen.drafting.parts import Part

    found = re.fullmatch(r"(\d{1,4})/(\d{1,4})", text)
    if found is None or not 1 <= int(found[1]) <= int(found[2]):
        raise UsageError(
            "--part must be K/N with K from 1 to N", got=repr(text), fix="Write 1/2, and 2/2 elsewhere"
        )
    return Part(int(found[1]), int(found[2]))


@contextmanager
def sampled_in(processes: int) -> Iterator[list[Path]]:
    """The files of all parts, each sampled by this very command in a process of its own.

    Raises:
        DraftError: one failed; says why.
    """
    words = _without_processes(sys.argv[1:])
    with tempfile.TemporaryDirectory(prefix="blog-gen-") as folder:
        files = [Path(folder, f"part-{number}.json") for number in range(1, processes + 1)]
        running = []
        try:
            for number, file in enumerate(files, 1):
                own = [*words, "--part", f"{number}/{processes}", "--output", str(file)]
                running.append(_started(own, number - 1, processes))
            for process in running:
                said = process.communicate()[1]
                if process.returncode:
                    raise DraftError("a process that samples failed", got=said.strip().rpartition("\n")[2])
        finally:
            for process in running:
                process.kill()
                process.wait()
        yield files


def _started(words: list[str], number: int, processes: int) -> subprocess.Popen[str]:
    """This command with other `words`, on its share of the processors."""
    command = [sys.executable, "-m", "blog_gen.cli", *words]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if hasattr(os, "sched_setaffinity"):
        allowed = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(process.pid, allowed[number::processes] or allowed)
    return process


def _without_processes(words: list[str]) -> list[str]:
    """
    >>> _without_processes(["generate", "-n", "2", "--processes", "4"]), _without_processes(["--processes=4"])
    (['generate', '-n', '2'], [])
    """
    kept = [word for word in words if not word.startswith("--processes=")]
    if "--processes" in kept:
        at = kept.index("--processes")
        del kept[at : at + 2]
    return kept
