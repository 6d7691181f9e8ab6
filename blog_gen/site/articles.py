"""The posts of a site, read from its articles folder. Knows files and Jekyll's rules, nothing of models.

Left out in silence is what the blogger left out: `published: false`, other files than Markdown, and whatever
blog-gen wrote itself, wherever it was moved. What is at fault is mended where that can mean only one thing,
else left out, each with a note; one bad post never stops the rest, unless the settings are `strict`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from blog_gen.config.settings import CONFIG_KEY, Settings
from blog_gen.errors import ArticleError, Note
from blog_gen.site import dates, front_matter
from blog_gen.site.decoding import UndecodableError, decode
from blog_gen.site.folder import LeftOut, candidates, content_of

LEFT_OUT = "left out"  # what a note says was done about a post that cannot be used


@dataclass(frozen=True)
class Article:
    """A published post by the blogger."""

    path: Path  # relative to the site
    title: str  # one line, never empty
    body: str  # Markdown after the front matter, LF line ends, stripped, never empty
    tags: tuple[str, ...]
    categories: tuple[str, ...]
    date: datetime | None  # aware, in the site's zone
    front_matter: Mapping[str, Any]  # as read, in the file's order
    raw: str  # the front matter's own text, without the fences: how it is written shows the site's habit


@dataclass(frozen=True)
class Reading:
    """All that was read, and what there is to say about it."""

    articles: tuple[Article, ...]  # sorted by path, never empty
    notes: tuple[Note, ...]  # mended or left out


@dataclass
class _Log:
    """Collects notes, or fails at the first post left out where the settings are strict."""

    strict: bool
    notes: list[Note] = field(default_factory=list)

    def left_out(self, path: Path, rule: str) -> None:
        if self.strict:
            raise ArticleError(
                rule, fix="Mend or move the post, or set `strict: false` to go on without it", path=path
            )
        self.notes.append(Note(path, rule, LEFT_OUT))


def read_articles(settings: Settings) -> Reading:
    """Read every post of the site that its author published.

    Raises:
        ArticleError: there is none to learn from, or one must be left out and the settings are strict.
        ConfigError: the site's time zone is none.
    """
    log = _Log(settings.strict)
    articles = []
    for path, file in candidates(settings):
        try:
            data = content_of(file, settings)
            article = None if data is None else _read(path, data, settings, log.notes)
        except LeftOut as reason:
            log.left_out(path, str(reason))
        else:
            articles += [article] if article else []
    distinct = tuple(_distinct(articles, log))
    if not distinct:
        raise ArticleError(
            "there must be a published post to learn from",
            got=f"{len(log.notes)} that had to be left out" if log.notes else "none",
            fix=_first_notes(log.notes)
            or "Put Markdown files with a `title:` there, or set `blog_gen.articles`",
            path=settings.articles_folder,
        )
    return Reading(distinct, tuple(log.notes))


def _first_notes(notes: list[Note]) -> str:
    return "; ".join(str(note) for note in notes[:3])


def fingerprint(settings: Settings) -> str:
    """SHA-256, in hexadecimal, over the path and the bytes of every file that may be a post.

    The same as long as no post is added, changed, moved or removed. No YAML is parsed, and a post that
    blog-gen wrote changes nothing.

    Raises:
        ArticleError: there is no articles folder.
    """
    digest = hashlib.sha256()
    for path, file in candidates(settings):
        with suppress(LeftOut):
            data = content_of(file, settings)
            if data is not None:
                digest.update(f"{path.as_posix()}\0{len(data)}\0".encode())
                digest.update(data)
    return digest.hexdigest()


@dataclass(frozen=True)
class Parts:
    """What a file is made of, mended where that can mean only one thing."""

    raw: str | None  # the front matter's own text; None where there is none
    values: dict[str, Any]
    body: str  # as it stands, not blank
    notes: tuple[Note, ...]


def parts_of(data: bytes, path: Path) -> Parts:
    """The one reading of a post's bytes, for all that read posts.

    Raises:
        LeftOut: it is no text, its front matter means nothing for certain, or it has no text besides.
    """
    try:
        text, slips = decode(data, path)
        if not text.strip():
            raise LeftOut("a post must not be empty")
        raw, body, more_slips = _parted(text, path)
        values, yet_more = _parsed(raw or "", path)
    except (UndecodableError, front_matter.FrontMatterError) as reason:
        raise LeftOut(str(reason)) from reason
    if not body.strip():
        raise LeftOut("a post must have text after its front matter")
    return Parts(raw, values, body, (*slips, *more_slips, *yet_more))


def _read(path: Path, data: bytes, settings: Settings, notes: list[Note]) -> Article | None:
    """The post, or None if its author does not want it published."""
    parts = parts_of(data, path)
    values = parts.values
    if CONFIG_KEY in values or values.get("published") is False:
        return None
    notes += parts.notes
    return Article(
        path=path,
        title=title_of(values, path),
        body=parts.body.strip(),
        tags=names_of(values, "tag", "tags"),
        categories=names_of(values, "category", "categories"),
        date=_date(values, path, settings, notes),
        front_matter=values,
        raw=parts.raw or "",
    )


def _parted(text: str, path: Path) -> tuple[str | None, str, list[Note]]:
    """Front matter and body; without front matter, or with blank lines before it, read all the same."""
    raw, body = front_matter.split(text)
    if raw is not None:
        return raw, body, []
    raw, body = front_matter.split(text.lstrip())
    if raw is not None:
        return raw, body, [Note(path, "front matter must begin on the first line", "read as if it did")]
    rule = "a post must have front matter, or Jekyll does not build it"
    return None, text, [Note(path, rule, "learned from, titled by its file name")]


def _parsed(raw: str, path: Path) -> tuple[dict[str, Any], list[Note]]:
    try:
        return front_matter.parse(raw), []
    except front_matter.FrontMatterError as error:
        better, notes = front_matter.mended(raw, path)
        if not notes:
            raise error
        return front_matter.parse(better), notes


def title_of(values: Mapping[str, Any], path: Path) -> str:
    """The title as the site shows it; without one, the file name's slug in words, as Jekyll makes them."""
    given = values.get("title")
    title = "" if isinstance(given, list | dict | bool) else _one_line(given)
    slug = dates.split_name(path.stem)[1]
    return title or " ".join(word.capitalize() for word in re.split(r"[-_\s]+", slug) if word) or path.stem


