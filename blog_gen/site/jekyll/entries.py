"""Which files Jekyll reads: `exclude`, `include`, and names that begin or end as those of hidden files do.

Paths are compared as text, as Jekyll does: `exclude: [_posts/old]` excludes `_posts/older` too.
"""

from __future__ import annotations

import fnmatch
import posixpath
import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

# Jekyll 4 appends a site's own `exclude` to these.
ALWAYS_EXCLUDED = (
    ".sass-cache",
    ".jekyll-cache",
    "gemfiles",
    "Gemfile",
    "Gemfile.lock",
    "node_modules",
    "vendor/bundle/",
    "vendor/cache/",
    "vendor/gems/",
    "vendor/ruby/",
)
_SPECIAL = (".", "_", "#", "~")  # how names begin that are read only where `include` has them


class EntryFilter:
    """Jekyll's `EntryFilter`, for one site's settings."""

    def __init__(self, jekyll: Mapping[str, Any]) -> None:
        self._includes = _names(jekyll.get("include", (".htaccess",)))
        own = _names(jekyll.get("exclude"))
        self._excludes = [name for name in (*ALWAYS_EXCLUDED, *own) if name not in self._includes]

    def reads(self, entry: str, base: str) -> bool:
        """Whether Jekyll reads `entry`, a path relative to the folder `base`, which is one in the source.

        >>> EntryFilter({"exclude": ["_posts/old"]}).reads("old/2020-01-02-a.md", "_posts")
        False
        """
        if entry.endswith("."):
            return False
        name = entry.rpartition("/")[2]
        if self._includes and (self._included(entry) or self._included(name)):
            return True
        if self._excluded(posixpath.join(base, entry)):
            return False
        return not (entry.startswith(_SPECIAL) or name.startswith(_SPECIAL) or entry.endswith("~"))

    def enters(self, folder: str) -> bool:
        """Whether Jekyll looks for posts in `folder`, as seen from the source, and in all that it lies in."""
        parts = folder.split("/") if folder else []
        return all(
            self.reads(part, "/".join(parts[:at])) and not self._excluded("/".join(parts[: at + 1]) + "/")
            for at, part in enumerate(parts)
        )

    def excludes(self, folder: str) -> bool:
        """Whether `exclude` names `folder`, as seen from the source, or one that it lies in."""
        parts = folder.split("/") if folder else []
        return any(self._excluded("/".join(parts[: at + 1]) + "/") for at in range(len(parts)))

    def _included(self, entry: str) -> bool:
        return self._included_pattern.match(entry) is not None

    def _excluded(self, path: str) -> bool:
        return self._excluded_pattern.match(path) is not None

    @cached_property
    def _included_pattern(self) -> re.Pattern[str]:
        return _pattern(self._includes)

    @cached_property
    def _excluded_pattern(self) -> re.Pattern[str]:
        return _pattern(self._excludes)


def _names(value: object) -> list[str]:
    """A list of patterns; Jekyll takes no single text here."""
    return [str(name) for name in value] if isinstance(value, list | tuple) else []


def _pattern(names: Iterable[str]) -> re.Pattern[str]:
    """All of `names` as one expression: the path begins with the name's letters, or matches it as a glob."""
    parts = [part for name in names for part in _parts(name.lstrip("/"))]
    return re.compile("|".join(parts) or r"(?!)", re.DOTALL)


def _parts(name: str) -> list[str]:
    glob = [fnmatch.translate(name)] if any(mark in name for mark in "*?[") else []
    return [re.escape(name), *glob]
