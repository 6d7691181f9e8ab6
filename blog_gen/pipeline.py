"""The whole way, from `_articles` to `_generated`: learn if the posts changed, write what is due.

`corpus` reads and renders posts, `learning` encodes them and trains a run, `drafting` samples from it, makes
the texts safe, judges, picks and writes. This module only says what comes after what.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

from blog_gen.config.settings import Settings
from blog_gen.errors import gathered
from blog_gen.lock import working_on
from blog_gen.report import Hooks, Report
from blog_gen.site.days import (
    check_day,
    clock_note,
    due_days,
    existing_days,
    moment_now,
    moment_on,
    schedule_of,
)
from blog_gen.site.fingerprint import look_at
from blog_gen.site.folder import require_articles

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from blog_gen.corpus import Corpus
    from blog_gen.drafting.parts import Part
    from blog_gen.drafting.writing import Asked
    from blog_gen.learning.retraining import RetrainingDecision
    from blog_gen.statcache import StatCache


def run(
    settings: Settings,
    now: datetime,
    hooks: Hooks,
    day: date | None = None,
    dry: bool = False,
    learn: bool = True,
) -> Report:
    """The pre-build step: learn if the posts changed, write what is due, else do nothing, fast."""
    from blog_gen.learning.rehearsal import rehearse, say_damage
    from blog_gen.learning.retraining import must_learn

    due, retraining = _decided(settings, now, hooks, day, learn)
    report = Report(due=due, retraining=retraining)
    if not (due or (retraining and retraining.due)):
        say_damage(settings, hooks.note)
        return report
    if dry:
        rehearse(settings, read(settings, hooks), retraining)
        return report
    require_articles(settings)
    with working_on(settings, timeout=60.0):
        due, retraining = _decided(settings, now, hooks, day, learn)  # another process may have been quicker
        report.due = due
        corpus = read(settings, hooks)
        if retraining and must_learn(settings, corpus, retraining):
            _train(settings, corpus, hooks, report, now)
        if due and not report.interrupted:
            try:
                hooks.writing()
                _write(
                    settings, corpus, [(each, moment_on(settings, each, now)) for each in due], hooks, report
                )
            except KeyboardInterrupt:  # between whole files: none is ever half-written
                report.interrupted = True
    return report


def train(settings: Settings, hooks: Hooks, fresh: bool = False) -> Report:
    """Fine-tune now, resuming what was interrupted."""
    require_articles(settings)
    report = Report()
    with working_on(settings):
        _train(settings, read(settings, hooks), hooks, report, moment_now(settings), fresh)
    return report


def generate(
    settings: Settings,
    now: datetime,
    hooks: Hooks,
    count: int = 1,
    day: date | None = None,
    asked: Asked | None = None,
    parts: Sequence[Path] = (),
) -> Report:
    """Write drafts now, whatever is due; of candidates in the files `parts`, if there are any."""
    moments = _moments(settings, now, count, day)
    report = Report()
    with working_on(settings, timeout=60.0):
        _write(settings, read(settings, hooks), moments, hooks, report, asked, parts)
    return report


def sample_part(
    settings: Settings,
    now: datetime,
    hooks: Hooks,
    part: Part,
    output: Path,
    count: int,
    day: date | None,
    asked: Asked,
) -> None:
    """Sample a part of the candidates that `generate` would judge, into a file; the site stays as it is."""
    from blog_gen.drafting.writing import sample_part as sampled
    from blog_gen.learning.rehearsal import require_run

    moments = _moments(settings, now, count, day)
    corpus = read(settings, hooks)
    require_run(settings, corpus)
    sampled(settings, corpus, moments, asked, hooks, part, output)


def _moments(settings: Settings, now: datetime, count: int, day: date | None) -> list[tuple[date, datetime]]:
    day = day or schedule_of(settings).today(now)
    check_day(settings, day, now)
    require_articles(settings)
    return [(day, moment_on(settings, day, now))] * count


def read(settings: Settings, hooks: Hooks) -> Corpus:
    """Posts to training texts; what was mended or left out goes to the notes."""
    from blog_gen.corpus import read_corpus

    corpus = read_corpus(settings, moment_now(settings))
    for note in gathered(corpus.notes):
        hooks.note(note)
    return corpus


def _decided(
    settings: Settings, now: datetime, hooks: Hooks, day: date | None, learn: bool
) -> tuple[list[date], RetrainingDecision | None]:
    """The days to write for, and whether to learn, by one look at the files."""
    from blog_gen.learning.retraining import retraining_decision

    look = look_at(settings)
    due = _due(settings, now, hooks, day, look)
    return due, retraining_decision(settings, now, look) if learn else None


def _due(settings: Settings, now: datetime, hooks: Hooks, day: date | None, look: StatCache) -> list[date]:
    """The days that lack a post; a `day` asked for lacks `posts_per_day` less what it has."""
    existing = existing_days(settings, look)
    if day is not None:
        check_day(settings, day, now)
        return [day] * max(0, settings.posts_per_day - existing[day])
    if note := clock_note(now, settings, existing):
        hooks.note(note)
    return due_days(now, settings, existing)


def _train(
    settings: Settings, corpus: Corpus, hooks: Hooks, report: Report, now: datetime, fresh: bool = False
) -> None:
    from blog_gen.learning.fine_tuning import train
    from blog_gen.learning.monitor import Monitor
    from blog_gen.learning.rehearsal import require_language, require_model
    from blog_gen.runs import read_meta

    require_language(settings, corpus)
    require_model(settings, None if fresh else corpus)
    report.before = None if fresh else read_meta(settings.run_folder)
    report.trained = train(settings, corpus, hooks.training or Monitor(), now, fresh)
    report.interrupted = report.trained is None


def _write(
    settings: Settings,
    corpus: Corpus,
    moments: list[tuple[date, datetime]],
    hooks: Hooks,
    report: Report,
    asked: Asked | None = None,
    parts: Sequence[Path] = (),
) -> None:
    from blog_gen.drafting.writing import Asked, write_drafts
    from blog_gen.learning.rehearsal import require_run

    require_run(settings, corpus)
    report.language = corpus.language
    write_drafts(settings, corpus, moments, asked or Asked(), hooks, report, parts)
