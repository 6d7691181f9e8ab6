"""A trained run on disk: a model folder plus `meta.json`. Written whole; read without NumPy or TensorFlow.

A new run is written beside the one there is, with `meta.json` last, and then the folders change places. A
process killed at any instant leaves the old run whole or the new one: between the two renames of the change
neither has the name, and `settle` gives it to the new one. `meta.json` and the header of the weights
carry the same identity; where they differ, somebody mixed files, and there is no run.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from blog_gen.errors import ModelError
from blog_gen.files import make_folder, read_json, sha256_of, unwritable, write_json
from blog_gen.model import integrity
from blog_gen.model.integrity import META_FILE, damage_error
from blog_gen.model.metadata import read_metadata
from blog_gen.model.training.outcome import SLIGHT

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
    held_out_logprob: float | None  # mean log-probability a token of these posts: nats, ≤ 0
    best_step: int  # 0: no update was better than the weights before
    seconds: float  # of training, ≥ 0, over all its resumes
    stopped: str
    summary: str  # what the losses say, in words
    history: Sequence[Mapping[str, float]] = field(default_factory=list)
    learned: str | None = None  # the moment, ISO 8601 with its offset, at which it was told to learn
    texts: Mapping[str, str] = field(default_factory=dict)  # SHA-256 of each post's text, by its name
    # the limits of the judge that the blog's own posts need looser than the defaults, and their lengths
    own_limits: Mapping[str, Any] = field(default_factory=dict)
    continued: int = 0  # times in a row that it was trained further from the run before
    files: Mapping[str, str] = field(default_factory=dict)  # SHA-256, by name; none of version 0.1
    changes_at: str | None = None  # ISO 8601 with its offset: then the next post becomes visible by itself
    held_out_bits_per_byte: float | None = None  # of these posts, ≥ 0: compares between vocabularies
    draft_words: int | None = None  # as many as the base can carry; None: as many as the posts have
    sampling: Mapping[str, Any] = field(default_factory=dict)  # the base's, where nobody sets another
    format: int = FORMAT

    @property
    def is_base(self) -> bool:
        """Whether nothing helped and the weights are still the base's."""
        return self.best_step == 0 and self.continued == 0

    @property
    def gained(self) -> bool | None:
        """Whether posts held out became clearly easier to predict than at its start; None: not measured."""
        losses = {row["step"]: row["held_out"] for row in self.history if "held_out" in row}
        return losses[0] - losses[self.best_step] >= SLIGHT if losses else None


def read_meta(folder: Path) -> Meta | None:
    """The finished run in `folder`, or None when there is none that is whole and of this version."""
    try:
        values = _values(folder)
        if (
            values.get("format") != FORMAT
            or read_metadata(integrity.weights_file(folder)).get("identity") != values["identity"]
        ):
            return None
        if "reading" in values:  # the name in version 0.1
            values["summary"] = values.pop("reading")
        return Meta(**values)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _values(folder: Path) -> dict[str, Any]:
    """What `meta.json` holds.

    Raises:
        OSError, ValueError, AttributeError: it is missing or damaged.
    """
    values: dict[str, Any] = read_json(folder / META_FILE)
    digest = values.pop("digest", None)  # none of version 0.1
    if digest not in (None, _digest(values)):
        raise ValueError("it was changed since it was written")
    return values


def _digest(values: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def require(folder: Path, fix: str = "Run `blog-gen train` first") -> Meta:
    """The finished run in `folder`.

    Raises:
        ModelError: there is none, or it is damaged.
    """
    if names := damaged(folder):
        raise damage_error(folder, names)
    meta = read_meta(folder)
    if meta is None:
        raise ModelError("there must be a trained run to write from", fix=fix, path=folder)
    return meta


def damaged(folder: Path, thorough: bool = False) -> list[str]:
    """Names of the run's files that are missing or not what was written; none where there is no run.

    Args:
        thorough: hash them all, as `integrity.damaged` says.
    """
    if not (folder / META_FILE).exists():
        return []
    try:
        values = _values(folder)
        if values["format"] != FORMAT:
            return []
        hashes = values.get("files") or {integrity.WEIGHTS_FILE: values["weights"]}
        identity = values["identity"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return [META_FILE]
    if names := integrity.damaged(folder, hashes, thorough):
        return names
    return [] if read_metadata(integrity.weights_file(folder)).get("identity") == identity else [META_FILE]


@contextmanager
def renewing(folder: Path) -> Iterator[Path]:
    """An empty folder, to be filled with a whole run, that takes the place of `folder` when the block ends.

    The run there was goes, and the state it was trained with; but if it was learned with other settings, it
    is kept as `kept_folder` says. The caller holds the site's lock.

    Raises:
        BlogGenError: the disk is full or the folder cannot be written.
    """
    new = _new_folder(folder)
    shutil.rmtree(new, ignore_errors=True)
    make_folder(new)
    try:
        yield new
    except BaseException as error:
        shutil.rmtree(new, ignore_errors=True)
        if isinstance(error, OSError):
            raise unwritable(new, error) from error
        raise
    settle(folder)


def settle(folder: Path) -> None:
    """Put a whole new run in the place of `folder`, and remove one that is not whole.

    Every step can be the last before a kill, and is then gone on from. The caller holds the site's lock.

    Raises:
        BlogGenError: the folder cannot be written.
    """
    folder = folder.resolve()
    new, old = _new_folder(folder), _old_folder(folder)
    try:
        if folder.exists():
            _retire(old, folder)
        if read_meta(new) is not None:
            if folder.exists():
                os.replace(folder, old)
            os.replace(new, folder)
        shutil.rmtree(new, ignore_errors=True)
        if not folder.exists() and old.exists():
            os.replace(old, folder)
        _retire(old, folder)
    except OSError as error:
        raise unwritable(folder, error) from error


def kept_folder(folder: Path) -> Path:
    """Where the last run is kept that was learned with other settings than the one after it: only one."""
    return _beside(folder, "{}.before")


def _new_folder(folder: Path) -> Path:
    return _beside(folder, ".{}.new")


def _old_folder(folder: Path) -> Path:
    return _beside(folder, ".{}.old")


def _beside(folder: Path, name: str) -> Path:
    """Where the folder really is, should its name be a link to another disk."""
    real = folder.resolve()
    return real.with_name(name.format(real.name))


def _retire(old: Path, folder: Path) -> None:
    """Keep what was in the place of `folder` if only the settings were others, or else remove it."""
    before, after = read_meta(old), read_meta(folder)
    if (
        before is not None
        and after is not None
        and before.settings != after.settings
        # No weights remain that know a post which is hidden, changed or deleted by now.
        and set(before.texts.values()) <= set(after.texts.values())
    ):
        shutil.rmtree(old / STATE_FOLDER, ignore_errors=True)
        shutil.rmtree(kept_folder(folder), ignore_errors=True)
        os.replace(old, kept_folder(folder))
    shutil.rmtree(old, ignore_errors=True)


def write_meta(folder: Path, meta: Meta) -> None:
    """Write `meta.json`, which makes the run count as whole."""
    values = asdict(meta)
    write_json(folder / META_FILE, {**values, "digest": _digest(values)})


def weights_sha256(folder: Path) -> str:
    """The name by which a model's weights are known."""
    return sha256_of(integrity.weights_file(folder))
