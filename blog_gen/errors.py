"""What can go wrong, said once and in one form.

Every error a user can cause is a `BlogGenError`: it states the rule, what arrived, what to do, and the
path. `cli` turns it into one line on standard error and an exit code; nothing else catches it to print.
A `Note` is the same line for what was mended or left out while the rest went on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path


class BlogGenError(Exception):
    """A failure that is explained: `PATH: RULE; got WHAT. FIX`."""

    exit_code = 1

    def __init__(
        self, rule: str, *, got: object = None, fix: str | None = None, path: Path | str | None = None
    ) -> None:
        self.rule, self.got, self.fix, self.path = rule, got, fix, path
        super().__init__(self._sentence())

    def _sentence(self) -> str:
        where = f"{self.path}: " if self.path is not None else ""
        arrived = f"; got {self.got}" if self.got is not None else ""
        remedy = f". {self.fix}" if self.fix else ""
        return f"{where}{self.rule}{arrived}{remedy}"


class UsageError(BlogGenError):
    """The command was called with words or values that make no sense together."""

    exit_code = 2


class ConfigError(BlogGenError):
    """`_config.yml` cannot be read, or holds a setting that is unknown or of the wrong type."""


class ArticleError(BlogGenError):
    """A post cannot be read, or there are none to learn from."""


class DraftError(BlogGenError):
    """A generated post cannot be written, read back or found."""


class ModelError(BlogGenError):
    """A model folder, checkpoint or sampler is missing, damaged or does not fit."""


class CorpusError(BlogGenError):
    """Training text is missing or cannot be used."""


class SamplingError(BlogGenError):
    """A prompt or a sampling option is out of range."""


class RejectedError(BlogGenError):
    """Every candidate was rejected; `report` says why, one line a candidate."""

    def __init__(self, rule: str, *, report: str, fix: str | None = None) -> None:
        self.report = report
        super().__init__(rule, fix=fix)


class BusyError(BlogGenError):
    """Another process holds the lock."""


@dataclass(frozen=True)
class Note:
    """One line for a person: at `path` the `rule` was broken, and `action` is what was done about it."""

    path: Path
    rule: str
    action: str
    more: int = 0  # other files of which the same is said, but for what is in backquotes

    def __str__(self) -> str:
        others = f" (and {self.more} more like it)" if self.more else ""
        return f"{self.path}: {self.rule}; {self.action}{others}"


def counted(count: int, what: str) -> str:
    """
    >>> counted(1, "post"), counted(1200, "post")
    ('1 post', '1200 posts')
    """
    return f"{count} {what}{'' if count == 1 else 's'}"


_QUOTED = re.compile(r"`[^`]*`")


def gathered(notes: Iterable[Note]) -> list[Note]:
    """One note in place of several that differ in the file and in what is in backquotes: the first, which
    says how many more.

    >>> [str(note) for note in gathered([Note(Path(name), f"`{name}` is odd", "kept") for name in "abc"])]
    ['a: `a` is odd; kept (and 2 more like it)']
    """
    alike: dict[str, list[Note]] = {}
    for note in notes:
        alike.setdefault(_QUOTED.sub("", f"{note.rule}; {note.action}"), []).append(note)
    return [replace(first, more=first.more + len(rest)) for first, *rest in alike.values()]
