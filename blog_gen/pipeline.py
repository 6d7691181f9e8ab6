"""The whole way, from `_articles` to `_generated`, in the words of the design.

Every command of the command line that makes something is a function here. It joins what it is given:
`learning` turns posts into a trained run, `drafting` turns a trained run into a draft.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from blog_gen.config.settings import Settings
from blog_gen.errors import BlogGenError, ConfigError, Note, RejectedError
from blog_gen.lock import working_on
from blog_gen.site.days import clock_note, due_days, existing_days, schedule_of
from blog_gen.site.folder import require_articles

if TYPE_CHECKING:
    from blog_gen.corpus import Corpus
    from blog_gen.drafting.drafter import Result
    from blog_gen.learning.fine_tuning import Monitor
    from blog_gen.learning.retraining import Learning
    from blog_gen.model.training.evaluation import Evaluation
    from blog_gen.runs import Meta

TRIES_FILE = "tries.json"
NOW_VARIABLE = "BLOG_GEN_NOW"  # an ISO 8601 moment that stands in for the clock


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
    written: list[tuple[Path, Result]] = field(default_factory=list)
    due: list[date] = field(default_factory=list)
    learning: Learning | None = None  # how it stood before anything was done
    rejected: list[RejectedError] = field(default_factory=list)
    failure: BlogGenError | None = None  # after the first draft was written: that one is still to be named

    @property
    def nothing_to_do(self) -> bool:
        return not (self.trained or self.due or self.interrupted)


def run(
    settings: Settings,
    now: datetime,
    hooks: Hooks,
    day: date | None = None,
    dry: bool = False,
    learn: bool = True,
) -> Report:
    """The pre-build step: learn if the posts changed, write what is due, else do nothing, fast."""
    due, learning = _due(settings, now, hooks, day), _learning(settings, now, learn)
    report = Report(due=due, learning=learning)
    if not (due or (learning and learning.due)):
        _say_damage(settings, hooks)
        return report
    if dry:
        _rehearse(settings, read(settings, hooks), learning)
        return report
    require_articles(settings)
    with working_on(settings, timeout=60.0):
        due = report.due = _due(settings, now, hooks, day)  # another process may have been quicker
        learning = _learning(settings, now, learn)
        corpus = read(settings, hooks)
        if learning and (learning.due or (settings.retrain != "never" and _withdrawn(settings, corpus))):
            _learn(settings, corpus, hooks, report, now)
        if due and not report.interrupted:
            _require_run(settings, corpus)
            moments = [(each, _moment(settings, each, now)) for each in due]
            try:
                hooks.writing()
                _write(settings, corpus, moments, hooks, report)
            except KeyboardInterrupt:  # between whole files: none is ever half-written
                report.interrupted = True
    return report


def read(settings: Settings, hooks: Hooks) -> Corpus:
    """Articles to training texts; what was mended or left out goes to the notes."""
    from blog_gen.corpus import read_corpus

    corpus = read_corpus(settings, moment_now(settings))
    for note in corpus.notes:
        hooks.note(note)
    return corpus


def train(settings: Settings, hooks: Hooks, fresh: bool = False) -> Report:
    """Fine-tune now, resuming what was interrupted."""
    require_articles(settings)
    report = Report()
    with working_on(settings):
        _learn(settings, read(settings, hooks), hooks, report, moment_now(settings), fresh)
    return report


def generate(
    settings: Settings,
    now: datetime,
    hooks: Hooks,
    count: int = 1,
    day: date | None = None,
    title: str | None = None,
    tags: Sequence[str] = (),
    seed: int | None = None,
) -> Report:
    """Write drafts now, whatever is due."""
    if day is not None:
        _check_day(settings, day, now)
    require_articles(settings)
    report = Report()
    with working_on(settings, timeout=60.0):
        corpus = read(settings, hooks)
        _require_run(settings, corpus)
        day = day or schedule_of(settings).today(now)
        moments = [(day, _moment(settings, day, now))] * count
        _write(settings, corpus, moments, hooks, report, title=title, tags=tuple(tags), seed=seed)
    return report


def evaluate(settings: Settings, texts: Sequence[str], precision: str = "float32") -> Evaluation:
    """How well the model predicts `texts`, which are post texts."""
    from blog_gen.model.training.evaluation import KerasScorer, evaluate, sampler_scorer
    from blog_gen.model.zoo import zoo

    folder = zoo.resolve(settings.model, settings.state_folder / "runs")
    if precision == "int8":
        tokenizer, scorer = sampler_scorer(folder)
        return evaluate(texts, tokenizer, scorer)
    keras = KerasScorer(folder)
    return evaluate(texts, keras.tokenizer, keras)


def moment_now(settings: Settings) -> datetime:
    """The time, in the site's zone; the environment may set it."""
    zone = schedule_of(settings).zone
    given = os.environ.get(NOW_VARIABLE)
    try:
        moment = datetime.fromisoformat(given) if given else datetime.now().astimezone()
    except ValueError:
        raise ConfigError(f"{NOW_VARIABLE} must be an ISO 8601 moment", got=repr(given)) from None
    return moment.astimezone(zone)


