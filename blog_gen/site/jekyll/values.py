"""Title, names and date of a post, from its front matter and its file name, as Jekyll has them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from blog_gen.config.settings import Settings
from blog_gen.errors import Note
from blog_gen.site import dates


def title_of(values: Mapping[str, Any], path: Path) -> str:
    """The title as the site shows it; without one, that which Jekyll makes of the file's name.

    >>> title_of({}, Path("2020-01-02-how_to_cook-RICE.md")), title_of({}, Path("move your body.md"))
    ('How_to_cook Rice', 'Move your body')
    """
    given = values.get("title")
    title = "" if isinstance(given, list | dict | bool) else _one_line(given)
    slug = dates.split_name(path.stem)[1].rstrip(".")
    return title or _one_line(" ".join(word.capitalize() for word in slug.split("-"))) or path.stem


def names_of(values: Mapping[str, Any], singular: str, plural: str) -> tuple[str, ...]:
    """Tags or categories, each once: a list; text split at commas, else at blanks; a singular key whole.

    >>> names_of({"tags": "vim, shell"}, "tag", "tags"), names_of({"tag": "plain text"}, "tag", "tags")
    (('vim', 'shell'), ('plain text',))
    """
    given: Any = values.get(singular)
    if given is None:
        given = values.get(plural)
        if isinstance(given, str):
            given = given.split("," if "," in given else None)
    items = given if isinstance(given, list) else [given]
    names = (_one_line(item) for item in items if not isinstance(item, list | dict))
    return tuple(dict.fromkeys(name for name in names if name))


def _one_line(value: object) -> str:
    if value is None:
        return ""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return " ".join(text.split())


def date_of(values: Mapping[str, Any], path: Path, settings: Settings, notes: list[Note]) -> datetime | None:
    """The moment of a post, from `date:`, else from the file name; a note for what is no date."""
    zone = dates.zone_of(settings)
    in_name = dates.split_name(path.stem)[0]
    for value in (values.get("date"), in_name):
        if value is None:
            continue
        try:
            return dates.parse_date(value, zone)
        except ValueError:
            action = "read without" if value is in_name or in_name is None else "dated by its file name"
            notes.append(Note(path, f"`{str(value)[:40]}` is not a date", action))
    return None
