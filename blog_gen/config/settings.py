"""Settings: the `blog_gen:` key of a site's `_config.yml`, flags over it, the defaults here below it.

Knows nothing of posts or tensors. Every field's comment is what a blogger needs to know;
`None` means that `blog-gen` chooses, and says what it chose.
"""

from __future__ import annotations

import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from blog_gen.errors import Note

CONFIG_KEY = "blog_gen"
STATE_FOLDER = ".blog_gen"
STAT_CACHE_FILE = "stat_cache.json"  # in there: what was found out about files that are as they were
CONFIG_FILES = ("_config.yml",)  # where nobody names others; `_config.yaml` will do, too
_DERIVED = {"derived": True}  # not a key that a blogger may write


@dataclass(frozen=True)
class TrainingSettings:
    """How a base model is fine-tuned. What is not set is chosen from the size of the blog and the machine."""

    steps: int | None = None  # optimizer steps, at most
    epochs: float | None = None  # passes over the posts, at most; early stopping usually comes first
    max_minutes: float | None = None  # stop (and keep the best weights) after this long
    learning_rate: float | None = None  # peak, after warm-up
    batch_tokens: int | None = None  # tokens an optimizer step learns from
    dropout: float | None = None  # share of activations dropped while training
    weight_decay: float = 0.1  # decoupled (AdamW), on matrices only
    clip_norm: float = 1.0  # global gradient norm is cut to this
    held_out: float = 0.1  # share of whole posts never trained on, to measure by: 100,000 characters will do
    patience: int = 3  # evaluations without improvement before stopping
    schedule: Literal["linear", "cosine"] = "linear"  # how the learning rate falls after warm-up
    gradient_accumulation: int | None = None  # compute a step in so many parts: less memory
    activation_checkpointing: bool | None = None  # compute activations twice, do not keep them: less memory
    lora: int | None = None  # train adapters of this rank instead of the weights: far less memory
    freeze: int = 0  # leave the embeddings and so many first blocks as they are
    precision: Literal["auto", "bfloat16", "float32"] = "auto"  # of matrix products
    seed: int = 0  # order of posts and dropout


@dataclass(frozen=True)
class SamplingSettings:
    """How text is drawn from the model, with the field's usual names."""

    temperature: float = 0.9  # 0 is greedy; higher is bolder
    top_k: int = 0  # keep the k likeliest tokens; 0 keeps all
    top_p: float = 0.95  # keep the likeliest tokens that hold this much probability
    min_p: float = 0.0  # drop tokens less likely than this share of the likeliest
    typical_p: float = 1.0  # keep the tokens of most usual surprise that hold this much probability
    repetition_penalty: float = 1.0  # above 1 makes tokens already used less likely
    frequency_penalty: float = 0.0  # taken from a token's logit for every time it was used
    presence_penalty: float = 0.0  # taken once from the logit of a token that was used
    no_repeat_ngram: int = 0  # no run of so many tokens comes twice; 0 allows any
    vocabulary_constraint: bool = True  # with `mini`: only words of your posts or of the base's texts
    max_tokens: int | None = None  # length of a post; not set: from the site's own posts


@dataclass(frozen=True)
class Limits:
    """What a draft must keep to, or it is not written. Where your posts need more, it is the blog's own limit
    that holds, unless you set one (docs/judging.md)."""

    longest_copy: int = 20  # words in a row that stand in your articles or earlier drafts
    copied_share: float = 0.1  # share of its words that are copied from there, six in a row or more
    copied_paragraph: int = 15  # words of a paragraph that stands whole in another post
    title_likeness: float = 0.85  # to an earlier title; 1 is the same title
    title_repeats: int = 1  # longer repeated words in its title
    loop_words: int = 8  # words that only repeat what was just said
    repeated_phrases: float = 0.1  # share of its six-word phrases that it has said before
    repeated_lines: float = 0.4  # share of its lines that it has had before; code repeats some
    repeated_paragraphs: int = 0  # paragraphs that come again, at once or where they are long
    distinct_1: float = 0.3  # share of different words, at least, in any hundred
    distinct_2: float = 0.45  # the same for pairs of words
    distinct_3: float = 0.55  # the same for runs of three
    length_slack: float = 0.25  # how far outside your posts' usual length a draft may be
    prose_first: bool = True  # a draft must open with prose, which is its excerpt
    heading_faults: int = 0  # headings that skip a level or have nothing under them
    markup_faults: int = 0  # fences, links, tables, footnotes left open
    left_open: int = 0  # what a text that was cut ends with: an open fence or link, an empty heading
    broken_off: int = 0  # words of a last sentence that breaks off
    stray_marks: int = 6  # a * or _ that was to be emphasis and shows
    word_order: float = 0.7  # its word pairs that your posts know, by order, not by chance; shuffled: 0.5
    surprise_least: float = 0.4  # of the model, where your held-out posts are 1; loops surprise it less
    surprise_most: float = 1.2  # what surprises it more is not language


