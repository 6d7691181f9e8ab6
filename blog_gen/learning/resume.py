"""What a training run started from, kept beside its checkpoints, so that it resumes with the same choices.

Some are made from the memory that is free at the time; another time there is another amount of it, and the
checkpoint would fit no run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from blog_gen.files import read_json, write_json
from blog_gen.model.training.recipe import Recipe

INPUTS_FILE = "training.json"


@dataclass(frozen=True)
class TrainingInputs:
    """What decides whether a checkpoint can be resumed, but for the recipe."""

    settings: Mapping[str, Any]  # that learning depends on, by their names
    articles: str  # SHA-256 of the texts
    start: str  # SHA-256 of the weights it started from


def write_inputs(folder: Path, inputs: TrainingInputs, recipe: Recipe) -> None:
    """Write both into a checkpoint folder, which is made."""
    write_json(folder / INPUTS_FILE, asdict(inputs) | {"recipe": asdict(recipe)})


def kept_recipe(folder: Path, wanted: TrainingInputs) -> Recipe | None:
    """The recipe of the run in `folder`, if it started from what is `wanted`."""
    inputs, recipe = _read(folder)
    return recipe if inputs == wanted else None


def read_inputs(folder: Path) -> TrainingInputs | None:
    """What the run in `folder` started from, if it says so."""
    return _read(folder)[0]


def has_checkpoint(folder: Path) -> bool:
    """Whether a folder holds a checkpoint that could be resumed."""
    return any(folder.glob("state-*"))


def _read(folder: Path) -> tuple[TrainingInputs | None, Recipe | None]:
    """Nothing where the file is missing, damaged or of another version."""
    try:
        values = read_json(folder / INPUTS_FILE)
        recipe = Recipe(**values.pop("recipe"))
        return TrainingInputs(**values), recipe
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None, None
