"""A Llama in a GGUF file: read through llama.cpp's own package, whatever it was rounded to made floats again.

Source: ggml-org/llama.cpp `gguf-py`, `convert_hf_to_gguf.py` (LlamaModel).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from blog_gen.errors import ModelError
from blog_gen.model.arrays import Array
from blog_gen.model.bpe import END_OF_TEXT, merge_pairs
from blog_gen.model.formats import gguf as writing
from blog_gen.model.formats import llama
from blog_gen.model.formats.checkpoint import Checkpoint
from blog_gen.model.formats.vocabulary import Vocabulary, without_added
from blog_gen.model.hparams import HParams
from blog_gen.model.tensor_file import DamagedError, Stored
from blog_gen.origin import how_to_install

MAGIC = b"GGUF"
SPLITTERS = {"smollm": True, "gpt-2": False}  # tokenizer.ggml.pre: whether digits are split
EXPECTED: Mapping[str, tuple[object, ...]] = {
    "general.architecture": ("llama",),
    "tokenizer.ggml.model": ("gpt2",),
}


def recognises(path: Path) -> bool:
    """Whether the file begins as GGUF does."""
    try:
        with path.open("rb") as file:
            return file.read(4) == MAGIC
    except OSError:
        return False


def open_gguf(path: Path) -> Checkpoint:
    """The model in the file at `path`, its tensors unread.

    Raises:
        ModelError: the package gguf is not installed; the file is damaged, of another architecture, or split
            into words in a way that is not known.
    """
    try:
        import gguf
    except ImportError:
        raise ModelError(
            "GGUF is read by the package gguf, which is not installed", fix=how_to_install("gguf")
        ) from None
    try:
        reader = gguf.GGUFReader(path)
        about = {name: field.contents() for name, field in reader.fields.items()}
    except (ValueError, KeyError, IndexError, OSError) as error:
        raise ModelError("a GGUF file must be complete", got=error, path=path) from None
    llama.refuse_unless(EXPECTED, about, path)
    found = {tensor.name: tensor for tensor in reader.tensors}
    try:
        hparams = _hparams(about, tied="output.weight" not in found)
        vocabulary = _vocabulary(about, path)
    except KeyError as error:
        raise ModelError("a GGUF file must describe its model", got=f"no {error}", path=path) from None
    named = {writing.tensor_name(name): name for name in llama.part_shapes(hparams)}
    parts = {
        named.get(name, name): _part(hparams, named.get(name, name), tensor, gguf.quants.dequantize)
        for name, tensor in found.items()
        if name not in ("rope_freqs.weight",)
    }
    tensors = llama.joined(hparams, parts)
    whole = Checkpoint(path, "gguf", hparams, vocabulary.encoder, vocabulary.merges, tensors)
    return replace(whole.with_rows(vocabulary.rows), notes=vocabulary.notes)


def _vocabulary(about: Mapping[str, Any], path: Path) -> Vocabulary:
    """The vocabulary, less the tokens that no merge makes."""
    ids = {token: number for number, token in enumerate(about["tokenizer.ggml.tokens"])}
    merges = "\n".join(["#version: 0.2", *about["tokenizer.ggml.merges"], ""])
    given = Vocabulary(json.dumps(ids).encode(), merges.encode())
    end = about["tokenizer.ggml.tokens"][about["tokenizer.ggml.eos_token_id"]]
    return without_added(given, ids, merge_pairs(merges), END_OF_TEXT if END_OF_TEXT in ids else end, path)


def _hparams(about: Mapping[str, Any], tied: bool) -> HParams:
    heads = about["llama.attention.head_count"]
    return llama.llama(
        len(about["tokenizer.ggml.tokens"]),
        about["llama.context_length"],
        about["llama.embedding_length"],
        heads,
        about["llama.block_count"],
        about.get("llama.attention.head_count_kv", heads),
        about["llama.feed_forward_length"],
        tied,
        about.get("llama.rope.freq_base", 10_000.0),
        SPLITTERS[about["tokenizer.ggml.pre"]],
    )


def _part(hparams: HParams, name: str, tensor: Any, dequantise: Any) -> Stored:
    """One tensor, dequantised when it is read; the file's shapes run backwards."""
    heads = {"attn/q/w": hparams.n_head, "attn/k/w": hparams.kv_heads}.get(name.partition("/")[2])
    # float16 holds what was rounded to less.
    dtype = "float32" if tensor.tensor_type.name == "F32" else "float16"

    def read() -> Array:
        try:
            wide = np.asarray(dequantise(tensor.data, tensor.tensor_type), dtype)
        except NotImplementedError:
            raise DamagedError(f"{tensor.tensor_type.name} is a quantisation that is not known") from None
        return wide if heads is None else writing.in_halves(wide, heads)

    return Stored(tuple(int(side) for side in reversed(tensor.shape)), dtype, read)