@dataclass(frozen=True)
class PluginSettings:
    """What the Jekyll plugin may do before a build; it reads them itself."""

    train: bool = False  # also train when the articles changed, not only write what is due
    serve: bool = False  # also act under `jekyll serve`
    seconds: int = 120  # longer, and the build goes on without
    command: str = "blog-gen"  # a path, where the shell that builds does not find it


@dataclass(frozen=True)
class Settings:
    """All settings of one site, resolved."""

    site: Path = field(default=Path(), metadata=_DERIVED)  # the folder with _config.yml
    # the whole of _config.yml, as read
    jekyll: Mapping[str, Any] = field(default_factory=dict, metadata=_DERIVED)
    # what there is to say about how the settings were read
    notes: tuple[Note, ...] = field(default=(), metadata=_DERIVED)
    # the file that has the last word on each key of it
    origins: Mapping[str, Path] = field(default_factory=dict, metadata=_DERIVED)
    # the settings that somebody wrote or gave by flag, groups' own ones in dots; others have their defaults
    given: frozenset[str] = field(default=frozenset(), metadata=_DERIVED)
    model: str = "mini"  # mini | 124M … 1558M | smollm2 | OWNER/NAME | a folder
    articles: str = "_articles"  # where your posts are: a folder, a list, a pattern as **/_posts, or auto
    language: str | None = None  # of the posts to learn, such as en or de; not set: that of most
    output: str = "_generated"  # where drafts are written
    style: Literal["markdown", "plain"] = "markdown"  # keep Markdown, or learn from bare prose
    posts_per_day: int = 1  # how many drafts a day
    weekdays: str = "mon tue wed thu fri sat sun"  # the days that get posts; a list will do, too
    time: str = "00:00"  # time of day, in the site's zone, before which a day's post is not due
    catch_up: int = 3  # how many days back a missed post is still made up for; 0 for never
    candidates: int = 8  # how many are sampled for each one written
    attempts: int = 3  # rounds of candidates before giving up on a post
    # how often `run` may learn what changed; never: only `blog-gen train` learns
    retrain: Literal["changed", "daily", "weekly", "monthly", "never"] = "changed"
    # auto publishes what passes every check; pull-request asks for the yes on GitHub
    review: Literal["required", "auto", "pull-request"] = "required"
    publish: Literal["in place", "_posts", "_articles", "_drafts"] = "in place"  # where approved drafts go
    # end each draft with a line that says how it was made, in your language; or that line, as Markdown
    disclosure: bool | str = True
    run: str = "default"  # name of the trained run in .blog_gen/runs
    strict: bool = False  # a post that cannot be read is a failure, not a note
    training: TrainingSettings = TrainingSettings()
    sampling: SamplingSettings = SamplingSettings()
    plugin: PluginSettings = PluginSettings()
    limits: Limits = Limits()

    @property
    def source_folder(self) -> Path:
        """Jekyll's `source:`, the folder that it makes the site from."""
        return self.site / str(self.jekyll.get("source") or "")

    @property
    def destination_folder(self) -> Path:
        """Jekyll's `destination:`, the folder that it builds the site into."""
        return self.site / str(self.jekyll.get("destination") or "_site")

    @property
    def collections_folder(self) -> Path:
        """Jekyll's `collections_dir:`, in which `_posts`, `_drafts` and all collections are."""
        return self.source_folder / str(self.jekyll.get("collections_dir") or "").strip("/")

    @property
    def chosen_limits(self) -> frozenset[str]:
        """The limits that a person has set; all others may be the blog's own."""
        return frozenset(name.removeprefix("limits.") for name in self.given if name.startswith("limits."))

    @property
    def articles_folder(self) -> Path:
        """The first folder that `articles` names; `_posts` where it is a pattern."""
        first = articles_named(self.articles)[0]
        return self.collections_folder / "_posts" if "*" in first else self.site / first

    @property
    def output_folder(self) -> Path:
        return self.site / self.output

    @property
    def state_folder(self) -> Path:
        return self.site / STATE_FOLDER

    @property
    def run_folder(self) -> Path:
        return self.state_folder / "runs" / self.run

    def file_of(self, key: str) -> Path:
        """The file in which the top-level `key` stands, to be named where it is wrong."""
        return self.origins.get(key, self.site / CONFIG_FILES[0])

    @property
    def timezone(self) -> str | None:
        """The site's `timezone:`, an IANA name, or None for the machine's own."""
        return typing.cast("str | None", self.jekyll.get("timezone"))


def articles_named(articles: str) -> tuple[str, ...]:
    """The folders and patterns in the setting `articles`, of which there is at least one.

    >>> articles_named("_posts, news/_posts")
    ('_posts', 'news/_posts')
    """
    return tuple(name.strip() for name in articles.split(",") if name.strip()) or (articles,)
