"""Where a site's posts are: counted in every folder that may hold them, for `init` to say and choose."""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from blog_gen.config.settings import CONFIG_KEY, Settings
from blog_gen.site.dates import split_name
from blog_gen.site.folder import post_files_in
from blog_gen.site.jekyll.places import HTML, collections_of, endings, place_of, posts_folders
from blog_gen.site.jekyll.visibility import Visibility

ALL_POSTS = "**/_posts"
AUTO = "auto"  # as `articles`: look for the posts at every call
NAMED = 3  # folders that are named to a person; of more, the last ones are counted
OF_POSTS = 3  # times as many posts must a collection have to be the blog beside `_posts`
HEAD = 4096  # bytes in which front matter has its date
_DATE = re.compile(rb"\A(?:\xef\xbb\xbf)?---.*?^date[ \t]*:", re.S | re.M)


@dataclass(frozen=True)
class Found:
    """How many posts Jekyll may build, by folder as seen from the site, most first."""

    counts: Mapping[str, int]
    taken: str  # what `articles` is to be
    files: Mapping[str, int] = field(default_factory=dict)  # of collections of which no file has a date

    @property
    def sentence(self) -> str:
        """What was found and what is taken, for a person."""
        if not self.counts and not self.files:
            return "No posts found: neither in a `_posts` folder nor in a collection."
        found = [*_counted(self.counts, "post"), *_counted(self.files, "file")]
        more = [f"more in {len(found) - NAMED} other folders"] if found[NAMED + 1 :] else []
        named = ", ".join([*found[:NAMED], *more] if more else found)
        other = " To take another, set `articles:` in your settings." if found[1:] else ""
        return f"{named}; using `{self.taken}`.{other}"


def _counted(counts: Mapping[str, int], what: str) -> list[str]:
    return [f"{count} {what if count == 1 else f'{what}s'} in `{name}`" for name, count in counts.items()]


def find_posts(settings: Settings) -> Found:
    """Count the posts in each folder, and take the fullest; all `_posts` together where there are several.

    `_posts` is what Jekyll calls the blog: another folder is taken where it has several times as many posts.
    Files of a collection of which none has a date are no posts, but of `_articles`; where there is
    nothing else, they are taken all the same.
    """
    counts = {_name(folder, settings): len(_files(folder, settings)) for folder in posts_folders(settings)}
    in_posts = _full(counts)
    collections = {_name(folder, settings): _files(folder, settings) for folder in _collections(settings)}
    dated = {name for name, files in collections.items() if _are_posts(name, files)}
    others = _full({name: len(files) for name, files in collections.items() if name in dated})
    files = _full({name: len(found) for name, found in collections.items() if name not in dated})
    full = _full({**in_posts, **others})
    if CONFIG_KEY in settings.jekyll and settings.articles != AUTO:
        return Found(full, settings.articles, files)
    own = _name(settings.collections_folder / "_posts", settings)
    posts = ALL_POSTS if len(in_posts) > 1 else next(iter(in_posts), own)
    if sum(in_posts.values()) * OF_POSTS >= max(others.values(), default=0):
        return Found(full, posts if in_posts or not files else next(iter(files)), files)
    return Found(full, next(iter(others)), files)


def _full(counts: Mapping[str, int]) -> dict[str, int]:
    """Those that have any, most first."""
    return {name: count for name, count in sorted(counts.items(), key=lambda each: -each[1]) if count}


def _collections(settings: Settings) -> list[Path]:
    """The folders of all collections but Jekyll's own and the drafts'; `_articles` though undeclared."""
    drafts = Path(settings.output).name.lstrip("_")
    labels = {"articles", *map(str, collections_of(settings))} - {"posts", drafts}
    return [settings.collections_folder / f"_{label}" for label in sorted(labels)]


def _are_posts(name: str, files: list[Path]) -> bool:
    return Path(name).name == "_articles" or any(map(_is_dated, files))


def _is_dated(file: Path) -> bool:
    """Whether a file's name or front matter has a date."""
    if split_name(file.stem)[0]:
        return True
    try:
        with file.open("rb") as opened:
            return _DATE.search(opened.read(HEAD)) is not None
    except OSError:
        return False


def with_posts_found(settings: Settings) -> Settings:
    """`settings` with the folder that `articles: auto` stands for."""
    if settings.articles != AUTO:
        return settings
    return dataclasses.replace(settings, articles=find_posts(settings).taken)


def _name(folder: Path, settings: Settings) -> str:
    return os.path.relpath(folder, settings.site).replace(os.sep, "/")


def _files(folder: Path, settings: Settings) -> list[Path]:
    """The files in a folder that Jekyll reads, as far as their names say."""
    place, visibility = place_of(folder, settings), Visibility(settings, datetime.now(UTC))
    files = post_files_in([place], settings, endings(settings), HTML)
    return [each.file for each in files if not visibility.why_not_the_name(place, each.file.name)]
