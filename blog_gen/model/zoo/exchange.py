"""Models into the user's cache and out of it, in the formats of other tools."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from blog_gen.errors import ModelError, Note
from blog_gen.files import locked, require_space, sweep
from blog_gen.model.formats import open_checkpoint, write_checkpoint
from blog_gen.model.formats.checkpoint import Checkpoint
from blog_gen.model.zoo import zoo


def import_model(
    path: Path, name: str, base: Path | None = None, note: Callable[[Note], None] = lambda note: None
) -> Path:
    """Keep the checkpoint in `path`, of whatever format, as the model `name`; returns its folder.

    Args:
        base: a model folder with the vocabulary and the five numbers, for a checkpoint that lacks them.
        note: hears what was left out of it.

    Raises:
        ModelError: it is in no known format or no whole GPT-2 (nothing is kept), or the name is taken.
        UsageError: the name cannot be a model's.
        BusyError: another process is making this model.
    """
    name = zoo.checked_name(name)
    with locked(lock_file(name), f"making the model {name}"):
        checkpoint = open_checkpoint(path, base)
        origin = {"format": checkpoint.format, "from": str(path.resolve())}
        folder = install(checkpoint, name, {"origin": origin} | dict(checkpoint.meta))
    for rule, action in checkpoint.notes:
        note(Note(path, rule, action))
    return folder


def lock_file(name: str) -> Path:
    return zoo.cache_folder() / "locks" / f"{quote(name, safe='@')}.lock"


def install(checkpoint: Checkpoint, name: str, meta: Mapping[str, Any]) -> Path:
    """Write `checkpoint` into the cache as `name`; the caller holds its lock.

    Raises:
        ModelError: it is no whole GPT-2, not the one that the name stands for, or the name is taken.
    """
    wanted = zoo.SIZES.get(name, checkpoint.hparams)
    if checkpoint.hparams != wanted:
        got = f"{checkpoint.hparams.parameters} parameters in {checkpoint.hparams.n_layer} layers"
        raise ModelError(
            f"{name} is the name of OpenAI's model", got=got, fix="Choose another", path=checkpoint.path
        )
    folder = zoo.cached_folder(name)
    sweep(folder.parent)  # of this model or of others; those of an hour may still be at work
    write_checkpoint(replace(checkpoint, meta=meta), "folder", folder)
    return folder


def check_space(name: str, needed: int, folder: Path) -> None:
    """Say before a download, not after it, that the disk is too small.

    Args:
        needed: bytes, those of the files in `folder` included, which need not be there yet.

    Raises:
        BlogGenError: fewer are free.
    """
    fix = f"Free some disk space, or set {zoo.CACHE_VARIABLE} to a folder on another disk"
    require_space(folder, needed, f"downloading {name} and converting it", fix)


def export_model(folder: Path, kind: str, destination: Path) -> Path:
    """Write the model in `folder` in one of `formats.FORMATS`; returns `destination`.

    Raises:
        ModelError: the model is damaged, the destination exists, or a package is not installed.
        UsageError: the format is unknown.
    """
    write_checkpoint(open_checkpoint(folder), kind, destination)
    return destination
