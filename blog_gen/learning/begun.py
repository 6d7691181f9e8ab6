"""What a training run was begun with, kept beside its state, so that it can go on with the same choices.

Some are made from the memory that is free at the time; another time there is another amount of it, and the
state would fit no run.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from blog_gen.files import write_json
from blog_gen.model.training.autopilot import Recipe

BEGUN_FILE = "begun.json"


@dataclass(frozen=True)
class Begun:
    """What decides whether a state can be gone on from, but for the recipe."""

    settings: Mapping[str, Any]  # that learning depends on, by their names
    articles: str  # SHA-256 of the texts
    start: str  # SHA-256 of the weights it began with


def write_begun(folder: Path, begun: Begun, recipe: Recipe) -> None:
    """Write both into a state folder, which is made."""
    write_json(folder / BEGUN_FILE, asdict(begun) | {"recipe": asdict(recipe)})


def kept_recipe(folder: Path, wanted: Begun) -> Recipe | None:
    """The recipe of what was begun in `folder`, if that is what is wanted."""
    begun, recipe = _read(folder)
    return recipe if begun == wanted else None


def read_begun(folder: Path) -> Begun | None:
    """What was begun in `folder`, if it says so."""
    return _read(folder)[0]


def has_state(folder: Path) -> bool:
    """Whether anything was saved in a state folder that could be gone on from."""
    return any(folder.glob("state-*"))


def _read(folder: Path) -> tuple[Begun | None, Recipe | None]:
    """Nothing where the file is missing, damaged or of another version."""
    try:
        values = json.loads((folder / BEGUN_FILE).read_text(encoding="utf-8"))
        recipe = Recipe(**values.pop("recipe"))
        return Begun(**values), recipe
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None, None
