"""How this site writes front matter, learned from its posts, so that a draft can look like one of them.

Knows front matter and Jekyll's `defaults:`, nothing of drafts or models. A habit is what most posts do.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from blog_gen.config.settings import Settings
from blog_gen.site.articles import Article
from blog_gen.site.dates import DATE_ONLY, FULL
from blog_gen.site.publishing import defaults_for

# `flow` is `[a, b]`, `block` one item a line, `blanks` and `commas` are text: `a b`, `a,b`.
ListStyle = Literal["flow", "block", "blanks", "commas"]

_DESCRIPTIONS = ("description", "excerpt", "summary", "subtitle")
_TAGS = ("tags", "tag")
_CATEGORIES = ("category", "categories")
# Keys that say something about one post, so that a value many posts share is chance, not habit.
_OWN = {"title", "date", "published", "layout", *_DESCRIPTIONS, *_TAGS, *_CATEGORIES}
# Words in keys whose value is a post's own address, identity or day: `canonical_url`, `last-modified-at`.
_IDENTITY = frozenset(
    {"address", "alias", "aliases", "canonical", "created", "date", "doi", "guid", "href", "id", "identifier"}
    | {"lastmod", "link", "modified", "oldurl", "permalink", "redirect", "ref", "shortlink", "slug"}
    | {"updated", "uri", "url", "urn", "uuid"}
)
_PLACEHOLDER = re.compile(r":(?:title|slug|name|path)\b")  # makes one permalink the address of many posts
_PICTURES = frozenset({"banner", "cover", "image", "img", "photo", "picture", "teaser", "thumb", "thumbnail"})
_KEY_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
SHARED = 2  # posts with a value, at least: what one post says is no habit
SHARED_PICTURE = 5  # the same of a picture, which a few posts may share because they are about one thing
_TIME = re.compile(r"[T ]\d{1,2}:\d\d(?P<seconds>:\d\d)?")


@dataclass(frozen=True)
class Habit:
    """What most of a site's posts have in common; None where most do not have it."""

    keys: tuple[str, ...]  # the front matter keys of most posts, in their usual order
    constants: Mapping[str, Any]  # those that have one value in most posts (`author: …`), by key
    layout: str | None  # what posts carry, or what `defaults:` gives to them and not to drafts
    tags_key: str | None  # `tags` or `tag`
    tags_style: ListStyle
    category_key: str | None  # `category` or `categories`
    category_style: ListStyle
    description_key: str | None  # only where most posts have text there
    date_pattern: str | None  # for `dates.format_date`
    date_quoted: bool
    tags: tuple[str, ...]  # most used first, in the usual spelling
    categories: tuple[str, ...]
    words: tuple[int, int]  # of a body: the 5th and the 95th percentile


def habit_of(articles: Sequence[Article], settings: Settings) -> Habit:
    """The habit of a site with these posts, of which there is at least one."""
    keys = _usual_keys(articles)
    tags_key = next((key for key in keys if key in _TAGS), None)
    category_key = next((key for key in keys if key in _CATEGORIES), None)
    written_dates = [text for article in articles if (text := _written(article, "date"))]
    return Habit(
        keys=keys,
        constants=_constants(articles, keys),
        layout=_layout(articles, settings),
        tags_key=tags_key,
        tags_style=_list_style(articles, tags_key),
        category_key=category_key,
        category_style=_list_style(articles, category_key),
        description_key=_description_key(articles),
        date_pattern=_usual(map(_date_pattern, written_dates)) if "date" in keys else None,
        date_quoted=_usual(text[0] in "\"'" for text in written_dates) or False,
        tags=_taxonomy(article.tags for article in articles),
        categories=_taxonomy(article.categories for article in articles),
        words=_word_range(articles),
    )


def _usual(values: Iterable[Any]) -> Any:
    """The commonest value, the first of several as common; None where there is none."""
    ranked = Counter(values).most_common(1)
    return ranked[0][0] if ranked else None


def _of_most(values: Iterable[Any], articles: Sequence[Article]) -> Any:
    """The value that more than half of all posts have, else None."""
    ranked = Counter(values).most_common(1)
    return ranked[0][0] if ranked and 2 * ranked[0][1] > len(articles) else None


