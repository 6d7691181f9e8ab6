"""Where a site's posts are: the folders that the setting `articles` names, and what each is to Jekyll."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import translate
from pathlib import Path
from typing import Literal

from blog_gen.config.settings import Settings, articles_named
from blog_gen.site.jekyll.entries import EntryFilter

# `posts`: a `_posts` that Jekyll reads; `drafts`: a `_drafts`; `collection`: one that the site declares;
# `elsewhere`: one of these outside `collections_dir` or in an excluded folder; `other`: a folder of which
# Jekyll knows nothing.
Kind = Literal["posts", "drafts", "collection", "elsewhere", "other"]

MARKDOWN = (".markdown", ".mkdown", ".mkdn", ".mkd", ".md")  # Jekyll's `markdown_ext`
HTML = (".html", ".htm", ".xhtml")


@dataclass(frozen=True)
class Place:
    """A folder of posts, and the one of Jekyll's that it is or lies in."""

    folder: Path  # as it can be opened
    base: Path  # the `_posts`, `_drafts` or collection; `folder` itself where it is none of Jekyll's
    kind: Kind
    label: str  # the collection's name; `posts`; empty
    within: str  # `base` as seen from the source


def places_of(settings: Settings) -> list[Place]:
    """The folders that `articles` names and that are there, in the order in which they are named."""
    found: dict[Path, Place] = {}
    for name in articles_named(settings.articles):
        folders = _matching(name, settings) if "*" in name else [settings.site / name]
        for folder in folders:
            if folder.is_dir():
                found.setdefault(folder, place_of(folder, settings))
    return list(found.values())


def place_of(folder: Path, settings: Settings) -> Place:
    """What `folder` is to Jekyll."""
    source = settings.source_folder
    within = os.path.relpath(folder, source).replace(os.sep, "/")
    parts = [] if within == "." else within.split("/")
    for at, name in enumerate(parts):
        above, base = "/".join(parts[:at]), "/".join(parts[: at + 1])
        kind, label = _kind(name, above, settings)
        if kind != "other":
            return Place(folder, source / base, kind, label, base)
    return Place(folder, folder, "other", "", within)


def _kind(name: str, above: str, settings: Settings) -> tuple[Kind, str]:
    """What the folder `name` in the folder `above`, as seen from the source, is to Jekyll, and its label."""
    root = _root(settings)
    if name in ("_posts", "_drafts"):
        # Jekyll compares letters here: with `collections_dir: blog`, `blog-old/_posts` is read, too.
        known = above.split("/")[0] != ".." and above.startswith(root)
        entries = EntryFilter(settings.jekyll)
        if known and not entries.enters(above) and not entries.excludes(above):
            return "other", ""  # below a folder such as `_i18n`: a plugin builds it
        known = known and entries.enters(above)
        return ("posts" if name == "_posts" else "drafts") if known else "elsewhere", "posts"
    if name.startswith("_") and name[1:] in collections_of(settings):
        return "collection" if above == root else "elsewhere", name[1:]
    return "other", ""


def collections_of(settings: Settings) -> Mapping[str, object]:
    """The collections that the site declares, by label: what it says of each."""
    declared = settings.jekyll.get("collections")
    if isinstance(declared, list):
        return dict.fromkeys(map(str, declared))
    return {str(key): value for key, value in declared.items()} if isinstance(declared, dict) else {}


def posts_folders(settings: Settings) -> Iterator[Path]:
    """Every `_posts` that Jekyll reads, in the order of their paths."""
    source, root, entries = settings.source_folder, _root(settings), EntryFilter(settings.jekyll)
    destination = os.path.abspath(settings.destination_folder)

    def below(folder: str) -> Iterator[Path]:
        here = source / folder
        if folder.startswith(root) and (here / "_posts").is_dir():
            yield here / "_posts"
        for name in sorted(_folders_in(here)):
            inner = posixpath.join(folder, name)
            if entries.enters(inner) and os.path.abspath(here / name) != destination:
                yield from below(inner)

    return below("")


def _folders_in(folder: Path) -> Iterator[str]:
    try:
        with os.scandir(folder) as found:
            yield from (entry.name for entry in found if entry.is_dir() and entry.name != ".git")
    except OSError:
        return


def _matching(pattern: str, settings: Settings) -> list[Path]:
    """The folders of posts that a pattern such as `**/_posts` or `*/_posts` names, as seen from the site."""
    glob = re.compile(translate(pattern.replace("**/", "*")))
    every = posts_folders(settings)
    return [path for path in every if glob.match(os.path.relpath(path, settings.site).replace(os.sep, "/"))]


def endings(settings: Settings) -> tuple[str, ...]:
    """The endings of Markdown files, with their dots: Jekyll's, and those in `markdown_ext`."""
    given = settings.jekyll.get("markdown_ext")
    own = str(given).lower().split(",") if given else ()
    return (*MARKDOWN, *(f".{name.strip().lstrip('.')}" for name in own if name.strip()))


def _root(settings: Settings) -> str:
    """`collections_dir`, as seen from the source."""
    return str(settings.jekyll.get("collections_dir") or "").strip("/")