def names_of(values: Mapping[str, Any], singular: str, plural: str) -> tuple[str, ...]:
    """Tags or categories, each once: a list; text split at commas, else at blanks; a singular key whole.

    >>> names_of({"tags": "vim, shell"}, "tag", "tags"), names_of({"tag": "plain text"}, "tag", "tags")
    (('vim', 'shell'), ('plain text',))
    """
    given: Any = values.get(singular)
    if given is None:
        given = values.get(plural)
        if isinstance(given, str):
            given = given.split("," if "," in given else None)
    items = given if isinstance(given, list) else [given]
    names = (_one_line(item) for item in items if not isinstance(item, list | dict))
    return tuple(dict.fromkeys(name for name in names if name))


def _one_line(value: object) -> str:
    if value is None:
        return ""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return " ".join(text.split())


def _date(values: Mapping[str, Any], path: Path, settings: Settings, notes: list[Note]) -> datetime | None:
    """From `date:`, else from the file name."""
    zone = dates.zone_of(settings)
    in_name = dates.split_name(path.stem)[0]
    for value in (values.get("date"), in_name):
        if value is None:
            continue
        try:
            return dates.parse_date(value, zone)
        except ValueError:
            action = "read without" if value is in_name or in_name is None else "dated by its file name"
            notes.append(Note(path, f"`{str(value)[:40]}` is not a date", action))
    return None


def _distinct(articles: list[Article], log: _Log) -> Iterator[Article]:
    """Without the second of two posts with the same text; two with only the same title are noted."""
    bodies: dict[str, Article] = {}
    titles: dict[str, Article] = {}
    for article in articles:
        twin = bodies.setdefault(article.body, article)
        if twin is not article:
            log.left_out(article.path, f"two posts must not have the same text, and {twin.path} has it")
            continue
        namesake = titles.setdefault(article.title.casefold(), article)
        if namesake is not article:
            log.notes.append(
                Note(article.path, f"two posts have the same title, and {namesake.path} has it", "both kept")
            )
        yield article
