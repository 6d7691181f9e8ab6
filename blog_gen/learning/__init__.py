"""From the site's posts to a trained run: what is to be learned, whether anything changed, the fine-tune.

Joins the blog side and the model side: `preparing` says how a run begins, `finishing` what it leaves.
TensorFlow is imported only when something is trained.
"""

from __future__ import annotations

import dataclasses
import hashlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from blog_gen import runs
from blog_gen.config.settings import Settings
from blog_gen.errors import Note
from blog_gen.model.quiet import quiet
from blog_gen.site.articles import Article, fingerprint, read_articles
from blog_gen.site.habit import Habit, habit_of
from blog_gen.text.plain import to_plain
from blog_gen.text.post import Post, keys_of, render

if TYPE_CHECKING:
    from blog_gen.learning.preparing import Lesson

# Settings of training that change how long it takes or how much memory, not what is learned or how well.
NOT_DECIDING = ("max_minutes", "accumulate", "recompute")


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
    return not settings_that_differ(depends_on(settings), meta.settings)


def depends_on(settings: Settings) -> dict[str, Any]:
    """The settings that a trained run depends on, by their names; changing another one never retrains."""
    training = dataclasses.asdict(settings.training).items()
    decide = {f"training.{name}": value for name, value in training if name not in NOT_DECIDING}
    return {"model": settings.model, "style": settings.style, **decide}


def settings_that_differ(one: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    """Those of `one` that `other` does not have so, as they may be written under `blog_gen:`; empty for none.

    >>> settings_that_differ({"model": "124M", "training.lora": 8, "training.seed": 0}, {"training.seed": 0})
    '`model: 124M`, `training: {lora: 8}`'
    """
    found = {name: value for name, value in one.items() if name not in other or other[name] != value}
    lines = {name: "null" if value is None else value for name, value in found.items()}
    parts = [f"{name}: {value}" for name, value in lines.items() if "." not in name]
    nested = [f"{name.partition('.')[2]}: {value}" for name, value in lines.items() if "." in name]
    if nested:
        parts.append(f"training: {{{', '.join(nested)}}}")
    return ", ".join(f"`{part}`" for part in parts)


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
    files = fingerprint(settings)
    if meta is not None and not _same_settings(meta, settings):
        monitor.note(_kept_note(meta, settings))
        meta = None
    if meta is not None and not fresh and _began_anew(settings, corpus, meta):
        meta = None
    if meta is not None and meta.articles == corpus.sha256 and not fresh:
        if meta.fingerprint != files:
            meta = dataclasses.replace(meta, fingerprint=files)
            runs.write_meta(settings.run_folder, meta)
        return meta
    quiet()  # before what imports Keras
    from blog_gen.learning.finishing import finish
    from blog_gen.learning.preparing import prepare

    lesson = prepare(settings, corpus, None if fresh else meta, fresh, monitor.note)
    monitor.started(lesson.sentence, lesson.tuning.recipe.steps)
    minutes = settings.training.max_minutes
    outcome = lesson.tuning.run(
        _watching(monitor, lesson),
        monitor.interrupted,
        max_seconds=math.inf if minutes is None else 60 * minutes,
    )
    return finish(settings, corpus, lesson, outcome, files, now) if outcome else None


def _began_anew(settings: Settings, corpus: Corpus, meta: runs.Meta) -> bool:
    """Whether today's posts were begun anew, from the base, though there is the run `meta`: that goes on."""
    from blog_gen.learning.begun import has_state, read_begun

    folder = settings.run_folder / runs.STATE_FOLDER
    begun = read_begun(folder) if has_state(folder) else None
    if begun is None or begun.start == meta.weights:
        return False
    return begun.settings == depends_on(settings) and begun.articles == corpus.sha256


def _kept_note(meta: runs.Meta, settings: Settings) -> Note:
    was = settings_that_differ(meta.settings, depends_on(settings))
    now = settings_that_differ(depends_on(settings), meta.settings)
    return Note(
        settings.run_folder,
        f"this run was learned with {was}, and the settings are {now}",
        f"it is kept as {runs.kept_folder(settings.run_folder).name} once the new one is learned",
    )


def _watching(monitor: Monitor, lesson: Lesson) -> Callable[[dict[str, float]], None]:
    """What the run reports to: the monitor, with a sample after every so many steps where one is wanted."""
    if monitor.sample is None or not monitor.sample_every:
        return monitor.row
    from blog_gen.learning.preview import preview
    from blog_gen.model.bpe import Tokenizer

    tokenizer, hear, every = Tokenizer.load(lesson.base), monitor.sample, monitor.sample_every

    def row(values: dict[str, float]) -> None:
        monitor.row(values)
        step = int(values["step"])
        if "held_out" not in values and step % every == 0:
            hear(step, preview(lesson.tuning, tokenizer))

    return row
