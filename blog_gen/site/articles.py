"""The posts of a site that a visitor may see. Knows files and Jekyll's rules, nothing of models.

Left out in silence is what blog-gen wrote itself, wherever it was moved, and other files than Markdown and
HTML. What Jekyll does not build is hidden from its visitors and so from us: it is listed, and not read. What
is at fault is mended where that can mean only one thing, else left out, each with a note; one bad post never
stops the rest, unless the settings are `strict`.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from blog_gen.config.settings import CONFIG_KEY, Settings
from blog_gen.errors import ArticleError, Note
from blog_gen.site.folder import LeftOut, PostFile, content_of, post_files
from blog_gen.site.jekyll.limits import beyond_the_limit
from blog_gen.site.jekyll.values import date_of, names_of, title_of
from blog_gen.site.jekyll.visibility import Visibility
from blog_gen.site.parts import NO_TEXT, parts_of, seen

LEFT_OUT = "left out"  # what a note says was done about a post that cannot be used


@dataclass(frozen=True)
class Article:
    """A published post by the blogger."""

    path: Path  # relative to the site
    title: str  # one line, never empty
    body: str  # Markdown that a visitor sees the text of, LF line ends, stripped, never empty
    tags: tuple[str, ...]
    categories: tuple[str, ...]
    date: datetime | None  # aware, in the site's zone
    front_matter: Mapping[str, Any]  # as read, in the file's order
    raw: str  # the front matter's own text, without the fences: how it is written shows the site's habit
    defaults: Mapping[str, Any] = field(default_factory=dict)  # what the site says where the post does not


@dataclass(frozen=True)
class HiddenPost:
    """A post that no visitor may see."""

    path: Path  # relative to the site
    why: str
    until: datetime | None = None  # aware; from then on it is seen, if nothing changes


@dataclass(frozen=True)
class Reading:
    """All that was read, and what there is to say about it."""

    articles: tuple[Article, ...]  # sorted by path, never empty
    notes: tuple[Note, ...]  # mended or left out
    hidden: tuple[HiddenPost, ...] = ()  # sorted by path

    @property
    def changes_at(self) -> datetime | None:
        """When the next post becomes visible by itself, since its day comes; None for never."""
        return min((post.until for post in self.hidden if post.until), default=None)


@dataclass
class _Log:
    """Collects notes, or fails at the first post left out where the settings are strict."""

    strict: bool
    notes: list[Note] = field(default_factory=list)

    def left_out(self, path: Path, rule: str) -> None:
        if self.strict:
            raise ArticleError(
                rule, fix="Fix or move the post, or set `strict: false` to continue without it", path=path
            )
        self.notes.append(Note(path, rule, LEFT_OUT))


def read_articles(settings: Settings, now: datetime | None = None) -> Reading:
    """Read every post of the site that a visitor may see at `now`, which is aware (None: by the clock).

    Raises:
        ArticleError: there is none to learn from, or one must be left out and the settings are strict.
        ConfigError: the site's time zone is none.
    """
    log, hidden = _Log(settings.strict), list[HiddenPost]()
    visibility = Visibility(settings, now or datetime.now(UTC))
    beyond = beyond_the_limit(settings, visibility)
    articles = []
    for post_file in post_files(settings):
        try:
            post = _post(post_file, settings, visibility, log.notes)
        except LeftOut as reason:
            log.left_out(post_file.path, str(reason))
            continue
        if isinstance(post, Article) and post_file.path in beyond:
            post = HiddenPost(post_file.path, "older than `limit_posts` lets through")
        if isinstance(post, Article):
            articles.append(post)
        elif post:
            hidden.append(post)
    distinct = tuple(_distinct(articles, log))
    if not distinct:
        raise _nothing(settings, log.notes, hidden)
    return Reading(distinct, tuple(log.notes), tuple(hidden))


def oldest_first(articles: Iterable[Article]) -> list[Article]:
    """In the order of publication; those without a date come first, by path."""
    return sorted(articles, key=lambda each: (each.date or datetime.min.replace(tzinfo=UTC), each.path))


def _nothing(settings: Settings, notes: list[Note], hidden: list[HiddenPost]) -> ArticleError:
    """Why there is no post to learn from."""
    found = [f"{len(notes)} that had to be left out"] if notes else []
    found += [f"{len(hidden)} that Jekyll does not build ({why_hidden(hidden)})"] if hidden else []
    fix = "; ".join(str(note) for note in notes[:3])
    if hidden and not notes:
        fix = "Only what a visitor may see is learned: publish one, or set `blog_gen.articles`"
    return ArticleError(
        "there must be a published post to learn from",
        got=" and ".join(found) or "none",
        fix=fix or "Put Markdown files with a `title:` there, or set `blog_gen.articles`",
        path=settings.articles_folder,
    )


def why_hidden(hidden: list[HiddenPost] | tuple[HiddenPost, ...]) -> str:
    """How many posts are hidden for each reason, the commonest first.

    >>> why_hidden([HiddenPost(Path("a"), "a draft"), HiddenPost(Path("b"), "dated in the future")])
    '1 a draft, 1 dated in the future'
    """
    counts = Counter(post.why for post in hidden).most_common()
    return ", ".join(f"{count} {why}" for why, count in counts)


def _post(
    post_file: PostFile, settings: Settings, visibility: Visibility, notes: list[Note]
) -> Article | HiddenPost | None:
    """The post, or why no visitor sees it; None if blog-gen wrote it."""
    path, place = post_file.path, post_file.place
    if why := visibility.why_not_the_place(place):
        return HiddenPost(path, why)
    data = content_of(post_file.file, post_file.homes)
    if data is None:
        return None
    if why := visibility.why_not_the_name(place, post_file.file.name):
        notes.append(Note(path, why, "no visitor sees it, and it is not learned from"))
        return HiddenPost(path, "undated")
    return _read(post_file, data, settings, visibility, notes)


def _read(
    post_file: PostFile, data: bytes, settings: Settings, visibility: Visibility, notes: list[Note]
) -> Article | HiddenPost | None:
    path, place = post_file.path, post_file.place
    parts = parts_of(data, path, place.kind, may_be_blank=True)
    if CONFIG_KEY in parts.values:
        return None
    from_source = os.path.relpath(post_file.file, settings.source_folder).replace(os.sep, "/")
    merged, slips = visibility.values(place, from_source, parts.values), list(parts.notes)
    date = date_of(merged, path, settings, slips)
    if hidden := visibility.hidden(place, merged, date):
        return HiddenPost(path, hidden.why, hidden.until)
    if not parts.body.strip():
        raise LeftOut(NO_TEXT)
    body = seen(parts.body, path, liquid=merged.get("render_with_liquid") is not False)
    if not body:
        raise LeftOut("a post must have text that is shown after its front matter")
    notes += slips
    return Article(
        path=path,
        title=title_of(parts.values, path),
        body=body,
        tags=names_of(parts.values, "tag", "tags"),
        categories=names_of(parts.values, "category", "categories"),
        date=date,
        front_matter=parts.values,
        raw=parts.raw or "",
        defaults={key: value for key, value in merged.items() if key not in parts.values},
    )


def _distinct(articles: list[Article], log: _Log) -> Iterator[Article]:
    """Without the second of two posts with the same text."""
    bodies: dict[str, Article] = {}
    for article in articles:
        twin = bodies.setdefault(article.body, article)
        if twin is article:
            yield article
        else:
            log.left_out(article.path, f"two posts must not have the same text, and `{twin.path}` has it")


def namesakes(articles: Iterable[Article]) -> list[Note]:
    """What there is to say of posts with the title of an earlier one, all of which are learned."""
    titles: dict[str, Article] = {}
    notes: list[Note] = []
    for article in articles:
        namesake = titles.setdefault(article.title.casefold(), article)
        if namesake is not article:
            rule = f"two posts have the same title, and `{namesake.path}` has it"
            notes.append(Note(article.path, rule, "both kept"))
    return notes
