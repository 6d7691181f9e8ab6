"""Settings: the `blog_gen:` key of a site's `_config.yml`, flags over it, the defaults here below it.

Knows YAML and types, nothing of posts or tensors. Every field's comment is what a blogger needs to know;
`None` means that `blog-gen` chooses, and says what it chose.
"""

from __future__ import annotations

import dataclasses
import difflib
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

import yaml

from blog_gen.errors import ConfigError

CONFIG_KEY = "blog_gen"
STATE_FOLDER = ".blog_gen"
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml is ten times as fast, where it is there
_T = TypeVar("_T")


@dataclass(frozen=True)
class TrainingSettings:
    """How a base model is fine-tuned. `None`: chosen from the size of the blog and the machine."""

    steps: int | None = None  # optimizer steps, at most
    epochs: float | None = None  # passes over the posts, at most; early stopping usually comes first
    max_minutes: float | None = None  # stop (and keep the best weights) after this long
    learning_rate: float | None = None  # peak, after warm-up
    batch_tokens: int | None = None  # tokens an optimizer step learns from
    dropout: float | None = None  # share of activations dropped while training
    weight_decay: float = 0.1  # decoupled (AdamW), on matrices only
    clip_norm: float = 1.0  # global gradient norm is cut to this
    held_out: float = 0.1  # share of whole posts never trained on, to measure by
    patience: int = 3  # evaluations without improvement before stopping
    schedule: Literal["linear", "cosine"] = "linear"  # how the learning rate falls after warm-up
    accumulate: int | None = None  # parts that a step is computed in: as many times less memory for it
    recompute: bool | None = None  # compute activations twice instead of keeping them: slower, less memory
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
    known_words: bool = True  # write no word that neither the base's texts nor your posts have (`mini` only)
    max_tokens: int | None = None  # length of a post; None: from the site's own posts


@dataclass(frozen=True)
class Limits:
    """What a draft must keep to, or it is not written; docs/judging.md shows what real posts keep to."""

    longest_copy: int = 20  # words in a row that stand in your articles or earlier drafts
    copied_share: float = 0.1  # share of its six-word phrases that stand there
    title_likeness: float = 0.75  # to an earlier title; 1 is the same title
    title_repeats: int = 1  # longer words of its title that come again in it
    loop_words: int = 8  # words that only repeat what was just said
    repeated_phrases: float = 0.1  # share of its six-word phrases that it has said before
    repeated_lines: float = 0.3  # share of its lines that it has had before; code repeats some
    repeated_paragraphs: int = 0  # paragraphs that come again
    distinct_1: float = 0.35  # share of different words, at least, in any hundred
    distinct_2: float = 0.55  # the same for pairs of words
    distinct_3: float = 0.65  # the same for runs of three
    length_slack: float = 0.25  # how far outside your posts' usual length a draft may be
    prose_first: bool = True  # a draft must open with prose, which is its excerpt
    heading_faults: int = 0  # headings that skip a level or have nothing under them
    markup_faults: int = 0  # fences, links, tables, footnotes left open
    stray_marks: int = 4  # a * or _ that was to be emphasis and shows
    word_order: float = 0.72  # share of its word pairs in your usual order; shuffled words have 0.5
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

    site: Path = Path()  # the folder with _config.yml
    jekyll: Mapping[str, Any] = field(default_factory=dict)  # the whole of _config.yml, as read
    model: str = "mini"  # mini | 124M | 355M | 774M | 1558M | a folder
    articles: str = "_articles"  # where your posts are
    output: str = "_generated"  # where drafts are written
    style: Literal["markdown", "plain"] = "markdown"  # keep Markdown, or learn from bare prose
    posts_per_day: int = 1  # how many drafts a day
    weekdays: str = "mon tue wed thu fri sat sun"  # the days that get posts
    time: str = "00:00"  # time of day, in the site's zone, before which a day's post is not due
    catch_up: int = 3  # how many days back a missed post is still made up for; 0 for never
    candidates: int = 8  # how many are sampled for each one written
    attempts: int = 3  # rounds of candidates before giving up on a post
    # how often `run` may learn what changed; never: only `blog-gen train` learns
    retrain: Literal["changed", "daily", "weekly", "monthly", "never"] = "changed"
    # auto publishes what passes every check; pull-request asks for the yes on GitHub
    review: Literal["required", "auto", "pull-request"] = "required"
    publish: Literal["in place", "_posts", "_articles", "_drafts"] = "in place"  # where approved drafts go
    disclosure: bool = True  # end each draft with a line that says how it was made
    run: str = "default"  # name of the trained run in .blog_gen/runs
    strict: bool = False  # a post that cannot be read is a failure, not a note
    training: TrainingSettings = TrainingSettings()
    sampling: SamplingSettings = SamplingSettings()
    plugin: PluginSettings = PluginSettings()
    limits: Limits = Limits()

    @property
    def articles_folder(self) -> Path:
        return self.site / self.articles

    @property
    def output_folder(self) -> Path:
        return self.site / self.output

    @property
    def state_folder(self) -> Path:
        return self.site / STATE_FOLDER

    @property
    def run_folder(self) -> Path:
        return self.state_folder / "runs" / self.run

    @property
    def timezone(self) -> str | None:
        """The site's `timezone:`, an IANA name, or None for the machine's own."""
        return typing.cast("str | None", self.jekyll.get("timezone"))


