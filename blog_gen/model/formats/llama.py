"""Llama's tensors as other tools keep them: one matrix for each of what we hold side by side, transposed.

`c_attn` is made of q, k and v, `c_fc` of gate and up. Knows neither Hugging Face's names nor llama.cpp's;
both formats give each part under the names that `parts_of` lists.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from blog_gen.errors import ModelError
from blog_gen.model.arrays import Array
from blog_gen.model.hparams import LLAMA_BLOCKS, HParams
from blog_gen.model.tensor_file import Stored


def llama(
    n_vocab: int,
    n_ctx: int,
    n_embd: int,
    n_head: int,
    n_layer: int,
    n_head_kv: int,
    n_inner: int,
    tied: bool,
    rope_theta: float,
    split_digits: bool,
) -> HParams:
    """The settings of a Llama network, which `HParams` composes."""
    return HParams(
        n_vocab, n_ctx, n_embd, n_head, n_layer, n_head_kv, n_inner,
        **LLAMA_BLOCKS, tied=tied, rope_theta=float(rope_theta), split_digits=split_digits,
    )  # fmt: skip


def is_llama(hparams: HParams) -> bool:
    """Whether the network is composed as Llama's is."""
    return all(getattr(hparams, name) == value for name, value in LLAMA_BLOCKS.items())


def parts_of(name: str) -> list[str]:
    """The names of the parts that the tensor `name` is made of, itself where it is one.

    >>> parts_of("h0/attn/c_attn/w"), parts_of("h0/ln_1/g")
    (['h0/attn/q/w', 'h0/attn/k/w', 'h0/attn/v/w'], ['h0/ln_1/g'])
    """
    for whole, parts in (("attn/c_attn/w", "qkv"), ("mlp/c_fc/w", ("gate", "up"))):
        if name.endswith(whole):
            at = name.removesuffix(whole) + whole.partition("/")[0]
            return [f"{at}/{part}/w" for part in parts]
    return [name]


def joined(hparams: HParams, parts: Mapping[str, Stored]) -> dict[str, Stored]:
    """Our tensors out of their parts; what does not fit stays as it is, for the checkpoint to say."""
    left, whole = dict(parts), {}
    for name in hparams.shapes():
        found = [left.pop(part) for part in parts_of(name) if part in left]
        if found and len(found) == len(parts_of(name)):
            whole[name] = _joined(found) if name.endswith("/w") else found[0]
    return whole | left


def _joined(parts: list[Stored]) -> Stored:
    """Matrices (out, in) as one (in, sum of outs)."""

    def read() -> Array:
        return np.ascontiguousarray(np.concatenate([part.read() for part in parts], axis=0).T)

    if any(len(part.shape) != 2 for part in parts):
        return parts[0]
    shape = parts[0].shape[1], sum(part.shape[0] for part in parts)
    return Stored(shape, parts[0].dtype, read)


def split(hparams: HParams, name: str, value: Array) -> Iterator[tuple[str, Array]]:
    """The parts of one of our tensors, matrices as (out, in)."""
    if not name.endswith("/w"):
        yield name, value
        return
    at = 0
    for part, columns in zip(parts_of(name), _columns(hparams, name, value.shape[1]), strict=True):
        yield part, np.ascontiguousarray(value[:, at : at + columns].T)
        at += columns


def _columns(hparams: HParams, name: str, columns: int) -> list[int]:
    side = hparams.head_width
    if name.endswith("attn/c_attn/w"):
        return [hparams.n_head * side, hparams.kv_heads * side, hparams.kv_heads * side]
    return [columns // len(parts_of(name))] * len(parts_of(name))


def part_shapes(hparams: HParams) -> dict[str, tuple[int, ...]]:
    """Every part's name and shape, in the published order."""
    shapes: dict[str, tuple[int, ...]] = {}
    for name, shape in hparams.shapes().items():
        if not name.endswith("/w"):
            shapes[name] = shape
            continue
        for part, columns in zip(parts_of(name), _columns(hparams, name, shape[1]), strict=True):
            shapes[part] = columns, shape[0]
    return shapes


def refuse_unless(expected: Mapping[str, tuple[Any, ...]], given: Mapping[str, Any], path: Any) -> None:
    """Refuse a network whose arithmetic is another, naming each value that is not among the expected.

    A key that is missing has the first of them.

    Raises:
        ModelError: a value is another.
    """
    others = [
        f"{key} {given[key]!r}" for key, values in expected.items() if given.get(key, values[0]) not in values
    ]
    if others:
        names = given.get("architectures") if others[0].startswith("model_type") else None
        what = f"{', '.join(map(str, names))}: " if isinstance(names, list) else ""
        raise ModelError("the network must be GPT-2's or Llama's", got=what + ", ".join(others), path=path)
