"""From the site's posts to a trained run: what is to be learned, whether anything changed, the fine-tune.

Joins the blog side and the model side. TensorFlow is imported only when something is trained.
"""

from __future__ import annotations

import dataclasses
import hashlib
import math
import shutil
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from blog_gen.config import Settings
from blog_gen.errors import Note
from blog_gen.gpt2 import runs, zoo
from blog_gen.site.articles import Article, fingerprint, read_articles
from blog_gen.site.habit import Habit, habit_of
from blog_gen.text.plain import to_plain
from blog_gen.text.post import Post, keys_of, render

if TYPE_CHECKING:
    from blog_gen.gpt2.autopilot import Advice
    from blog_gen.gpt2.outcome import Outcome
    from blog_gen.gpt2.training import FineTuning

CHANGED_SHARE = 0.2  # of the posts: with more of them new, changed or gone, learning starts over
MOST_CONTINUED = 5  # times in a row, so that what was forgotten does not add up


@dataclass(frozen=True)
class Corpus:
    """The site's posts, and the texts that the model learns from."""

    articles: tuple[Article, ...]
    texts: Mapping[str, str]  # by the post's path in the site
    keys: tuple[str, ...]  # of the post text's head
    habit: Habit
    notes: tuple[Note, ...]

    @cached_property
    def sha256(self) -> str:
        digest = hashlib.sha256()
        for name, text in self.texts.items():
            digest.update(f"{name}\0{len(text)}\0{text}".encode())
        return digest.hexdigest()

    @cached_property
    def hashes(self) -> dict[str, str]:
        """SHA-256 of each text, by the post's path."""
        return {name: hashlib.sha256(text.encode()).hexdigest() for name, text in self.texts.items()}


def read_corpus(settings: Settings) -> Corpus:
    """Read the articles and render each as post text.

    Raises:
        ArticleError: there is nothing to learn from.
    """
    reading = read_articles(settings)
    plain = settings.style == "plain"
    posts = [_post(article, plain) for article in reading.articles]
    keys = keys_of(posts)
    texts = {
        article.path.as_posix(): render(post, keys)
        for article, post in zip(reading.articles, posts, strict=True)
    }
    return Corpus(reading.articles, texts, keys, habit_of(reading.articles, settings), reading.notes)


def _post(article: Article, plain: bool) -> Post:
    body = to_plain(article.body) if plain else article.body
    category = article.categories[0] if article.categories else None
    return Post(article.title, body or article.body, article.tags, category)


def up_to_date(meta: runs.Meta | None, settings: Settings) -> bool:
    """Whether the finished run `meta` is of today's posts and settings; reads bytes, parses nothing."""
    return meta is not None and _same_settings(meta, settings) and meta.fingerprint == fingerprint(settings)


def _same_settings(meta: runs.Meta, settings: Settings) -> bool:
    return meta.settings == depends_on(settings)


def depends_on(settings: Settings) -> dict[str, Any]:
    """The settings that a trained run depends on; changing another one never retrains."""
    training = dataclasses.asdict(settings.training)
    return {"model": settings.model, "style": settings.style, "training": training}


@dataclass(frozen=True)
class Monitor:
    """What a caller wants to hear of a training run while it lasts."""

    started: Callable[[str, int], None] = lambda sentence, steps: None
    row: Callable[[Mapping[str, float]], None] = lambda row: None
    interrupted: Callable[[], bool] = lambda: False
    note: Callable[[Note], None] = lambda note: None
    sample: Callable[[int, str], None] | None = None  # hears a sample, and after which step it was drawn
    sample_every: int = 0  # steps; 0 for none


def train(
    settings: Settings, corpus: Corpus, monitor: Monitor, now: datetime, fresh: bool = False
) -> runs.Meta | None:
    """Fine-tune on `corpus` and leave the run folder finished; None when `monitor` interrupted it.

    Where only the files changed and not the texts, nothing is trained.
    """
    meta = runs.read_meta(settings.run_folder)
    if meta is not None and not _same_settings(meta, settings):
        meta = None
    files = fingerprint(settings)
    if meta is not None and meta.articles == corpus.sha256 and not fresh:
        if meta.fingerprint != files:
            meta = dataclasses.replace(meta, fingerprint=files)
            runs.write_meta(settings.run_folder, meta)
        return meta
    base = zoo.resolve(settings.model)
    earlier = None if fresh or meta is None or not _goes_on(meta, settings, corpus) else meta
    tuning, advice, held_out = _prepared(settings, corpus, settings.run_folder if earlier else base, earlier)
    if fresh or not tuning.resume(monitor.note):
        shutil.rmtree(tuning.folder, ignore_errors=True)
    tuning.folder.mkdir(parents=True, exist_ok=True)
    going_on = "A few posts are new, so I go on from what was learned before. " if earlier else ""
    monitor.started(going_on + advice.sentence, tuning.recipe.steps)
    minutes = settings.training.max_minutes
    outcome = tuning.run(
        _watching(monitor, tuning, base),
        monitor.interrupted,
        max_seconds=math.inf if minutes is None else 60 * minutes,
    )
    if outcome is None:
        return None
    meta = _finished(settings, corpus, base, tuning, held_out, outcome, files, now, earlier)
    runs.write_meta(settings.run_folder, meta)
    return meta


