"""GGUF, which llama.cpp runs, written through the project's own package; `gguf_reader` reads it.

Matrices are stored as llama.cpp multiplies them, (out, in), in float16 or in q8_0 (blocks of 32 int8 with a
float16 scale); vectors and position embeddings stay float32, as llama.cpp wants them.

llama.cpp keeps the two numbers of a rotary pair side by side, where we and Hugging Face keep them in halves:
the rows of q and k change places.

Source: ggml-org/llama.cpp `convert_hf_to_gguf.py` (GPT2Model, LlamaModel), `gguf-py`.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from blog_gen.errors import ModelError
from blog_gen.model.arrays import Array
from blog_gen.model.bpe import merge_pairs
from blog_gen.model.formats import llama
from blog_gen.model.formats.checkpoint import Checkpoint
from blog_gen.model.hparams import HParams
from blog_gen.origin import how_to_install

BLOCK = 32  # numbers that share a scale in q8_0
NAMES = {
    "wte": "token_embd.weight",
    "wpe": "position_embd.weight",
    "ln_f": "output_norm",
    "ln_1": "attn_norm",
    "ln_2": "ffn_norm",
    "attn/c_attn": "attn_qkv",
    "attn/c_proj": "attn_output",
    "mlp/c_fc": "ffn_up",
    "mlp/c_proj": "ffn_down",
    "head": "output.weight",
    "attn/q": "attn_q",
    "attn/k": "attn_k",
    "attn/v": "attn_v",
    "mlp/gate": "ffn_gate",
    "mlp/up": "ffn_up",
}


def write_gguf(checkpoint: Checkpoint, path: Path, kind: str) -> None:
    """Write one file; `kind` is f16 or q8_0.

    Raises:
        ModelError: the package gguf is not installed, or a weight is beyond float16.
    """
    try:
        import gguf
    except ImportError:
        raise ModelError(
            "GGUF is written by the package gguf, which is not installed",
            fix=how_to_install("gguf"),
        ) from None
    writer = gguf.GGUFWriter(path, "llama" if llama.is_llama(checkpoint.hparams) else "gpt2")
    try:
        _describe(writer, checkpoint.hparams, kind, gguf)
        _describe_tokenizer(writer, checkpoint, gguf)
        _write_tensors(writer, checkpoint, kind, gguf)
    finally:
        writer.close()


def _write_tensors(writer: Any, checkpoint: Checkpoint, kind: str, gguf: Any) -> None:
    """The header, which names them all, then their bytes in the same order, one at a time."""
    hparams, kinds = checkpoint.hparams, {}
    for name, stored in _stored_shapes(hparams).items():
        kinds[name] = gguf.GGMLQuantizationType[_kind_of(name, stored, kind)]
        size = gguf.quants.quant_shape_to_byte_shape(stored, kinds[name])
        writer.add_tensor_info(tensor_name(name), size, np.dtype(np.uint8), math.prod(size), kinds[name])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    for whole, value in checkpoint.verified():
        for name, wide in _stored(hparams, whole, np.asarray(value, np.float32)):
            with np.errstate(over="ignore"):
                data = gguf.quants.quantize(wide, kinds[name])
            if data.dtype == np.float16 and not np.isfinite(data).all():
                raise ModelError("float16 must hold every weight", got=name, path=checkpoint.path)
            writer.write_tensor_data(data)


def _stored_shapes(hparams: HParams) -> dict[str, tuple[int, ...]]:
    """Names and shapes of what is stored, matrices (out, in), in the published order."""
    if llama.is_llama(hparams):
        return llama.part_shapes(hparams)
    return {n: shape[::-1] if n.endswith("/w") else shape for n, shape in hparams.shapes().items()}


def _stored(hparams: HParams, name: str, value: Array) -> Iterator[tuple[str, Array]]:
    """One tensor as it is stored, or its parts."""
    if not llama.is_llama(hparams):
        yield name, np.ascontiguousarray(value.T if name.endswith("/w") else value)
        return
    for part, piece in llama.split(hparams, name, value):
        heads = {"attn/q/w": hparams.n_head, "attn/k/w": hparams.kv_heads}.get(part.partition("/")[2])
        yield part, piece if heads is None else side_by_side(piece, heads)


def side_by_side(rows: Array, heads: int) -> Array:
    """(H D, n) rows with the halves of each head's pairs brought together.

    >>> side_by_side(np.array([[0], [1], [2], [3]]), heads=1).ravel().tolist()
    [0, 2, 1, 3]
    """
    return np.ascontiguousarray(rows.reshape(heads, 2, -1, rows.shape[1]).swapaxes(1, 2)).reshape(rows.shape)


def in_halves(rows: Array, heads: int) -> Array:
    """What `side_by_side` brought together, in halves again."""
    return np.ascontiguousarray(rows.reshape(heads, -1, 2, rows.shape[1]).swapaxes(1, 2)).reshape(rows.shape)


def _describe(writer: Any, hparams: HParams, kind: str, gguf: Any) -> None:
    types = {"f16": gguf.LlamaFileType.MOSTLY_F16, "q8_0": gguf.LlamaFileType.MOSTLY_Q8_0}
    writer.add_block_count(hparams.n_layer)
    writer.add_context_length(hparams.n_ctx)
    writer.add_embedding_length(hparams.n_embd)
    writer.add_feed_forward_length(hparams.inner)
    writer.add_head_count(hparams.n_head)
    if llama.is_llama(hparams):
        writer.add_name("Llama")
        writer.add_head_count_kv(hparams.kv_heads)
        writer.add_rope_dimension_count(hparams.head_width)
        writer.add_rope_freq_base(hparams.rope_theta)
        writer.add_layer_norm_rms_eps(1e-5)
        writer.add_vocab_size(hparams.n_vocab)
    else:
        writer.add_name("GPT-2")
        writer.add_layer_norm_eps(1e-5)
    writer.add_file_type(types[kind])
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)


def _describe_tokenizer(writer: Any, checkpoint: Checkpoint, gguf: Any) -> None:
    """The vocabulary in OpenAI's printable spelling; nothing is put before a text."""
    tokenizer, encoder = checkpoint.tokenizer, json.loads(checkpoint.encoder)
    end = tokenizer.end_of_text
    normal, control = gguf.TokenType.NORMAL, gguf.TokenType.CONTROL
    tokens = sorted(encoder, key=encoder.__getitem__)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm" if checkpoint.hparams.split_digits else "gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types([control if number == end else normal for number in range(len(tokens))])
    writer.add_token_merges([" ".join(pair) for pair in merge_pairs(checkpoint.merges.decode("utf-8"))])
    writer.add_bos_token_id(end)
    writer.add_eos_token_id(end)
    writer.add_add_bos_token(False)


def tensor_name(name: str) -> str:
    """llama.cpp's name of a tensor.

    >>> tensor_name("h3/attn/c_attn/w"), tensor_name("ln_f/b"), tensor_name("wte")
    ('blk.3.attn_qkv.weight', 'output_norm.bias', 'token_embd.weight')
    """
    if name in NAMES:
        return NAMES[name]
    block, rest = re.match(r"(?:h(\d+)/)?(.*)", name).groups()  # type: ignore[union-attr]
    place, _, part = rest.rpartition("/")
    prefix = f"blk.{block}." if block else ""
    return f"{prefix}{NAMES[place]}.{'bias' if part == 'b' else 'weight'}"


def _kind_of(name: str, shape: tuple[int, ...], kind: str) -> str:
    """How one tensor is stored: a row that is no whole number of blocks cannot be q8_0."""
    if len(shape) == 1 or name == "wpe":
        return "F32"
    return "F16" if kind == "f16" or shape[-1] % BLOCK else "Q8_0"
