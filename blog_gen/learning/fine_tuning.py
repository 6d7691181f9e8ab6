"""From a corpus to a trained run: `preparing` says how it begins, `finishing` what it leaves.

TensorFlow is imported only when something is trained.
"""

from __future__ import annotations

import dataclasses
import math
import shutil
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from blog_gen import runs
from blog_gen.config.settings import Settings
from blog_gen.corpus import Corpus
from blog_gen.errors import Note
from blog_gen.files import write_text
from blog_gen.learning.monitor import Monitor
from blog_gen.learning.staleness import depends_on, iso, knows_more, same_settings, settings_that_differ
from blog_gen.model.quiet import quiet
from blog_gen.site.fingerprint import fingerprint

if TYPE_CHECKING:
    from blog_gen.learning.preparing import TrainingJob
    from blog_gen.model.training.outcome import Outcome


def train(
    settings: Settings, corpus: Corpus, monitor: Monitor, now: datetime, fresh: bool = False
) -> runs.Meta | None:
    """Fine-tune on `corpus` and leave the run folder finished; None when `monitor` asked it to stop.

    Where only the files changed and not the texts, nothing is trained.
    """
    files = fingerprint(settings)
    meta = _finished_run(settings, corpus, monitor, fresh)
    if meta is not None and meta.articles == corpus.sha256 and not fresh:
        changes_at = iso(corpus.changes_at)
        if (meta.fingerprint, meta.changes_at) != (files, changes_at):
            meta = dataclasses.replace(meta, fingerprint=files, changes_at=changes_at)
            runs.write_meta(settings.run_folder, meta)
        return meta
    monitor.doing("getting ready to learn")
    quiet()  # before what imports Keras
    from blog_gen.learning.finishing import finish
    from blog_gen.learning.preparing import prepare

    _forget(settings, corpus, monitor)
    job = prepare(settings, corpus, None if fresh else meta, fresh, monitor.note)
    outcome = _run(job, settings, monitor)
    if outcome is not None and _rate_did_harm(outcome, job, settings):
        spent = outcome.position.seconds
        job.tuning.release()  # never two models in memory
        job = prepare(settings, corpus, None, True, monitor.note, gentle=True)
        job.tuning.position.seconds = spent  # of the time allowed
        outcome = _run(job, settings, monitor)
    if outcome is None:
        return None
    return finish(settings, corpus, job, outcome, files, now, monitor.doing)


def _finished_run(settings: Settings, corpus: Corpus, monitor: Monitor, fresh: bool) -> runs.Meta | None:
    """The run that is there, if it is whole, of these settings, and nothing has begun to replace it.

    `monitor` hears why it is not taken.
    """
    meta = runs.read_meta(settings.run_folder)
    if names := runs.damaged(settings.run_folder, thorough=True):
        rule = f"the trained model is damaged: {', '.join(names)}"
        monitor.note(Note(settings.run_folder, rule, "it is learned again"))
        return None
    if meta is not None and not same_settings(meta, settings):
        monitor.note(_kept_note(meta, settings))
        return None
    if meta is not None and not fresh and _started_over(settings, corpus, meta):
        return None
    return meta


def _run(job: TrainingJob, settings: Settings, monitor: Monitor) -> Outcome | None:
    """What comes of `job`; None when `monitor` asked it to stop."""
    again = "Nothing was gained at the usual learning rate, so training starts over at a lower one. "
    monitor.started(again * job.tuning.recipe.gentle + job.sentence, job.tuning.recipe.steps)
    watching, allowed = _watching(monitor, job), _allowed(settings)
    return job.tuning.run(watching, monitor.stop, allowed, doing=monitor.doing)


def _allowed(settings: Settings) -> float:
    """Seconds that learning may take in all."""
    minutes = settings.training.max_minutes
    return math.inf if minutes is None else 60 * minutes


def _rate_did_harm(outcome: Outcome, job: TrainingJob, settings: Settings) -> bool:
    """Whether a run from the base helped no post that was held out, at a rate that nobody asked for."""
    if settings.training.learning_rate is not None or job.tuning.recipe.gentle or job.continued:
        return False
    return outcome.position.best_step == 0 and outcome.position.seconds < _allowed(settings)


def _forget(settings: Settings, corpus: Corpus, monitor: Monitor) -> None:
    """Remove the earlier run that is kept beside this one, if it knows a post that is gone."""
    folder = runs.kept_folder(settings.run_folder)
    kept = runs.read_meta(folder)
    if kept is not None and knows_more(kept, corpus):
        shutil.rmtree(folder, ignore_errors=True)
        monitor.note(Note(folder, "it has learned posts that are hidden, changed or gone", "it is removed"))


def _started_over(settings: Settings, corpus: Corpus, meta: runs.Meta) -> bool:
    """Whether training on today's posts was started over from the base, and interrupted: that is resumed."""
    from blog_gen.learning.resume import has_checkpoint, read_inputs

    folder = settings.run_folder / runs.STATE_FOLDER
    inputs = read_inputs(folder) if has_checkpoint(folder) else None
    if inputs is None or inputs.start == meta.weights:
        return False
    return inputs.settings == depends_on(settings) and inputs.articles == corpus.sha256


def _kept_note(meta: runs.Meta, settings: Settings) -> Note:
    was = settings_that_differ(meta.settings, depends_on(settings))
    now = settings_that_differ(depends_on(settings), meta.settings)
    return Note(
        settings.run_folder,
        f"this run was trained with {was}, and the settings are {now}",
        f"it is kept as {runs.kept_folder(settings.run_folder).name} once the new one is learned",
    )


def _watching(monitor: Monitor, job: TrainingJob) -> Callable[[dict[str, float]], None]:
    """What the run reports to: the monitor, with a sample after every so many steps where one is wanted."""
    if monitor.sample is None or not monitor.sample_every:
        return monitor.row
    from blog_gen.learning.preview import SAMPLES_FOLDER, preview
    from blog_gen.model.bpe import Tokenizer

    tokenizer, hear, every = Tokenizer.load(job.start), monitor.sample, monitor.sample_every

    def row(values: dict[str, float]) -> None:
        monitor.row(values)
        step = int(values["step"])
        if "held_out" not in values and step % every == 0:
            text = preview(job.tuning, tokenizer)
            write_text(job.tuning.folder / SAMPLES_FOLDER / f"step-{step:05d}.txt", f"{text}\n")
            hear(step, text)

    return row
