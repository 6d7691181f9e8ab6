"""Checkpoints in and out: which format a folder is in, and one way to open and to write each.

A format is a module that turns its files into a `Checkpoint`, or a `Checkpoint` into its files; so any can be
converted into any other, and none knows another.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from blog_gen.errors import ModelError, UsageError
from blog_gen.files import replacing_by_name, replacing_folder
from blog_gen.model.formats import folder, gguf, gguf_reader, huggingface, openai
from blog_gen.model.formats.checkpoint import Checkpoint

FOLDERS: Mapping[str, Callable[[Checkpoint, Path], None]] = {
    "folder": folder.write_folder,
    "hf": huggingface.write_huggingface,
    "openai": openai.write_openai,
}
FILES: Mapping[str, Callable[[Checkpoint, Path], None]] = {
    "gguf": partial(gguf.write_gguf, kind="f16"),
    "gguf-q8_0": partial(gguf.write_gguf, kind="q8_0"),
}
FORMATS = (*FOLDERS, *FILES)


def recognise(path: Path) -> str:
    """The format of the checkpoint in `path`: folder, hf, openai or gguf.

    Raises:
        ModelError: it is none of them.
    """
    for name, module in (("folder", folder), ("hf", huggingface), ("openai", openai)):
        if path.is_dir() and module.recognises(path):
            return name
    if path.is_file() and gguf_reader.recognises(path):
        return "gguf"
    raise ModelError(
        "a checkpoint must be a folder in a known format, or a GGUF file",
        got="another file" if path.is_file() else "other files" if path.is_dir() else "nothing there",
        fix="Name a folder with OpenAI's model.ckpt.index, with Hugging Face's config.json, or with our"
        " hparams.json and model.safetensors",
        path=path,
    )


def open_checkpoint(path: Path, base: Path | None = None) -> Checkpoint:
    """The checkpoint in `path`, its tensors unread; `base` has what fine-tuning tools leave out.

    Raises:
        ModelError: it is in no known format, incomplete or damaged.
    """
    kind = recognise(path)
    if kind == "openai":
        return openai.open_openai(path, base)
    readers = {
        "folder": folder.open_folder,
        "gguf": gguf_reader.open_gguf,
        "hf": huggingface.open_huggingface,
    }
    return readers[kind](path)


def write_checkpoint(checkpoint: Checkpoint, kind: str, destination: Path) -> None:
    """Write `checkpoint` in one of `FORMATS`, whole or not at all; nothing that is there is overwritten.

    Raises:
        UsageError: the format is unknown.
        ModelError: the destination exists, or the checkpoint is not a whole GPT-2.
    """
    if kind not in FORMATS:
        raise UsageError(f"the format must be one of {', '.join(FORMATS)}", got=kind)
    if destination.exists() and not (destination.is_dir() and not any(destination.iterdir())):
        raise ModelError(
            "nothing is overwritten", fix="Remove it first, or name another place", path=destination
        )
    if kind in FOLDERS:
        with replacing_folder(destination) as temporary:
            FOLDERS[kind](checkpoint, temporary)
    else:
        with replacing_by_name(destination) as path:
            FILES[kind](checkpoint, path)
