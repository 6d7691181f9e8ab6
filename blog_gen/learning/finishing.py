"""What a fine-tune leaves: a whole run folder, measured before it takes the place of the one before."""

from __future__ import annotations

import dataclasses
import math
import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from blog_gen import runs
from blog_gen.config.settings import Settings
from blog_gen.corpus import Corpus
from blog_gen.judge.calibration import own_limits
from blog_gen.judge.index import CorpusIndex
from blog_gen.learning.curve import write_history
from blog_gen.learning.preparing import TrainingJob
from blog_gen.learning.preview import SAMPLES_FOLDER
from blog_gen.learning.staleness import depends_on, iso
from blog_gen.model.adapters import Adapter, merged, read_adapter, save_adapter
from blog_gen.model.formats.folder import draft_words, sampling_defaults
from blog_gen.model.integrity import hashes_of, weights_file
from blog_gen.model.sampling.characters import save_characters
from blog_gen.model.sampling.sampling import sampler_path
from blog_gen.model.sampling.vocabulary_constraint import is_word, load_words, save_words, words_in
from blog_gen.model.training.outcome import Outcome
from blog_gen.model.training.training import FineTuning
from blog_gen.model.weights import open_weights, save_weights
from blog_gen.site.articles import oldest_first


def finish(
    settings: Settings,
    corpus: Corpus,
    job: TrainingJob,
    outcome: Outcome,
    files: str,
    now: datetime,
    doing: Callable[[str], None],
) -> runs.Meta:
    """Write the run that `outcome` makes of `job`, and let it take the place of the one before.

    Args:
        files: the fingerprint of the posts' files.
        now: when it was told to learn.
        doing: hears what takes a while.

    Raises:
        BlogGenError: the disk is full or the folder cannot be written; what there was is as it was.
    """
    doing("measuring what was learned")
    measured = _measured(job.tuning, [corpus.texts[name] for name in job.held_out])
    job.tuning.release()
    doing("keeping what was learned")
    with runs.renewing(settings.run_folder) as folder:
        _write_model(job, outcome, folder, settings.model)
        write_words(job.start, corpus, folder)
        if (samples := job.tuning.folder / SAMPLES_FOLDER).is_dir():
            shutil.copytree(samples, folder / SAMPLES_FOLDER)
        meta = _meta(settings, corpus, job, outcome, files, now, folder, measured)
        write_history(folder, meta.history)
        runs.write_meta(folder, meta)
    return meta


def _write_model(job: TrainingJob, outcome: Outcome, folder: Path, base: str) -> None:
    """A model folder of what was trained from the model that `job` starts from.

    Adapters are kept alone, and beside them the sampler, which writes drafts where their base is not.
    """
    job.tuning.hparams.save(folder)
    for name in ("encoder.json", "vocab.bpe"):
        shutil.copyfile(job.start / name, folder / name)
    identity = job.tuning.identity
    if adapter := _adapter(job, outcome, base):
        save_adapter(adapter, folder, identity)
        sampler_path(folder)
    else:
        whole = merged(open_weights(job.start, job.tuning.hparams), outcome.weights)
        save_weights(whole, folder, identity=identity)


def _adapter(job: TrainingJob, outcome: Outcome, base: str) -> Adapter | None:
    """What is kept in place of whole weights; None where these were trained, or a run that has them."""
    if job.tuning.recipe.lora is None:
        return None
    if not job.continued:
        return Adapter(base, job.base_weights, outcome.weights)
    before = read_adapter(job.start)
    return before and before.plus(outcome.weights)


def write_words(start: Path, corpus: Corpus, folder: Path) -> None:
    """What may be written: the words of the model in `start`, if it lists them, and the blog's; no sign and
    no letter that has to be put together from bytes, but those of these words and of the blog."""
    words = load_words(start)
    if words is None:
        save_characters(corpus.texts.values(), folder)
        return
    save_words(set(filter(is_word, words)).union(*map(words_in, corpus.texts.values())), folder)


def _meta(
    settings: Settings,
    corpus: Corpus,
    job: TrainingJob,
    outcome: Outcome,
    fingerprint: str,
    now: datetime,
    folder: Path,
    measured: tuple[float | None, float | None],
) -> runs.Meta:
    """What is to be known of the run in `folder`, as good as it was `measured`."""
    files = hashes_of(folder)
    logprob, bits_per_byte = measured
    return runs.Meta(
        identity=job.tuning.identity,
        base=settings.model,
        base_weights=job.base_weights,
        weights=files[weights_file(folder).name],
        files=files,
        articles=corpus.sha256,
        fingerprint=fingerprint,
        settings=depends_on(settings),
        recipe=dataclasses.asdict(job.tuning.recipe),
        posts=len(corpus.texts),
        texts=corpus.hashes,
        continued=job.continued,
        changes_at=iso(corpus.changes_at),
        tokens=job.tuning.rows.count,
        held_out=job.held_out,
        held_out_logprob=logprob,
        held_out_bits_per_byte=bits_per_byte,
        own_limits=_own_limits(corpus),
        draft_words=draft_words(job.start),
        sampling=sampling_defaults(job.start),
        best_step=outcome.position.best_step,
        seconds=round(outcome.position.seconds, 1),
        stopped=outcome.stopped,
        summary=outcome.summary,
        history=outcome.position.history,
        learned=now.isoformat(timespec="seconds"),
    )


def _own_limits(corpus: Corpus) -> dict[str, Any]:
    """What the judge may ask of drafts of this blog, by its posts."""
    posts = [(each.path.as_posix(), each.title, each.body) for each in oldest_first(corpus.articles)]
    return own_limits(posts, CorpusIndex.build([(name, body) for name, _, body in posts])).to_dict()


def _measured(tuning: FineTuning, texts: list[str]) -> tuple[float | None, float | None]:
    """Mean over the held-out `texts` of the mean log-probability per token; and bits per byte of all of them.

    By the weights that are there, the best: to load the model again would double what learning takes.
    """
    if not texts:
        return None, None
    nats = tuning.held_out_loss() * tuning.held_out.count
    size = sum(len(text.encode("utf-8")) for text in texts)
    return -tuning.held_out_loss(by_text=True), round(nats / math.log(2) / size, 4)
