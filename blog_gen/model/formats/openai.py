"""OpenAI's checkpoint folder, and those of the tools that fine-tune it (nshepperd/gpt-2, gpt-2-simple).

A folder holds a TensorFlow checkpoint (`model.ckpt.*`, or `model-STEP.*` of the latest step), hparams.json,
encoder.json and vocab.bpe. Fine-tuning tools leave the last three in the folder of the base.

Source: openai/gpt-2 `src/model.py` (names; weights of convolutions of width 1 are (1, in, out)).
"""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

from blog_gen.errors import ModelError
from blog_gen.model.arrays import Array
from blog_gen.model.formats.checkpoint import Checkpoint
from blog_gen.model.formats.tensor_bundle import read_bundle, write_bundle
from blog_gen.model.hparams import HParams
from blog_gen.model.tensor_file import Stored

SCOPE = "model/"
PREFIX = "model.ckpt"
BASE_FILES = ("hparams.json", "encoder.json", "vocab.bpe")


def recognises(path: Path) -> bool:
    return any(path.glob("*.index"))


def open_openai(path: Path, base: Path | None = None) -> Checkpoint:
    """The latest checkpoint in `path`; hparams and vocabulary from there, or else from `base`.

    Raises:
        ModelError: a file is missing or damaged.
    """
    beside = {name: _beside(path, base, name) for name in BASE_FILES}
    tensors = read_bundle(path / _latest(path))
    return Checkpoint(
        path=path,
        format="openai",
        hparams=HParams.load(beside["hparams.json"].parent),
        encoder=beside["encoder.json"].read_bytes(),
        merges=beside["vocab.bpe"].read_bytes(),
        tensors={name.removeprefix(SCOPE): _as_matrix(name, tensor) for name, tensor in tensors.items()},
    )


def _beside(path: Path, base: Path | None, name: str) -> Path:
    for folder in (path, base):
        if folder and (folder / name).is_file():
            return folder / name
    fix = "Name the model that it was trained from with --base"
    raise ModelError(f"an OpenAI checkpoint needs {name}", fix=None if base else fix, path=base or path)


def _latest(path: Path) -> str:
    """The checkpoint that the file `checkpoint` names, wherever it was written, or else the latest step's."""
    prefixes = {index.name.removesuffix(".index") for index in path.glob("*.index")}
    state = path / "checkpoint"
    if state.is_file():
        named = re.search(
            r'^model_checkpoint_path: "(?:.*[/\\])?([^"/\\]+)"', state.read_text("utf-8", "replace")
        )
        if named and named[1] in prefixes:
            return named[1]
    if not prefixes:
        raise ModelError("an OpenAI checkpoint needs an .index file", path=path)
    return max(prefixes, key=_step)


def _step(prefix: str) -> int:
    """The step in a file name.

    >>> _step("model-1000"), _step("model.ckpt")
    (1000, -1)
    """
    digits = re.search(r"-(\d+)$", prefix)
    return int(digits[1]) if digits else -1


def _as_matrix(name: str, tensor: Stored) -> Stored:
    """A convolution of width 1 as the matrix it is."""
    if len(tensor.shape) != 3 or tensor.shape[0] != 1 or not name.endswith("/w"):
        return tensor
    return Stored(tensor.shape[1:], tensor.dtype, partial(_first, tensor))


def _first(tensor: Stored) -> Array:
    first: Array = tensor.read()[0]
    return first


def write_openai(checkpoint: Checkpoint, folder: Path) -> None:
    """Write what OpenAI's code restores: `tf.train.latest_checkpoint(folder)`, float32."""
    write_bundle(
        folder / PREFIX,
        (
            (SCOPE + name, value[None] if name.endswith("/w") else value)
            for name, value in checkpoint.verified()
        ),
    )
    state = f'model_checkpoint_path: "{PREFIX}"\nall_model_checkpoint_paths: "{PREFIX}"\n'
    (folder / "checkpoint").write_text(state, encoding="utf-8")
    checkpoint.hparams.save(folder)
    (folder / "encoder.json").write_bytes(checkpoint.encoder)
    (folder / "vocab.bpe").write_bytes(checkpoint.merges)
