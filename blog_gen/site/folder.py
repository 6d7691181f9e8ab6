"""Which files of the articles folder are posts, and their bytes. Knows paths and links, not what a post says.

The one thing it looks for in the bytes is the front matter key of all that blog-gen writes: those files are
never candidates, wherever they were moved.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from blog_gen.config.settings import CONFIG_KEY, Settings
from blog_gen.errors import ArticleError

MARKDOWN = (".markdown", ".mkdown", ".mkdn", ".mkd", ".md")  # Jekyll's `markdown_ext`
LARGEST = 5 * 1024 * 1024  # bytes; no blog post is longer

_SKIPPED = ("_", ".", "#", "~")  # names that Jekyll does not read in a collection
_FRONT_MATTER = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*---[ \t]*\r?\n(.*?)^(?:---|\.\.\.)[ \t]*\r?$", re.DOTALL | re.MULTILINE
)
# The key with all that is nested in it.
_PROVENANCE = re.compile(rb"^[\"']?%b[\"']?[ \t]*:.*?(?=^\S|\Z)" % CONFIG_KEY.encode(), re.S | re.M)


class LeftOut(Exception):
    """The file cannot be used; the message is the rule that it breaks."""


def candidates(settings: Settings) -> list[tuple[Path, Path]]:
    """Each Markdown file in the articles folder and below: relative to the site, and as it can be opened.

    Sorted by path. The relative one is always printable.

    Raises:
        ArticleError: there is no such folder.
    """
    require_articles(settings)
    folder = settings.articles_folder
    found = [(_printable(os.path.relpath(file, settings.site)), file) for file in _markdown_files(folder)]
    return sorted(found, key=lambda pair: pair[0].as_posix())


def require_articles(settings: Settings) -> None:
    """Refuse a site without its articles folder, before anything is written there.

    Raises:
        ArticleError: says what to do.
    """
    folder = settings.articles_folder
    if not folder.is_dir():
        raise ArticleError("the folder with your posts is missing", fix=_where_else(settings), path=folder)


def _where_else(settings: Settings) -> str:
    """What to do where there is no articles folder: most sites have their posts in `_posts`."""
    config = (settings.site / "_config.yml").exists()
    posts = PurePosixPath(str(settings.jekyll.get("collections_dir") or "")) / "_posts"
    if next(_markdown_files(settings.site / posts), None):
        if config and CONFIG_KEY not in settings.jekyll:
            return f"Your posts seem to be in {posts}: run `blog-gen init`, which says so in _config.yml"
        return (
            f"Your posts seem to be in {posts}: say so in _config.yml, `{CONFIG_KEY}: {{articles: {posts}}}`"
        )
    if config:
        return f"Make it, or name the right one: `{CONFIG_KEY}.articles` in _config.yml"
    return "There is no _config.yml either: go to the folder of your Jekyll site, or name it with --site"


def _markdown_files(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(_SKIPPED)]
        for name in names:
            if name.lower().endswith(MARKDOWN) and not name.startswith(_SKIPPED):
                yield Path(parent, name)


def _printable(path: str) -> Path:
    """The path, with bytes that are no UTF-8 spelt out: a note must be printable anywhere."""
    return Path(path.encode("utf-8", "backslashreplace").decode("utf-8"))


def content_of(file: Path, settings: Settings) -> bytes | None:
    """The bytes of a candidate, or None if blog-gen wrote it.

    Raises:
        LeftOut: a link out of the site, no regular file, too large, or not readable.
    """
    homes = [os.path.realpath(home) for home in (settings.site, settings.articles_folder)]
    real = os.path.realpath(file)
    if not any(os.path.commonpath((home, real)) == home for home in homes):
        raise LeftOut("a link must not lead out of the site")
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

    A byte-order mark or blank lines before it, with which Jekyll skips a file, are no reason to take what we
    wrote for a post of the author's own.
    """
    head = _FRONT_MATTER.match(data)
    return head[1] if head else None


def provenance_in(head: bytes) -> bytes | None:
    """The lines of front matter that hold our own key; None where another wrote the post."""
    found = _PROVENANCE.search(head)
    return found[0] if found else None
