"""Drafts on the disk: one for each day asked for, each seeing those before it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Protocol

from blog_gen.config.settings import Settings
from blog_gen.corpus import Corpus
from blog_gen.drafting.drafter import Drafter, Result
from blog_gen.drafting.parts import Part, plan_of, read_parts, write_part
from blog_gen.drafting.request import DraftRequest
from blog_gen.drafting.tries import TRIES_FILE, Tries
from blog_gen.errors import BlogGenError, Note, RejectedError
from blog_gen.site.days import existing_days
from blog_gen.site.drafts import write_draft
from blog_gen.site.scores import save_scores


class Written(Protocol):
    """What came of writing, as far as it got: `report.Report`."""

    written: list[tuple[Path, Result]]
    rejected: list[RejectedError]
    failure: BlogGenError | None  # after the first draft was written: that one is still to be named


@dataclass(frozen=True)
class Asked:
    """What a person wants of the drafts; `seed` is the first one's."""

    title: str | None = None
    tags: tuple[str, ...] = ()
    seed: int | None = None

    def request(self, day: date, number: int, rank: int) -> DraftRequest:
        """The request for the draft number `rank`, the try `number` for the day; its seeds no other has."""
        first = None if self.seed is None else self.seed + rank
        return DraftRequest(day, number, title=self.title, tags=self.tags, seed=first)


class Watch(Protocol):
    """What a caller hears while drafts are written: `report.Hooks`."""

    @property
    def note(self) -> Callable[[Note], None]: ...
    @property
    def candidate(self) -> Callable[[int, int], None]: ...
    @property
    def before_writing(self) -> Callable[[], None]: ...


def write_drafts(
    settings: Settings,
    corpus: Corpus,
    moments: Sequence[tuple[date, datetime]],
    asked: Asked,
    watch: Watch,
    into: Written,
    parts: Sequence[Path],
) -> None:
    """Sample, judge, pick and write a draft for each moment; `into` is kept up to date.

    Args:
        parts: files of candidates that were sampled for these drafts before; none to sample them now.

    Raises:
        BlogGenError: nothing could be written at all. What goes wrong later is kept.
    """
    drafter = Drafter(settings, corpus)
    tries = Tries(settings.state_folder / TRIES_FILE, existing_days(settings))
    if parts:
        drafter.sampled = read_parts(parts, plan_of(drafter, _requests(asked, moments, tries)))
    for rank, (day, moment) in enumerate(moments):
        try:
            _write_one(drafter, asked.request(day, tries.number(day), rank), moment, watch, into)
        except RejectedError as error:
            into.rejected.append(error)
        except BlogGenError as error:
            if not into.written:
                raise
            into.failure = error
            return
        with _forgiven(watch, "the drafts that are there are counted instead"):
            tries.add(day)


def sample_part(
    settings: Settings,
    corpus: Corpus,
    moments: Sequence[tuple[date, datetime]],
    asked: Asked,
    watch: Watch,
    part: Part,
    path: Path,
) -> None:
    """Sample a part of the candidates for a draft for each moment, and leave them in `path`."""
    tries = Tries(settings.state_folder / TRIES_FILE, existing_days(settings))
    write_part(Drafter(settings, corpus), _requests(asked, moments, tries), part, path, watch.candidate)


def _requests(asked: Asked, moments: Sequence[tuple[date, datetime]], tries: Tries) -> list[DraftRequest]:
    """What will be asked for, each try being one more."""
    return [asked.request(day, tries.number(day) + rank, rank) for rank, (day, _) in enumerate(moments)]


def _write_one(
    drafter: Drafter, request: DraftRequest, moment: datetime, watch: Watch, into: Written
) -> None:
    settings, corpus = drafter.settings, drafter.corpus
    result = drafter.draft(request, moment, watch.candidate)
    watch.before_writing()
    path = write_draft(result.draft, corpus.habit, settings)
    into.written.append((path, result))
    drafter.remember(path, result.draft)
    measured = {"articles": corpus.sha256, "scores": result.scores}
    with _forgiven(watch, "the draft is shown without its scores"):
        save_scores(result.draft.provenance, measured, settings)


@contextmanager
def _forgiven(watch: Watch, without: str) -> Iterator[None]:
    """For what stands aside from a draft that is on the disk: if it cannot be written, that is a note."""
    try:
        yield
    except BlogGenError as error:
        watch.note(Note(Path(error.path or ""), f"{error.rule} ({error.got})", without))
