"""What the judge measured of each draft, beside it in the state folder, so that the post is not full of it.

A draft's numbers are found by its day and seed, whatever its file is called by now. Without them, as in a
fresh checkout, nothing is lost but the numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from blog_gen.config.layers import as_mapping
from blog_gen.config.settings import Settings
from blog_gen.files import read_json, write_json

FOLDER = "scores"  # in the state folder
_WHICH = ("day", "seed", "weights")  # of the provenance: what makes one draft another


def save_scores(provenance: Mapping[str, Any], measured: Mapping[str, Any], settings: Settings) -> None:
    """Keep what was `measured` of the draft with this provenance.

    Raises:
        BlogGenError: the file cannot be written.
    """
    write_json(_path(provenance, settings), {"draft": _which(provenance), **measured})


def scores_of(provenance: Mapping[str, Any], settings: Settings) -> Mapping[str, Any]:
    """The scores of the draft with this provenance; of versions before 0.2.0 it holds them itself."""
    found = provenance.get("scores")
    if found is None:
        try:
            kept = read_json(_path(provenance, settings))
            found = kept["scores"] if kept["draft"] == _which(provenance) else None
        except (OSError, ValueError, TypeError, KeyError):
            pass
    return as_mapping(found)


def _which(provenance: Mapping[str, Any]) -> dict[str, str]:
    return {key: str(provenance.get(key)) for key in _WHICH}


def _path(provenance: Mapping[str, Any], settings: Settings) -> Path:
    """Digits and hyphens alone, whatever somebody wrote into the draft."""
    name = "-".join(_which(provenance)[key] for key in ("day", "seed"))
    safe = "".join(letter for letter in name if letter in "0123456789-")
    return settings.state_folder / FOLDER / f"{safe[:40]}.json"