def _due(settings: Settings, now: datetime, hooks: Hooks, day: date | None) -> list[date]:
    """The days that lack a post; a `day` asked for lacks `posts_per_day` less what it has."""
    existing = existing_days(settings)
    if day is not None:
        _check_day(settings, day, now)
        return [day] * max(0, settings.posts_per_day - existing[day])
    note = clock_note(now, settings, existing)
    if note:
        hooks.note(note)
    return due_days(now, settings, existing)


def _check_day(settings: Settings, day: date, now: datetime) -> None:
    if day > schedule_of(settings).today(now):
        raise ConfigError("a post is never dated later than now", got=day, fix="Give today or an earlier day")


def _moment(settings: Settings, day: date, now: datetime) -> datetime:
    """A post's date: when it was due on its day, and never later than now."""
    return min(schedule_of(settings).moment(day), now)


def _learning(settings: Settings, now: datetime, wanted: bool) -> Learning | None:
    from blog_gen.learning.retraining import learning_of

    return learning_of(settings, now) if wanted else None


def _learn(
    settings: Settings, corpus: Corpus, hooks: Hooks, report: Report, now: datetime, fresh: bool = False
) -> None:
    from blog_gen.learning.fine_tuning import Monitor, train
    from blog_gen.learning.rehearsal import require_language, require_model
    from blog_gen.runs import read_meta

    require_language(settings, corpus)
    require_model(settings, None if fresh else corpus)
    report.before = None if fresh else read_meta(settings.run_folder)
    report.trained = train(settings, corpus, hooks.training or Monitor(), now, fresh)
    report.interrupted = report.trained is None


def _rehearse(settings: Settings, corpus: Corpus, learning: Learning | None) -> None:
    """Fail at once where doing it would fail later."""
    from blog_gen.learning.rehearsal import require_language, require_model

    if learning and learning.due:
        require_language(settings, corpus)
        require_model(settings, corpus)
    else:
        _require_run(settings, corpus)


def _require_run(settings: Settings, corpus: Corpus) -> None:
    from blog_gen.learning.rehearsal import require_run

    require_run(settings, corpus)


def _withdrawn(settings: Settings, corpus: Corpus) -> list[str]:
    from blog_gen.learning.staleness import withdrawn

    return withdrawn(settings, corpus)


def _say_damage(settings: Settings, hooks: Hooks) -> None:
    from blog_gen.runs import damaged

    if names := damaged(settings.run_folder):
        rule = f"the trained model is damaged: {', '.join(names)}"
        hooks.note(Note(settings.run_folder, rule, "`blog-gen train` learns it again"))


def _write(
    settings: Settings,
    corpus: Corpus,
    moments: Iterable[tuple[date, datetime]],
    hooks: Hooks,
    report: Report,
    title: str | None = None,
    tags: tuple[str, ...] = (),
    seed: int | None = None,
) -> None:
    """Candidates, judgement, draft, file: once for each moment, each seeing the drafts before it.

    What goes wrong once a draft is written is kept in `report`.
    """
    from blog_gen.drafting.drafter import Drafter, DraftRequest
    from blog_gen.drafting.tries import Tries
    from blog_gen.site.drafts import write_draft
    from blog_gen.site.scores import save_scores

    drafter = Drafter(settings, corpus)
    tries = Tries(settings.state_folder / TRIES_FILE, existing_days(settings))
    for rank, (day, moment) in enumerate(moments):
        first = None if seed is None else seed + rank * settings.candidates * settings.attempts
        request = DraftRequest(day, tries.number(day), title=title, tags=tags, seed=first)
        try:
            result = drafter.draft(request, moment, hooks.candidate)
            hooks.before_writing()
            path = write_draft(result.draft, corpus.habit, settings)
            report.written.append((path, result))
            drafter.wrote(path, result.draft)
            measured = {"articles": corpus.sha256, "scores": result.scores}
            with _forgiven(hooks, "the draft is shown without its scores"):
                save_scores(result.draft.provenance, measured, settings)
        except RejectedError as error:
            report.rejected.append(error)
        except BlogGenError as error:
            if not report.written:
                raise
            report.failure = error
            return
        with _forgiven(hooks, "the drafts that are there are counted instead"):
            tries.add(day)


@contextmanager
def _forgiven(hooks: Hooks, without: str) -> Iterator[None]:
    """For what stands aside from a draft that is on the disk: if it cannot be written, that is a note."""
    try:
        yield
    except BlogGenError as error:
        hooks.note(Note(Path(error.path or ""), f"{error.rule} ({error.got})", without))


def next_due(settings: Settings, now: datetime) -> date | None:
    """The first day from now on that will want a post, within a fortnight."""
    existing = existing_days(settings)
    for ahead in range(15):
        due = due_days(now + timedelta(days=ahead), settings, existing)
        if due:
            return due[0]
    return None
