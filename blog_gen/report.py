"""What a caller of the pipeline hears while it works, and what it did in the end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from blog_gen.errors import Note

if TYPE_CHECKING:
    from pathlib import Path

    from blog_gen.drafting.drafter import Result
    from blog_gen.errors import BlogGenError, RejectedError
    from blog_gen.learning.monitor import Monitor
    from blog_gen.learning.retraining import RetrainingDecision
    from blog_gen.runs import Meta


@dataclass(frozen=True)
class Hooks:
    """How a caller watches: notes as they arise, training, and candidates as they end."""

    note: Callable[[Note], None] = lambda note: None
    training: Monitor | None = None
    candidate: Callable[[int, int], None] = lambda done, total: None
    writing: Callable[[], None] = lambda: None  # nothing is left to save: `run` may be interrupted
    before_writing: Callable[[], None] = lambda: None  # the last moment at which raising leaves no draft


@dataclass
class Report:
    """What a command did: it owns the exit code."""

    trained: Meta | None = None
    before: Meta | None = None  # the run that was there when learning began, if it was to be built on
    interrupted: bool = False
    due: list[date] = field(default_factory=list)
    retraining: RetrainingDecision | None = None  # how it stood before anything was done
    written: list[tuple[Path, Result]] = field(default_factory=list)
    rejected: list[RejectedError] = field(default_factory=list)
    language: str | None = None  # of the posts, ISO 639-1, where something was written
    failure: BlogGenError | None = None  # after the first draft was written: that one is still to be named

    @property
    def nothing_to_do(self) -> bool:
        return not (self.trained or self.due or self.interrupted)
