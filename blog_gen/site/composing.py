"""A draft as the text of its file: front matter in the site's habit, then the body.

Knows YAML and the parsers that will read it; nothing of file names, and it writes nothing. A text is given
only where all of them find in it what was meant.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from blog_gen.config.layers import as_mapping
from blog_gen.config.settings import CONFIG_KEY, Settings
from blog_gen.errors import DraftError
from blog_gen.site import dates, front_matter
from blog_gen.site.descriptions import description_of
from blog_gen.site.front_matter import Bare, FlowList, FlowMap, FrontMatterError
from blog_gen.site.habit import Habit, ListStyle

UNDATED = "_drafts"  # a folder whose files have no date in their names: jekyll-compose puts one before them


@dataclass(frozen=True)
class Draft:
    """A generated post."""

    title: str
    body: str  # Markdown, safe to build, LF line ends, stripped
    date: datetime  # aware
    tags: tuple[str, ...] = ()
    category: str | None = None
    provenance: Mapping[str, Any] = field(default_factory=dict)  # the nested `blog_gen:` key, plain values
    published: bool = False
    path: Path | None = None  # where it was read from


def composed(draft: Draft, habit: Habit, settings: Settings) -> str:
    """The file's text, after all parsers that will read it have given back what went in.

    The date is written in the time zone that it has.

    Raises:
        DraftError: a parser would read something else than was meant.
    """
    values = _plain(_front_matter(draft, habit, settings))
    try:
        text = f"---\n{front_matter.dump(values)}---\n\n{draft.body}\n"
        text.encode("utf-8")
    except (yaml.YAMLError, UnicodeEncodeError) as error:
        raise _unwritable(draft, str(error)) from error
    for reader, read in _readings(text).items():
        if (_comparable(read[0]), read[1]) != (_comparable(values), draft.body):
            raise _unwritable(draft, f"{reader} reads something else")
    if not draft.title or "\n" in draft.title:
        raise _unwritable(draft, "the title is not one line")
    return text


def _comparable(values: Any) -> Any:
    """`values` with their date as the moment that it is: some parsers make one of it, others text."""
    with suppress(TypeError, KeyError, ValueError):
        return {**values, "date": dates.parse_date(values["date"], UTC)}
    return values


def _unwritable(draft: Draft, reason: str) -> DraftError:
    return DraftError("a draft must be read back as it was meant", got=f"{draft.title!r}: {reason}")


def _readings(text: str) -> dict[str, tuple[Any, str]]:
    """Front matter and body of `text` as our own reader, PyYAML's and python-frontmatter find them."""
    # A witness only: it reads what Jekyll refuses, and writes sorted keys, with words bare that Ruby takes
    # for booleans. Imported here, since it costs 20 ms.
    import frontmatter

    text = text.replace("\r", "\n")  # as whoever opens a text file gets it
    try:
        raw, body = front_matter.split(text)
        post = frontmatter.loads(text)
        return {
            "blog-gen": (front_matter.parse(raw or ""), body.strip()),
            "PyYAML": (yaml.safe_load(raw or ""), body.strip()),
            "python-frontmatter": (post.metadata, post.content),
        }
    except (FrontMatterError, yaml.YAMLError) as error:
        return {"a YAML parser": (str(error), "")}


def _front_matter(draft: Draft, habit: Habit, settings: Settings) -> dict[str, Any]:
    """The keys of the site's posts that a draft can fill, in their order, then its state and provenance.

    jekyll-compose's defaults fill what is still missing.
    """
    known: dict[str | None, Any] = {
        "title": draft.title,
        "date": _date(draft.date, habit, settings),
        "layout": habit.layout,
        habit.tags_key or "tags": _as_list(draft.tags, habit.tags_style),
        habit.category_key: _category(draft.category, habit),
        habit.description_key: description_of(draft.body),
    }
    known.update(habit.constants)
    order = dict.fromkeys(("title", *habit.keys) if "title" not in habit.keys else habit.keys)
    if habit.layout is not None:
        order.setdefault("layout")
    order.setdefault("date")
    if draft.tags and habit.tags_key is None:  # asked for, where the site has none
        order.setdefault("tags")
    values = {key: known[key] for key in order if known.get(key) not in (None, "", [])}
    for key, value in _compose_defaults(settings).items():
        if value not in (None, "", []) and key not in ("published", CONFIG_KEY):
            values.setdefault(str(key), value)
    if not draft.published:
        values["published"] = False
    elif "published" in habit.keys:
        values["published"] = True
    return {**values, CONFIG_KEY: on_one_line(draft.provenance)}


def _compose_defaults(settings: Settings) -> Mapping[str, Any]:
    """What jekyll-compose would give to a new file of the collection in which a draft will end."""
    folder = settings.output if settings.publish == "in place" else settings.publish
    found: Any = settings.jekyll
    for key in ("jekyll_compose", "default_front_matter", PurePosixPath(folder).name.removeprefix("_")):
        found = as_mapping(found).get(key)
    return as_mapping(found)


def on_one_line(provenance: Mapping[str, Any]) -> Mapping[str, Any]:
    """`provenance` to be written so, unless it is a long one of a version before 0.2.0."""
    return provenance if "scores" in provenance else FlowMap(provenance)


def _date(moment: datetime, habit: Habit, settings: Settings) -> str:
    """As the site writes it, but in full: an offset needs a time, and without one it is no moment."""
    pattern = habit.date_pattern if habit.date_pattern and "%H" in habit.date_pattern else dates.FULL
    text = dates.format_date(moment, pattern)
    to_drafts = settings.publish == UNDATED  # jekyll-compose, which publishes from there, takes only text
    return text if habit.date_quoted or to_drafts else Bare(text)


def _category(category: str | None, habit: Habit) -> Any:
    """`category:` is one name as it stands; `categories:` a list as the site writes its lists."""
    if category is None or habit.category_key != "categories":
        return category
    return _as_list((category,), habit.category_style)


def _as_list(items: tuple[str, ...], style: ListStyle) -> Any:
    """`items` in the site's style, or as `[a, b]` where that style would tear one of them apart."""
    separator = {"blanks": " ", "commas": ","}.get(style)
    if style == "block":
        return list(items)
    if separator is None or any(separator in item for item in items):
        return FlowList(items)
    return separator.join(items)


def _plain(value: Any) -> Any:
    """`value` of the types that YAML has, but for lists on one line, which stay what they are."""
    if isinstance(value, Mapping):
        kind = FlowMap if isinstance(value, FlowMap) else dict
        return kind({str(key): _plain(item) for key, item in value.items()})
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value
