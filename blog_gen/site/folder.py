"""Which files are posts, and their bytes. Knows paths and links, and what Jekyll reads; not what a post says.

The one thing it looks for in the bytes is the front matter key of all that blog-gen writes: those files are
never among them, wherever they were moved.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from blog_gen.config.loading import config_files_in
from blog_gen.config.settings import CONFIG_KEY, Settings
from blog_gen.errors import ArticleError, BlogGenError, ConfigError
from blog_gen.site.jekyll.entries import EntryFilter
from blog_gen.site.jekyll.places import HTML, Place, endings, place_of, places_of, posts_folders

LARGEST = 5 * 1024 * 1024  # bytes; no blog post is longer

_SKIPPED = ("_", ".", "#", "~")  # names that Jekyll does not read in a collection
_FRONT_MATTER = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*---[ \t]*\r?\n(.*?)^(?:---|\.\.\.)[ \t]*\r?$", re.DOTALL | re.MULTILINE
)
# The key with all that is nested in it.
_PROVENANCE = re.compile(rb"^[\"']?%b[\"']?[ \t]*:.*?(?=^\S|\Z)" % CONFIG_KEY.encode(), re.S | re.M)


class LeftOut(Exception):
    """The file cannot be used; the message is the rule that it breaks."""


class Homes:
    """The real folders in which the files of one place may lie, at one reading: each is resolved once."""

    def __init__(self, settings: Settings, folder: Path | None = None) -> None:
        homes = (settings.site, folder or settings.articles_folder)
        self._homes = tuple({os.path.join(os.path.realpath(home), "") for home in homes})
        self._parents: dict[str, str] = {}  # by the path of a folder, where it really is

    def real(self, file: Path) -> str:
        """Where a file really is.

        Raises:
            LeftOut: a link leads out of the site.
        """
        path = os.fspath(file)
        if os.path.islink(path):
            real = os.path.realpath(path)
        else:
            parent, name = os.path.split(path)
            if parent not in self._parents:
                self._parents[parent] = os.path.realpath(parent)
            real = os.path.join(self._parents[parent], name)
        if not real.startswith(self._homes):
            raise LeftOut("a link must not lead out of the site")
        return real


@dataclass(frozen=True)
class PostFile:
    """A file that may be a post."""

    path: Path  # relative to the site, always printable
    file: Path  # as it can be opened
    place: Place
    homes: Homes  # where it may really be


def post_files(settings: Settings) -> list[PostFile]:
    """Each Markdown or HTML file in the articles folders and below that Jekyll reads, sorted by path.

    Raises:
        ArticleError: there is no such folder.
    """
    require_articles(settings)
    known = endings(settings)
    return post_files_in(places_of(settings), settings, known, HTML)


def post_files_in(
    places: list[Place], settings: Settings, markdown: tuple[str, ...], others: tuple[str, ...]
) -> list[PostFile]:
    """The files in `places` with one of these endings; `others` only where Jekyll reads the folder."""
    entries, site = EntryFilter(settings.jekyll), os.fspath(settings.site)
    found: dict[str, PostFile] = {}
    for place in places:
        ends, homes = (
            markdown if place.kind == "other" else (*markdown, *others),
            Homes(settings, place.folder),
        )
        for parent, names in _files_in(place, entries):
            within = os.path.relpath(parent, site)
            for name in names:
                if name.lower().endswith(ends):
                    path = _printable(os.path.normpath(os.path.join(within, name)))
                    found.setdefault(path.as_posix(), PostFile(path, Path(parent, name), place, homes))
    return [post_file for _, post_file in sorted(found.items())]


def _files_in(place: Place, entries: EntryFilter) -> Iterator[tuple[str, list[str]]]:
    """The files below a folder that Jekyll reads; of one that it does not know, those with no hidden name.

    Given by the folders that they are in.
    """
    own = place.kind in ("other", "elsewhere")
    seen_from = f"_{place.label}" if place.kind == "collection" else place.within
    for parent, folders, names in os.walk(place.folder):
        folders[:] = [name for name in folders if not name.startswith(_SKIPPED if own else ".")]
        under = os.path.relpath(parent, place.base).replace(os.sep, "/")
        above = "" if under == "." else f"{under}/"
        yield (
            parent,
            [
                name
                for name in names
                if (not name.startswith(_SKIPPED) if own else entries.reads(above + name, seen_from))
            ],
        )


def require_articles(settings: Settings) -> None:
    """Refuse a site without a folder of articles, before anything is written there.

    Raises:
        ArticleError: says what to do.
    """
    if not places_of(settings):
        require_source(settings, ArticleError)
        folder = settings.articles_folder
        raise ArticleError("the folder with your posts is missing", fix=_where_else(settings), path=folder)


def require_source(settings: Settings, error: type[BlogGenError] = ConfigError) -> None:
    """Refuse a site whose `source` is not there: a build may make it, and what we write would be lost.

    Raises:
        ConfigError: says what to do; or another `error`.
    """
    if not settings.source_folder.is_dir():
        rule = "the folder named by `source` must be there"
        got = f"`{settings.jekyll.get('source')}`, which is no folder"
        fix = "Say which folder you write in: in another settings file, `source: FOLDER`, and --config A,B"
        raise error(rule, got=got, fix=fix, path=settings.file_of("source"))


def _where_else(settings: Settings) -> str:
    """What to do where there is no articles folder: most sites have their posts in `_posts`."""
    [*_, name] = config_files_in(settings.site)
    config = (settings.site / name).exists()
    if posts := _posts_that_are_there(settings):
        if config and CONFIG_KEY not in settings.jekyll:
            return f"Your posts seem to be in {posts}: run `blog-gen init`, which says so in {name}"
        say_so = f"say so in {name}," if config else f"make a {name} with"
        return f"Your posts seem to be in {posts}: {say_so} `{CONFIG_KEY}: {{articles: {posts}}}`"
    if config:
        return f"Make it, or name the right one: `{CONFIG_KEY}.articles` in {name}"
    return "There is no _config.yml either: go to the folder of your Jekyll site, or name it with --site"


def _posts_that_are_there(settings: Settings) -> str | None:
    for folder in posts_folders(settings):
        if post_files_in([place_of(folder, settings)], settings, endings(settings), HTML):
            return os.path.relpath(folder, settings.site).replace(os.sep, "/")
    return None


def _printable(path: str) -> Path:
    """The path, with bytes that are no UTF-8 spelt out: a note must be printable anywhere."""
    return Path(path.encode("utf-8", "backslashreplace").decode("utf-8"))


def content_of(file: Path, homes: Homes) -> bytes | None:
    """The bytes of a file that may be a post, or None if blog-gen wrote it.

    Raises:
        LeftOut: a link out of the site, no regular file, too large, or not readable.
    """
    real = homes.real(file)
    if not os.path.isfile(real):
        raise LeftOut("a link must lead to a file" if file.is_symlink() else "a post must be a regular file")
    size = os.path.getsize(real)
    if size > LARGEST:
        raise LeftOut(f"a post must not be over {LARGEST >> 20} MB, and this has {size / (1 << 20):.1f}")
    try:
        data = file.read_bytes()
    except OSError as error:
        raise LeftOut(f"the file cannot be read ({error.strerror})") from error
    head = front_matter_in(data)
    return None if head is not None and provenance_in(head) is not None else data


def front_matter_in(data: bytes) -> bytes | None:
    """The lines of front matter at the top of a file's bytes, unparsed; None where it has none.

    A byte-order mark or blank lines before it, with which Jekyll skips a collection's file, are no reason to
    take what we wrote for a post of the author's own.
    """
    head = _FRONT_MATTER.match(data)
    return head[1] if head else None


def provenance_in(head: bytes) -> bytes | None:
    """The lines of front matter that hold our own key; None where another wrote the post."""
    found = _PROVENANCE.search(head)
    return found[0] if found else None
