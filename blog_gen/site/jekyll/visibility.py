"""Whether Jekyll builds a document: `published`, the day, and the settings that change these.

What it does not build, no visitor sees.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from blog_gen.config.settings import Settings
from blog_gen.site.jekyll.defaults import FrontMatterDefaults
from blog_gen.site.jekyll.places import Place, collections_of

_DATED = re.compile(r"\d{2,4}-\d{1,2}-\d{1,2}-[^/]*\.[^.]+")
# Settings of Jekyll that decide what it builds, beyond the names of files.
DECIDING = ("defaults", "future", "unpublished", "limit_posts", "timezone", "show_drafts", "collections")


@dataclass(frozen=True)
class Hidden:
    """Why a document is not built, and until when, where its day will come."""

    why: str
    until: datetime | None = None


class Visibility:
    """What the settings of one site hide at the moment `now`, which is aware."""

    def __init__(self, settings: Settings, now: datetime) -> None:
        self._jekyll, self._now = settings.jekyll, now
        self._collections = collections_of(settings)
        self._defaults = FrontMatterDefaults(settings.jekyll, settings.source_folder)
        self._root = str(settings.jekyll.get("collections_dir") or "").strip("/")

    def why_not_the_place(self, place: Place) -> str | None:
        """Why nothing in a folder is built; None where something may be."""
        if place.kind == "elsewhere":
            return "in a folder that Jekyll does not read"
        if place.kind == "drafts" and not self._jekyll.get("show_drafts"):
            return "a draft"
        if place.kind != "collection":
            return None
        said = self._collections[place.label]
        shown = isinstance(said, Mapping) and said.get("output")
        return None if shown else f"in `{place.label}`, a collection without `output: true`"

    def why_not_the_name(self, place: Place, file: str) -> str | None:
        """Why a file of this name, without its folders, is not built."""
        if place.kind == "posts" and not _DATED.fullmatch(file):
            return "undated: a file in `_posts` must be named YYYY-MM-DD-title.md"
        return None

    def values(self, place: Place, file: str, own: Mapping[str, Any]) -> dict[str, Any]:
        """The values `own` of the file at `file`, as seen from the source, over the site's defaults."""
        if place.kind == "other":
            return dict(own)
        path = file.removeprefix(f"{self._root}/") if self._root else file
        kind = "drafts" if place.kind == "drafts" else place.label
        return self._defaults.values(path, kind) | dict(own)

    def hidden(self, place: Place, values: Mapping[str, Any], date: datetime | None) -> Hidden | None:
        """Whether a document with these values, defaults and all, and of this date is not built."""
        if values.get("published", True) in (None, False) and not self._jekyll.get("unpublished"):
            return Hidden("`published: false`")
        if place.kind != "other" and date and date > self._now and not self._jekyll.get("future"):
            return Hidden("dated in the future", date)
        return None
