"""Where an approved draft goes, what it must say there, and at which address a visitor finds it.

Knows the folders of the site's posts and Jekyll's defaults; changes nothing.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from blog_gen.config.settings import Settings
from blog_gen.errors import ArticleError
from blog_gen.site.addresses import address_of
from blog_gen.site.folder import LeftOut, content_of, front_matter_in, post_files, post_files_in
from blog_gen.site.jekyll.defaults import FrontMatterDefaults
from blog_gen.site.jekyll.places import HTML, endings, place_of, posts_folders

_YEAR = re.compile(r"\d{4}")
_PUBLISHED = re.compile(rb"^[\"']?published[\"']?[ \t]*:", re.MULTILINE)


def folder_for_posts(settings: Settings, categories: Sequence[str], day: str) -> Path:
    """Where a post goes: the `_posts` of its category, else the fullest, and there to where most of them are.

    Args:
        day: YYYY-MM-DD.
    """
    found = {
        folder: post_files_in([place_of(folder, settings)], settings, endings(settings), HTML)
        for folder in posts_folders(settings)
    }
    if not found:
        return settings.collections_folder / "_posts"
    names = {name.casefold() for name in categories}
    own = [folder for folder in found if folder.parent.name.casefold() in names]
    folder = max(own or found, key=lambda each: len(found[each]))
    return folder / _usual_place([post.file.parent.relative_to(folder) for post in found[folder]], names, day)


def _usual_place(folders: Sequence[Path], names: Collection[str], day: str) -> Path:
    """The one of `folders` that is named for a category, else the one of most posts; a year is the day's."""
    counts = Counter(
        Path(*(day[:4] if _YEAR.fullmatch(part) else part for part in each.parts)) for each in folders
    )
    own = [each for each in counts if any(part.casefold() in names for part in each.parts)]
    if own:
        return max(own, key=counts.__getitem__)
    return next((each for each, count in counts.items() if 2 * count > len(folders)), Path())


def needs_published(path: Path, settings: Settings) -> bool:
    """Whether a post at `path` must say `published: true`: others do, or Jekyll would hide it without."""
    return defaults_for(path, settings).get("published") is False or any(map(_says, _posts(settings)))


def _says(data: bytes) -> bool:
    return _PUBLISHED.search(front_matter_in(data) or b"") is not None


def _posts(settings: Settings) -> Iterator[bytes]:
    """The author's own posts, as bytes."""
    try:
        found = post_files(settings)
    except ArticleError:
        return
    for file in found:
        try:
            data = content_of(file.file, file.homes)
        except LeftOut:
            continue
        if data is not None:
            yield data


def public_address(path: Path, values: Mapping[str, Any], settings: Settings) -> str | None:
    """The path of the URL at which a visitor finds the post at `path`; None where that cannot be told.

    Args:
        values: the post's own front matter.
    """
    try:
        within = PurePosixPath(path.relative_to(settings.collections_folder).as_posix())
        address = address_of(within, defaults_for(path, settings) | dict(values), settings)
    except ValueError:  # outside of the collections' folder, or without a date
        return None
    return f"{str(settings.jekyll.get('baseurl') or '').rstrip('/')}{address}"


def defaults_for(path: Path, settings: Settings) -> dict[str, Any]:
    """What `defaults:` gives to a post at `path`, wherever that is and whether or not it is there."""
    return defaults_of([path], settings)[0]


def defaults_of(paths: Iterable[Path], settings: Settings) -> list[dict[str, Any]]:
    """What `defaults:` gives to a post at each of `paths`."""
    defaults, values = FrontMatterDefaults(settings.jekyll, settings.source_folder), []
    for path in paths:
        within = os.path.relpath(path, settings.collections_folder).replace(os.sep, "/")
        kind = next((part for part in within.split("/") if part.startswith("_")), "").removeprefix("_")
        values.append(defaults.values(within, kind))
    return values
