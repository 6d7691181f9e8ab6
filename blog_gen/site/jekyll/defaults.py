"""Jekyll's `defaults:`, what a site gives to posts by their path and type, and which of it wins."""

from __future__ import annotations

import glob
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from blog_gen.config.layers import as_mapping, merged

_BRACES = re.compile(r"\{([^{}]*)\}")
_MOST_ALTERNATIVES = 256  # of one pattern
_OLD_TYPES = {"page": "pages", "post": "posts", "draft": "drafts"}


class FrontMatterDefaults:
    """The `defaults:` of one site."""

    def __init__(self, jekyll: Mapping[str, Any], source: Path) -> None:
        sets = jekyll.get("defaults")
        self._sets = [
            (as_mapping(each.get("scope")), each["values"])
            for each in (sets if isinstance(sets, list) else [])
            if isinstance(each, Mapping) and isinstance(each.get("values"), Mapping)
        ]
        self._within = f"{str(jekyll.get('collections_dir') or '').strip('/')}/".lstrip("/")
        self._globbed = lru_cache(maxsize=None)(lambda pattern: tuple(_globbed(source, pattern)))

    def values(self, path: str, kind: str) -> dict[str, Any]:
        """What the site says of the file at `path`, as seen from the collections' folder, and of its `kind`.

        >>> sets = [{"scope": {"path": "_posts/a", "type": "posts"}, "values": {"published": False}}]
        >>> FrontMatterDefaults({"defaults": sets}, Path()).values("_posts/a/2020-01-02-b.md", "posts")
        {'published': False}
        """
        values: dict[str, Any] = {}
        strongest: Mapping[str, Any] | None = None
        for scope, given in self._sets:
            if not self._applies(scope, path, kind):
                continue
            if strongest is None or _outranks(scope, strongest):
                values, strongest = merged(values, given), scope
            else:
                values = merged(given, values)
        return values

    def _applies(self, scope: Mapping[str, Any], path: str, kind: str) -> bool:
        wanted = str(scope.get("type", kind))
        if _OLD_TYPES.get(wanted, wanted) != kind:
            return False
        place = scope.get("path")
        if not isinstance(place, str) or not place:
            return True
        if "*" in place:
            return path.startswith(tuple(self._stripped(found) for found in self._globbed(place)))
        return path.startswith(self._stripped(place))

    def _stripped(self, place: str) -> str:
        return place.removeprefix(self._within) if self._within else place


def _outranks(scope: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether the values of `scope` win: it has the longer path, or one as long and a type."""
    length, of_other = (len(_path_of(each)) for each in (scope, other))
    if length != of_other:
        return length > of_other
    return "type" in scope or "type" not in other


def _path_of(scope: Mapping[str, Any]) -> str:
    path = scope.get("path")
    if not isinstance(path, str):
        return ""
    return path[1:] if path.startswith("/") else path


def _globbed(source: Path, pattern: str) -> Iterator[str]:
    """The paths that there are for a glob as Ruby understands it: with `{a,b}`, and `**` for any folders."""
    if pattern.startswith("/"):
        return
    for each in _alternatives(pattern):
        yield from glob.iglob(each, root_dir=source, recursive=True)


def _alternatives(pattern: str) -> list[str]:
    """
    >>> _alternatives("{a,b}/*.{md,html}")
    ['a/*.md', 'a/*.html', 'b/*.md', 'b/*.html']
    """
    done: list[str] = []
    patterns = [pattern]
    while patterns and len(done) + len(patterns) < _MOST_ALTERNATIVES:
        each = patterns.pop(0)
        braces = _BRACES.search(each)
        if braces is None:
            done.append(each)
            continue
        patterns = [
            *(each[: braces.start()] + word + each[braces.end() :] for word in braces[1].split(",")),
            *patterns,
        ]
    return done + patterns
