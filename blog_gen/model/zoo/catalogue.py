"""What there is to know of a model on this machine, for `models list` and `models show`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from blog_gen.errors import ModelError, Note, counted
from blog_gen.model.formats.folder import read_meta
from blog_gen.model.hparams import HParams
from blog_gen.model.training import memory
from blog_gen.model.zoo import zoo
from blog_gen.model.zoo.bases import BASES


@dataclass(frozen=True)
class ModelInfo:
    """One model; sizes in bytes."""

    name: str
    kind: str  # embedded | cached | run | folder
    path: Path
    on_disk: int  # everything in its folder
    parameters: int
    context: int  # tokens
    vocabulary: int  # tokens
    source: str | None  # where it came from
    trained_on: str | None
    licence: str | None
    language: str | None  # ISO 639-1
    memory_to_train: int  # a full fine-tune, one context a step; an estimate
    memory_to_sample: int  # one text at a time, int8; an estimate


def list_models(runs: Path | None = None) -> tuple[list[ModelInfo], list[Note]]:
    """Every model there is, and a note for each that is damaged."""
    models, notes = [], []
    for name, (kind, path) in zoo.places(runs).items():
        try:
            models.append(_info(name, kind, path))
        except ModelError as error:
            notes.append(Note(path, str(error), "left out"))
    return models, notes


def describe(name: str, runs: Path | None = None) -> ModelInfo:
    """What `name` means (see `zoo.resolve`).

    Raises:
        ModelError: there is no such model, or it is damaged.
    """
    path = zoo.resolve(name, runs)
    for known, (kind, place) in zoo.places(runs).items():
        if place == path:
            return _info(known, kind, path)
    return _info(path.name, "folder", path)


def _info(name: str, kind: str, path: Path) -> ModelInfo:
    hparams, meta = HParams.load(path), read_meta(path)
    known = next((base for base in BASES if base.name == name), None)
    return ModelInfo(
        name=name,
        kind=kind,
        path=path,
        on_disk=sum(file.stat().st_size for file in path.rglob("*") if file.is_file()),
        parameters=hparams.parameters,
        context=hparams.n_ctx,
        vocabulary=hparams.n_vocab,
        source=_source(meta),
        trained_on=_trained_on(meta),
        licence=known.licence if known else None,
        language=known.language if known else None,
        memory_to_train=memory.to_train(hparams),
        memory_to_sample=memory.to_sample(hparams),
    )


def _source(meta: dict[str, Any]) -> str | None:
    """An import's or a download's `origin`, or a run's `base`."""
    if "base" in meta:
        return f"fine-tuned from {meta['base']}"
    origin = meta.get("origin")
    return origin.get("from") if isinstance(origin, dict) else None


def _trained_on(meta: dict[str, Any]) -> str | None:
    if "posts" in meta and "tokens" in meta:
        return f"{counted(meta['posts'], 'post')}, {meta['tokens']} tokens"
    return meta.get("trained_on")
