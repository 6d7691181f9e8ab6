"""Our own model folder: hparams.json, encoder.json, vocab.bpe, model.safetensors.

Perhaps words.txt, where words are constrained, and meta.json. A trained run is one too; what it keeps for
going on with its training is left behind.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from blog_gen.config.base_defaults import checked_sampling
from blog_gen.errors import ModelError
from blog_gen.files import read_json, write_json
from blog_gen.model.formats.checkpoint import Checkpoint
from blog_gen.model.hparams import HParams
from blog_gen.model.integrity import ADAPTER_FILE, HASHED, META_FILE, WEIGHTS_FILE, hashes_of, weights_file
from blog_gen.model.sampling.vocabulary_constraint import WORDS_FILE
from blog_gen.model.tensor_file import Stored, read_tensors, write_tensors
from blog_gen.model.weights import open_weights

BESIDE_A_RUN = ("history.csv", "loss.svg")


def recognises(path: Path) -> bool:
    return (path / "hparams.json").is_file() and weights_file(path).is_file()


def open_folder(path: Path) -> Checkpoint:
    """The model in `path`.

    Raises:
        ModelError: a file is missing or damaged.
    """
    try:
        encoder, merges = (path / "encoder.json").read_bytes(), (path / "vocab.bpe").read_bytes()
    except FileNotFoundError as error:
        raise ModelError("a model folder needs encoder.json and vocab.bpe", path=error.filename) from None
    hparams = HParams.load(path)
    words = (path / WORDS_FILE).read_bytes() if (path / WORDS_FILE).exists() else None
    return Checkpoint(
        path, "folder", hparams, encoder, merges, _tensors(path, hparams), read_meta(path), words
    )


def _tensors(path: Path, hparams: HParams) -> Mapping[str, Stored]:
    """Those on disk or, of an adapter, those that it makes of its base."""
    if weights_file(path).name != ADAPTER_FILE:
        return read_tensors(path / WEIGHTS_FILE)
    whole = open_weights(path, hparams)
    return {name: Stored(shape, "float32", partial(whole.make, name)) for name, shape in whole.shapes.items()}


def read_meta(path: Path) -> dict[str, Any]:
    """What meta.json says of a model; empty when there is none.

    Raises:
        ModelError: it is no JSON object.
    """
    try:
        meta = read_json(path / META_FILE)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ModelError("meta.json must be UTF-8 JSON", got=error, path=path / META_FILE) from None
    if not isinstance(meta, dict):
        raise ModelError("meta.json must hold an object", got=type(meta).__name__, path=path / META_FILE)
    return meta


def draft_words(path: Path) -> int | None:
    """How many words a draft of this model may have before it loses the thread, where meta.json says it.

    Raises:
        ModelError: meta.json is no JSON object, or this is no whole number above 0.
    """
    words = read_meta(path).get("draft_words")
    if words is None:
        return None
    if not isinstance(words, int) or isinstance(words, bool) or words < 1:
        raise ModelError("draft_words must be a whole number above 0", got=repr(words), path=path / META_FILE)
    return words


def sampling_defaults(path: Path) -> dict[str, Any]:
    """What of `sampling` this model takes where nobody set it, as far as meta.json says; also of a run.

    Raises:
        ModelError: meta.json is no JSON object.
        ConfigError: one is no such setting, or out of range.
    """
    return checked_sampling(read_meta(path).get("sampling", {}), path / META_FILE)


def write_folder(checkpoint: Checkpoint, folder: Path) -> None:
    """Write the model as a folder that `zoo.resolve` understands, float16 kept where it is float16.

    What is such a folder already comes out to the byte, with what lies beside the model: a run stays a run.
    But an adapter comes out as whole weights, which need no base where they go.
    """
    shapes = checkpoint.hparams.shapes()
    layout = {name: (dtype, shapes[name]) for name, dtype in checkpoint.dtypes().items()}
    if checkpoint.format == "folder":
        _copy(checkpoint, folder)
    if (folder / WEIGHTS_FILE).exists():
        for _ in checkpoint.verified():
            pass
    else:
        identity = checkpoint.meta.get("identity")
        with (folder / WEIGHTS_FILE).open("wb") as file:
            write_tensors(file, layout, checkpoint.verified(), {"identity": identity} if identity else None)
    checkpoint.hparams.save(folder)
    (folder / "encoder.json").write_bytes(checkpoint.encoder)
    (folder / "vocab.bpe").write_bytes(checkpoint.merges)
    if checkpoint.words is not None:
        (folder / WORDS_FILE).write_bytes(checkpoint.words)
    if checkpoint.meta:
        files = hashes_of(folder)
        own = {"weights": files[WEIGHTS_FILE]} if "weights" in checkpoint.meta else {}
        meta = {**checkpoint.meta, **own, "files": files}
        if checkpoint.format != "folder" or meta != read_meta(checkpoint.path):
            meta.pop("digest", None)
        write_json(folder / META_FILE, meta)


def _copy(checkpoint: Checkpoint, folder: Path) -> None:
    for name in (*HASHED, *BESIDE_A_RUN):
        if name != ADAPTER_FILE and (checkpoint.path / name).is_file():
            shutil.copyfile(checkpoint.path / name, folder / name)