def _usual_keys(articles: Sequence[Article]) -> tuple[str, ...]:
    """Keys of more than half the posts, by their mean place among the keys."""
    places: dict[str, list[int]] = {}
    for article in articles:
        for place, key in enumerate(article.front_matter):
            places.setdefault(key, []).append(place)
    usual = [key for key in places if 2 * len(places[key]) > len(articles)]
    return tuple(sorted(usual, key=lambda key: sum(places[key]) / len(places[key])))


def _constants(articles: Sequence[Article], keys: Sequence[str]) -> dict[str, Any]:
    shared = {key: _constant(articles, key) for key in keys if key not in _OWN}
    return {key: value for key, value in shared.items() if value is not None}


def _constant(articles: Sequence[Article], key: str) -> Any:
    """The one value that most posts have, unless it may say which post it is."""
    values = _scalars(articles, key)
    value = _of_most(values, articles)
    words = {word.lower() for word in _KEY_WORDS.findall(key)}
    least = SHARED_PICTURE if words & _PICTURES else SHARED
    if value is None or values.count(value) < least:
        return None
    return None if words & _IDENTITY and not _is_pattern(key, value) else value


def _is_pattern(key: str, value: Any) -> bool:
    return key == "permalink" and _PLACEHOLDER.search(str(value)) is not None


def _scalars(articles: Sequence[Article], key: str) -> list[Any]:
    """A day or a time is no scalar here: no post has its own because others have it."""
    values = [article.front_matter.get(key) for article in articles]
    return [value for value in values if isinstance(value, str | int | float)]


def _layout(articles: Sequence[Article], settings: Settings) -> str | None:
    """What most posts carry; or what `defaults:` gives to most of them, but not where a draft will stand."""
    carried = _of_most(_scalars(articles, "layout"), articles)
    if carried is not None:
        return str(carried)
    given = _of_most((_default_layout(settings.site / each.path, settings) for each in articles), articles)
    to_posts = settings.publish == "_posts"
    folder = settings.collections_folder / "_posts" if to_posts else settings.output_folder
    return given if given != _default_layout(folder / "2020-01-01-draft.md", settings) else None


def _default_layout(path: Path, settings: Settings) -> str | None:
    layout = defaults_for(path, settings).get("layout")
    return None if layout is None else str(layout)


def _written(article: Article, key: str) -> str:
    """What stands after `key:` on its line, as it is written."""
    line = re.search(rf"^{key}[ \t]*:(.*)$", article.raw, re.MULTILINE)
    return re.split(r"[ \t]#", line[1], maxsplit=1)[0].strip(" \t") if line else ""


def _list_style(articles: Sequence[Article], key: str | None) -> ListStyle:
    """How most posts that have a value for `key` write it."""
    if key is None:
        return "flow"
    filled = [article for article in articles if article.front_matter.get(key)]
    return _usual(_style_of(article, key) for article in filled) or "flow"


def _style_of(article: Article, key: str) -> ListStyle:
    value = article.front_matter[key]
    if isinstance(value, list):
        return "flow" if _written(article, key).startswith("[") else "block"
    return "commas" if "," in str(value) else "blanks"


def _description_key(articles: Sequence[Article]) -> str | None:
    described = (key for article in articles for key in _DESCRIPTIONS if article.front_matter.get(key))
    key: str | None = _of_most(described, articles)
    return key


def _date_pattern(written: str) -> str:
    """
    >>> _date_pattern("2021-07-10"), _date_pattern('"2021-07-10 09:05 +0100"')
    ('%Y-%m-%d', '%Y-%m-%d %H:%M %z')
    """
    time = _TIME.search(written)
    if time is None:
        return DATE_ONLY
    return FULL if time["seconds"] else FULL.replace(":%S", "")


def _taxonomy(lists: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    """All names, the most used first, each in its commonest spelling: `Vim` and `vim` are one."""
    spellings: dict[str, Counter[str]] = {}
    for names in lists:
        for name in names:
            spellings.setdefault(name.casefold(), Counter())[name] += 1
    ranked = sorted(spellings.values(), key=lambda counts: -counts.total())
    return tuple(_usual(counts.elements()) for counts in ranked)


def _word_range(articles: Sequence[Article]) -> tuple[int, int]:
    counts = sorted(len(article.body.split()) for article in articles)
    last = len(counts) - 1
    return counts[math.floor(0.05 * last)], counts[math.ceil(0.95 * last)]
