"""Changes to a site's files that a person sees first and can take back.

Knows text files and what was done to them; nothing of Jekyll or YAML. What was done is written down in
`.blog_gen/init.json` before it is done, so a killed `init` can be undone too.
"""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from blog_gen.config.settings import STATE_FOLDER
from blog_gen.errors import BlogGenError, Note
from blog_gen.files import parse_json, unwritable, write_json, write_text
from blog_gen.site.setup.hunks import shown, taken_back

RECORD = "init.json"


@dataclass(frozen=True)
class Change:
    """One file to be made or added to, and why."""

    path: Path  # relative to the site
    before: str | None  # None: the file is new
    after: str
    why: str

    def diff(self) -> str:
        """The change as a unified diff, with line ends as `\\n`."""
        old = "/dev/null" if self.before is None else f"a/{self.path.as_posix()}"
        lines = difflib.unified_diff(
            (self.before or "").splitlines(),
            self.after.splitlines(),
            old,
            f"b/{self.path.as_posix()}",
            lineterm="",
        )
        return "".join(f"{line}\n" for line in lines)


def text_of(path: Path) -> str | None:
    """A file's text with its line ends as they are, or None where there is no file.

    Raises:
        BlogGenError: it is not UTF-8, or cannot be read.
    """
    try:
        return path.read_bytes().decode()
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as error:
        raise BlogGenError("text files must be UTF-8", got=str(error), path=path) from error
    except OSError as error:
        raise BlogGenError("the file could not be read", got=error.strerror, path=path) from error


def apply(site: Path, changes: Sequence[Change], ask: Callable[[Change], bool]) -> list[Change]:
    """Make those of the `changes` that `ask` says yes to; returns what was made.

    Raises:
        BlogGenError: a file changed since the plan was made, or cannot be written.
    """
    made: list[Change] = []
    for change in changes:
        if not ask(change):
            continue
        path = site / change.path
        if text_of(path) != change.before:
            raise BlogGenError(
                "the file changed while you were asked", fix="Run the same command again", path=path
            )
        entry = {
            "path": change.path.as_posix(),
            "before": change.before,
            "after": _digest(change.after),
            "text": change.after,
            "folders": _new_folders(site, change.path),
        }
        _write_record(site, [*_read_record(site), entry])
        write_text(path.resolve(), change.after)
        made.append(change)
    return made


def undo(site: Path) -> tuple[list[Path], list[Note]]:
    """Take back, newest first, what `apply` did, and nothing that was edited since: of that there is a Note.

    Returns:
        The files put back or removed, relative to the site, and what was left.
    """
    undone: list[Path] = []
    left: list[dict[str, Any]] = []
    notes: list[Note] = []
    for entry in reversed(_read_record(site)):
        path, before = site / entry["path"], entry["before"]
        current = text_of(path)
        if current is not None and current != before:
            wanted, kept = _without_ours(entry, current)
            if wanted != current:
                _put_back(path, wanted)
                undone.append(Path(entry["path"]))
            if kept:
                left.insert(0, entry)
                rule = f"lines edited since then stay: {shown(kept)}"
                notes.append(Note(path, rule, "remove by hand what you do not want"))
                continue
        for folder in entry["folders"]:
            with suppress(OSError):  # no longer empty: it is the user's now
                (site / folder).rmdir()
    _write_record(site, left)
    return undone, notes


def _without_ours(entry: Mapping[str, Any], current: str) -> tuple[str | None, list[str]]:
    """The text as it would be had `apply` not been (None: no file), and which of its lines must stay."""
    if _digest(current) == entry["after"]:
        return entry["before"], []
    if entry["before"] is None or "text" not in entry:
        return current, current.splitlines()[:1]
    return taken_back(entry["before"], entry["text"], current)


def remains(site: Path) -> Note | None:
    """That the state folder is there still, and how large it is."""
    folder = site / STATE_FOLDER
    if not folder.is_dir():
        return None
    size = sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_dir())
    unit, number = ("GB", size / 1e9) if size >= 1e9 else ("MB", size / 1e6)
    rule = f"trained runs and rejected drafts are still here, {number:.1f} {unit}"
    return Note(folder, rule, "remove the folder by hand if you no longer want them")


def _put_back(path: Path, before: str | None) -> None:
    if before is not None:
        write_text(path.resolve(), before)
        return
    try:
        path.unlink()
    except OSError as error:
        raise unwritable(path, error) from error


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _new_folders(site: Path, path: Path) -> list[str]:
    """The folders that writing `path` will make, innermost first."""
    return [folder.as_posix() for folder in path.parents if not (site / folder).exists()]


def _read_record(site: Path) -> list[dict[str, Any]]:
    path = site / STATE_FOLDER / RECORD
    text = text_of(path)
    if text is None:
        return []
    try:
        record: list[dict[str, Any]] = parse_json(text)
    except ValueError as error:
        raise BlogGenError("the record of `init` is damaged", got=str(error), path=path) from error
    return record


def _write_record(site: Path, record: list[dict[str, Any]]) -> None:
    """The record, or neither it nor an empty state folder when nothing is left in it."""
    path = site / STATE_FOLDER / RECORD
    if record:
        write_json(path, record)
        return
    path.unlink(missing_ok=True)
    with suppress(OSError):
        path.parent.rmdir()
