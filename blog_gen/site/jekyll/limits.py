"""Jekyll's `limit_posts`: only so many of the newest posts are built."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import Any

from blog_gen.config.settings import Settings
from blog_gen.site import dates, front_matter
from blog_gen.site.decoding import UndecodableError, decode
from blog_gen.site.folder import PostFile, post_files_in
from blog_gen.site.jekyll.places import place_of, posts_folders
from blog_gen.site.jekyll.visibility import Visibility


def beyond_the_limit(settings: Settings, visibility: Visibility) -> frozenset[Path]:
    """The posts, relative to the site, that are too old to be built; none where the site sets no limit.

    All posts count here, in whatever `_posts` they are and whoever wrote them.
    """
    limit = settings.jekyll.get("limit_posts")
    if type(limit) is not int or limit <= 0:
        return frozenset()
    places = [place_of(folder, settings) for folder in posts_folders(settings)]
    found = post_files_in(places, settings, ("",), ())
    dated = [
        (date, each.path.as_posix(), each.path)
        for each in found
        if (date := _date(each, settings, visibility))
    ]
    return frozenset(path for _, _, path in sorted(dated)[:-limit])


def _date(post_file: PostFile, settings: Settings, visibility: Visibility) -> datetime | None:
    """The date of a post that would be built without the limit; None for any other file."""
    if visibility.why_not_the_name(post_file.place, post_file.file.name):
        return None
    from_source = os.path.relpath(post_file.file, settings.source_folder).replace(os.sep, "/")
    values = visibility.values(post_file.place, from_source, _values(post_file))
    zone, date = dates.zone_of(settings), None
    for value in (dates.split_name(post_file.file.stem)[0], values.get("date")):
        try:
            date = dates.parse_date(value, zone)
        except ValueError:
            continue
    return None if visibility.hidden(post_file.place, values, date) else date


def _values(post_file: PostFile) -> dict[str, Any]:
    try:
        raw, _ = front_matter.split(decode(post_file.file.read_bytes(), post_file.path)[0])
        return front_matter.parse(raw or "")
    except (OSError, UndecodableError, front_matter.FrontMatterError):
        return {}
