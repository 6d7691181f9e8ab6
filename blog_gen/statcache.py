"""What was found out about files, kept for as long as none of them is added, moved, changed or removed.

A file counts as unchanged while its size, inode number and both of its times are what they were, as in git's
index; names of links count with where they lead. The rule for "racy" files is git's, too: a file as new as
the look at it may change once more at the same tick of the clock, so nothing is kept of one.

Knows nothing of posts.
"""

from __future__ import annotations

import hashlib
import marshal
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from blog_gen import __version__
from blog_gen.errors import BlogGenError
from blog_gen.files import read_json, write_json

_TICK = 2_000_000_000  # nanoseconds; FAT's clock is the coarsest


_Row = tuple[str, str, int, int, int, int, int]
"""A file's path in its folder, where it leads to, its mode, size, inode number and times in nanoseconds."""


class StatCache:
    """One look at the files whose names end in `ends`, and the values of earlier ones, by name.

    Args:
        path: the file of the values; it is only written where its folder is there.
        ends: in lower case.
        clock: the time at which a file in a folder would be changed now, in nanoseconds.
    """

    def __init__(self, path: Path, ends: tuple[str, ...], clock: Callable[[Path], int] | None = None) -> None:
        self._path, self._ends, self._clock = path, ends, clock or disk_clock
        self._seen: dict[str, tuple[str, int]] = {}  # by the real path of the folder

    def kept(self, name: str, folders: Iterable[Path], depends_on: object, find: Callable[[], Any]) -> Any:
        """What `find` says, or said when all was as it is at this look.

        Args:
            folders: all below them counts, but for what is behind links to folders.
            depends_on: whatever else the value depends on; it counts as its `repr`.
            find: gives a value that JSON holds. It reads those files, and others only as `depends_on` says.
        """
        places = [os.path.realpath(folder) for folder in folders]
        depends_on = (__version__, name, depends_on, self._ends)
        record = self._known().get(name)
        if record and record["check"] == _digest(depends_on, self._look(places), record["value"]):
            return record["value"]
        moment = self._clock(self._path.parent)
        self._seen.clear()
        listing = self._look(places)
        value = find()
        if all(newest < moment - _TICK for _, newest in listing):
            self._keep(name, {"value": value, "check": _digest(depends_on, listing, value)})
        return value

    def _look(self, folders: list[str]) -> list[tuple[str, int]]:
        """Of each folder a SHA-256 over its files, and the newest of their times, in nanoseconds."""
        for folder in folders:
            if folder not in self._seen:
                rows = sorted(_rows(folder, "", self._ends))
                newest = max((time for row in rows for time in row[-2:]), default=0)
                self._seen[folder] = hashlib.sha256(marshal.dumps(rows)).hexdigest(), newest
        return [self._seen[folder] for folder in folders]

    def _known(self) -> dict[str, dict[str, Any]]:
        with suppress(OSError, ValueError):
            found = read_json(self._path)
            if isinstance(found, dict):
                return {
                    name: record
                    for name, record in found.items()
                    if isinstance(record, dict) and {"value", "check"} <= set(record)
                }
        return {}

    def _keep(self, name: str, record: dict[str, Any]) -> None:
        """With what another process may have kept since; of two at one instant, one is found again."""
        with suppress(BlogGenError):  # a read-only site takes its time
            write_json(self._path, {**self._known(), name: record})


def disk_clock(folder: Path) -> int:
    """The time by the clock of the disk, in nanoseconds; 0, before all files, where it keeps nothing."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            return os.fstat(file.fileno()).st_mtime_ns
    except OSError:
        return 0


def _digest(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode("utf-8", "surrogatepass")).hexdigest()


def _rows(folder: str, within: str, ends: tuple[str, ...]) -> Iterator[_Row]:
    try:
        with os.scandir(folder) as found:
            for entry in found:
                if entry.is_dir(follow_symlinks=False):
                    yield from _rows(entry.path, f"{within}{entry.name}/", ends)
                elif entry.name.lower().endswith(ends):
                    yield _row(entry, within + entry.name)
    except OSError:
        return  # nobody reads anything there


def _row(entry: os.DirEntry[str], name: str) -> _Row:
    leads_to = os.path.realpath(entry.path) if entry.is_symlink() else ""
    try:
        stat = entry.stat()
    except OSError as error:
        return name, leads_to, -(error.errno or 0), 0, 0, 0, 0
    return name, leads_to, stat.st_mode, stat.st_size, stat.st_ino, stat.st_mtime_ns, stat.st_ctime_ns