def _watching(monitor: Monitor, tuning: FineTuning, base: Path) -> Callable[[dict[str, float]], None]:
    """What the run reports to: the monitor, with a sample after every so many steps where one is wanted."""
    if monitor.sample is None or not monitor.sample_every:
        return monitor.row
    from blog_gen.gpt2.bpe import Tokenizer
    from blog_gen.gpt2.preview import preview

    tokenizer, hear, every = Tokenizer.load(base), monitor.sample, monitor.sample_every

    def row(values: dict[str, float]) -> None:
        monitor.row(values)
        step = int(values["step"])
        if "held_out" not in values and step % every == 0:
            hear(step, preview(tuning, tokenizer))

    return row


def _goes_on(meta: runs.Meta, settings: Settings, corpus: Corpus) -> bool:
    """Whether so little changed that the finished run is trained on for a short while, not started over.

    What it is measured by must be as it was, and no post it learned from may now be held out.
    """
    from blog_gen.gpt2.dataset import held_out

    now = corpus.hashes
    changed = [name for name in now.keys() | meta.texts.keys() if now.get(name) != meta.texts.get(name)]
    kept = held_out(list(now), settings.training.held_out)
    learned = meta.texts.keys() - set(meta.held_out)
    return (
        bool(meta.texts)
        and len(changed) <= max(1, CHANGED_SHARE * len(meta.texts))
        and meta.continued < MOST_CONTINUED
        and not kept & learned
        and all(now.get(name) == meta.texts[name] for name in meta.held_out)
    )


def _prepared(
    settings: Settings, corpus: Corpus, start: Path, earlier: runs.Meta | None
) -> tuple[FineTuning, Advice, list[str]]:
    """The fine-tuning run for these texts from the model in `start`, and the names of those held out."""
    from blog_gen.gpt2 import autopilot, dataset
    from blog_gen.gpt2.bpe import Tokenizer
    from blog_gen.gpt2.hparams import HParams
    from blog_gen.gpt2.quiet import quiet

    quiet()
    from blog_gen.gpt2.machine import this_machine
    from blog_gen.gpt2.training import FineTuning
    from blog_gen.gpt2.weights import load_weights

    hparams, tokenizer = HParams.load(start), Tokenizer.load(start)
    kept = dataset.held_out(list(corpus.texts), settings.training.held_out)

    def rows(names: Sequence[str]) -> dataset.Rows:
        ids = [tokenizer.encode(corpus.texts[name]) for name in names]
        return dataset.pack(ids, tokenizer.end_of_text, hparams.n_ctx)

    learned = rows([name for name in corpus.texts if name not in kept])
    advice = autopilot.choose(settings.training, hparams, learned, this_machine(), earlier is not None)
    tuning = FineTuning(
        hparams,
        load_weights(start, hparams),
        learned,
        rows(sorted(kept)),
        advice.recipe,
        settings.run_folder / runs.STATE_FOLDER,
    )
    return tuning, advice, sorted(kept)


def _finished(
    settings: Settings,
    corpus: Corpus,
    base: Path,
    tuning: FineTuning,
    held_out: list[str],
    outcome: Outcome,
    files: str,
    now: datetime,
    earlier: runs.Meta | None,
) -> runs.Meta:
    """Write all of the run folder but `meta.json`, which comes last and is returned."""
    folder, base_weights = settings.run_folder, runs.weights_sha256(base)
    start, start_weights = (folder, earlier.weights) if earlier else (base, base_weights)
    _write_model(tuning, outcome, start, start_weights, folder)
    _write_words(start, corpus, folder)
    return runs.Meta(
        identity=tuning.identity,
        base=settings.model,
        base_weights=base_weights,
        weights=runs.weights_sha256(folder),
        articles=corpus.sha256,
        fingerprint=files,
        settings=depends_on(settings),
        recipe=dataclasses.asdict(tuning.recipe),
        posts=len(corpus.texts),
        texts=corpus.hashes,
        continued=earlier.continued + 1 if earlier else 0,
        tokens=tuning.rows.count,
        held_out=held_out,
        held_out_logprob=_logprob_of(folder, [corpus.texts[name] for name in held_out]),
        best_step=outcome.position.best_step,
        seconds=round(outcome.position.seconds, 1),
        stopped=outcome.stopped,
        reading=outcome.reading,
        history=outcome.position.history,
        learned=now.isoformat(timespec="seconds"),
    )


def _write_model(tuning: FineTuning, outcome: Outcome, start: Path, start_weights: str, folder: Path) -> None:
    """A model folder of what was trained from the model in `start`, whose weights have that SHA-256."""
    from blog_gen.gpt2.adaptation import merged, save_adapter
    from blog_gen.gpt2.weights import load_weights, save_weights

    tuning.hparams.save(folder)
    if start != folder:
        for name in ("encoder.json", "vocab.bpe"):
            shutil.copyfile(start / name, folder / name)
    whole = merged(load_weights(start, tuning.hparams), outcome.weights)
    save_adapter(outcome.weights, folder, start_weights)
    save_weights(whole, folder, identity=tuning.identity)


def _write_words(start: Path, corpus: Corpus, folder: Path) -> None:
    """The words that may be written: those of the model in `start`, if it keeps to any, and the blog's."""
    from blog_gen.gpt2.known_words import load_words, save_words, words_in

    words = load_words(start)
    if words is not None:
        save_words(words.union(*map(words_in, corpus.texts.values())), folder)


def _logprob_of(folder: Path, texts: list[str]) -> float | None:
    """Mean over `texts` of the model's mean log-probability per token."""
    from blog_gen.gpt2.evaluation import KerasScorer

    if not texts:
        return None
    scorer = KerasScorer(folder)
    encoded = [scorer.tokenizer.encode(text) for text in texts]
    return statistics.fmean(float(scores.mean()) for scores in scorer(encoded))
