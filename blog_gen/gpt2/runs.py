"""A trained run on disk: a model folder plus `meta.json`. Written whole; read without NumPy or TensorFlow.

`meta.json` and the header of `model.safetensors` carry the same identity. Where they differ, a process was
killed between the two renames: the run counts as unfinished, and training again finishes it from its state.
"""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from blog_gen.files import sha256_of, write_json, write_text
from blog_gen.gpt2.curve import as_svg
from blog_gen.gpt2.metadata import read_metadata

META_FILE = "meta.json"
HISTORY_FILE, CURVE_FILE = "history.csv", "loss.svg"
STATE_FOLDER = "training"  # inside a run folder, while it trains
FORMAT = 2  # count up whenever the meaning of a field changes


@dataclass(frozen=True)
class Meta:
    """What a run was made from and how it went."""

    identity: str  # of the training run: data, base weights and recipe
    base: str  # name of the base model
    base_weights: str  # SHA-256 of its weights file
    weights: str  # SHA-256 of the run's own weights file
    articles: str  # SHA-256 of the texts it was trained on
    fingerprint: str  # of the files these came from: a cheap check whether they changed
    settings: Mapping[str, Any]  # what a person set, as far as training depends on it
    recipe: Mapping[str, Any]  # what was then chosen
    posts: int
    tokens: int  # in one pass over the posts that it learned from
    held_out: Sequence[str]  # names of the posts it was measured on
    held_out_logprob: float | None  # mean over these posts of nats per token
    best_step: int
    seconds: float
    stopped: str
    reading: str  # what the losses say, in words
    history: Sequence[Mapping[str, float]] = field(default_factory=list)
    learned: str | None = None  # the moment, ISO 8601 with its offset, at which it was told to learn
    texts: Mapping[str, str] = field(default_factory=dict)  # SHA-256 of each post's text, by its name
    continued: int = 0  # times in a row that it went on from the run before
    format: int = FORMAT


def read_meta(folder: Path) -> Meta | None:
    """The finished run in `folder`, or None when there is none that is whole and of this version."""
    try:
        values = json.loads((folder / META_FILE).read_text(encoding="utf-8"))
        if (
            values.get("format") != FORMAT
            or read_metadata(folder / "model.safetensors").get("identity") != values["identity"]
        ):
            return None
        return Meta(**values)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def write_meta(folder: Path, meta: Meta) -> None:
    """Write the history as a table and a chart; last `meta.json`, which makes the run count as finished."""
    write_text(folder / HISTORY_FILE, _as_csv(meta.history))
    if (picture := as_svg(meta.history)) is not None:
        write_text(folder / CURVE_FILE, picture)
    write_json(folder / META_FILE, asdict(meta))
    shutil.rmtree(folder / STATE_FOLDER, ignore_errors=True)


def _as_csv(history: Sequence[Mapping[str, float]]) -> str:
    columns = list(dict.fromkeys(key for row in history for key in row))
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(history)
    return out.getvalue()


def weights_sha256(folder: Path) -> str:
    """The name by which a model's weights are known."""
    return sha256_of(folder / "model.safetensors")
