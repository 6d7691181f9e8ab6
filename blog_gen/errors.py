"""What can go wrong, said once and in one form.

Every error a user can cause is a `BlogGenError`: it states the rule, what arrived, what to do, and the
path. `cli` turns it into one line on standard error and an exit code; nothing else catches it to print.
A `Note` is the same line for what was mended or left out while the rest went on.
"""

from __future__ import annotations

from dataclasses import dataclass
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

    def __str__(self) -> str:
        return f"{self.path}: {self.rule}; {self.action}"
