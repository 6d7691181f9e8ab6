"""Settings written in other ways: by the names of an earlier version, with a note, and as lists."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from blog_gen.errors import Note

RENAMED = {  # under `blog_gen:`: group, old name, new name
    ("training", "accumulate"): "gradient_accumulation",
    ("training", "recompute"): "activation_checkpointing",
    ("sampling", "known_words"): "vocabulary_constraint",
}


def with_new_names(values: Any, path: Path) -> tuple[Any, list[Note]]:
    """What stands under `blog_gen:` in the file at `path`, with today's names, and a note for each old one.

    Where both names are given, the new one holds.

    >>> with_new_names({"training": {"accumulate": 2}}, Path("_config.yml"))[0]
    {'training': {'gradient_accumulation': 2}}
    """
    notes = []
    for (group, old), new in RENAMED.items():
        found = values.get(group) if isinstance(values, Mapping) else None
        if isinstance(found, Mapping) and old in found:
            rest = {key: value for key, value in found.items() if key != old}
            values = {**values, group: {new: found[old], **rest}}
            rule = f"`{group}.{old}` is now called `{group}.{new}`"
            notes.append(Note(path, rule, "the old name still works"))
    return values, notes


def with_lists(values: Any) -> Any:
    """With `weekdays: [mon, wed]` and `articles: [a, b]` as the texts that they are elsewhere."""
    if not isinstance(values, Mapping):
        return values
    lists = {"weekdays": " ", "articles": ", "}
    return {
        key: lists[key].join(map(str, value)) if key in lists and isinstance(value, list) else value
        for key, value in values.items()
    }