# Fields of Settings that are not keys a blogger may write.
_DERIVED = {"site", "jekyll"}


def load_settings(
    site: Path, overrides: Mapping[str, Any] | None = None, config_files: Sequence[str] = ("_config.yml",)
) -> Settings:
    """Read a site's settings; `overrides` are flags, nested like the file, and `None` values are not set.

    Raises:
        ConfigError: the file is not valid YAML, or a key is unknown or of the wrong type.
    """
    jekyll: dict[str, Any] = {}
    settings = Settings(site=site)
    for name in config_files:
        path = site / name
        layer = _read_yaml(path)
        jekyll = _merged(jekyll, layer)
        settings = _overlaid(settings, layer.get(CONFIG_KEY) or {}, path, CONFIG_KEY)
    settings = dataclasses.replace(settings, jekyll=jekyll)
    return _overlaid(settings, _without_none(overrides or {}), None, "")


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        content = yaml.load(path.read_text(encoding="utf-8-sig"), Loader=_Loader)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ConfigError("the site's settings cannot be read", got=error.strerror, path=path) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split()).replace(' in "<unicode string>", line', " at line")
        token = "cannot start any token" in reason
        fix = "Indent with spaces, never with tabs; quote what begins with @ or `" if token else None
        raise ConfigError("the site's settings must be valid YAML", got=reason, fix=fix, path=path) from error
    if content is not None and not isinstance(content, dict):
        raise ConfigError("the site's settings must be a mapping", got=type(content).__name__, path=path)
    return content or {}


def _merged(base: Mapping[str, Any], layer: Mapping[str, Any]) -> dict[str, Any]:
    """As Jekyll does for `--config a,b`: mappings are merged key by key, all else is replaced."""
    merged = dict(base)
    for key, value in layer.items():
        below = merged.get(key)
        if isinstance(below, Mapping) and isinstance(value, Mapping):
            value = _merged(below, value)
        merged[key] = value
    return merged


def _without_none(values: Mapping[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            kept[key] = _without_none(value)
        elif value is not None:
            kept[key] = value
    return kept


def _overlaid(base: _T, values: object, path: Path | None, at: str) -> _T:
    """`base` with the fields named in `values` replaced, each checked against its declared type."""
    if not isinstance(values, Mapping):
        raise ConfigError(f"`{at}` must be a mapping of settings", got=repr(values), path=path)
    declared = typing.get_type_hints(type(base))
    allowed = [name for name in declared if name not in _DERIVED]
    changes: dict[str, Any] = {}
    for key, value in values.items():
        full = f"{at}.{key}".lstrip(".")
        if key not in allowed:
            raise ConfigError(f"`{full}` is not a setting", fix=_nearest(str(key), allowed), path=path)
        current = getattr(base, key)
        if dataclasses.is_dataclass(current):
            changes[key] = _overlaid(current, value or {}, path, full)
        else:
            changes[key] = _checked(value, declared[key], full, path)
    return dataclasses.replace(base, **changes)  # type: ignore[type-var]


def _nearest(key: str, allowed: Sequence[str]) -> str:
    close = difflib.get_close_matches(key, allowed, n=1, cutoff=0.5)
    return f"Did you mean `{close[0]}`?" if close else f"The settings are: {', '.join(allowed)}"


def _checked(value: Any, kind: Any, name: str, path: Path | None) -> Any:
    """`value` if it is of the declared `kind` (an int will do for a float), else a ConfigError."""
    if typing.get_origin(kind) is types.UnionType:
        if value is None:
            return None
        kind = next(option for option in typing.get_args(kind) if option is not type(None))
    if typing.get_origin(kind) is Literal:
        options = typing.get_args(kind)
        if value in options:
            return value
        raise ConfigError(f"`{name}` must be one of {', '.join(options)}", got=repr(value), path=path)
    if kind is float and type(value) is int:
        return float(value)
    if kind is str and type(value) in (int, float):
        return str(value)
    if type(value) is not kind:
        word = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}[kind]
        raise ConfigError(f"`{name}` must be {word}", got=repr(value), path=path)
    return value
