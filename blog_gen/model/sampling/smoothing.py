"""Channels evened out before a model is rounded to int8: large inputs made smaller, their weights larger.

A product's inputs are rounded to eight bits a row, so that one channel whose inputs are a hundred times as
large as the others' leaves these a few levels. Each channel is divided by a power of two where it is made (a
norm's gain, the values, the gate's other half), and its row of weights multiplied by it: in float the same
product, bit for bit. How large inputs get is seen on a short text: the channels that stand out are always the
same. NumPy alone runs the network here, once, block by block.

Source: Xiao et al. 2023, "SmoothQuant". Shape letters: T tokens, C n_embd, H heads, K heads of keys and
values, D = C / H.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from blog_gen.model.arrays import Array, Arrays, LazyArrays, shapes_of
from blog_gen.model.hparams import HParams

Change = Callable[[Array], Array]

STRENGTHS = (0.0, 0.2, 0.35, 0.5, 0.65)  # of the evening: 0 leaves all as it is, 1 makes all inputs alike
FIRST = 2  # tokens that say little of the others: where a text begins, inputs are largest (Sun et al. 2024)
MOST_COLUMNS = 512  # of a matrix are rounded to see what rounding costs
# Read once to see the inputs: prose, a list, numbers, code and markup.
TEXT = """title: The kettle
tags: repairs, kitchen
---
The morning was cold, and the kettle on the stove had begun to sing. She wrote three letters, sorted the tools
by size, and counted: 1, 2, 4, 8, 16. What would you have done? In 1987 the company sold its last machine;
nobody noticed.

## What it takes

- first, the wire (*not* the old one)
- then, carefully, the switch

    def area(width, height): return width * height

To be honest, I do not know why it worked, but it did, and it still does.
"""


@dataclass(frozen=True)
class Smoothed:
    """Weights that were evened out, and what is to be known of them."""

    weights: LazyArrays
    head: Array  # (C,) what the columns of the output head, tied to the embeddings or not, were multiplied by
    means: Mapping[str, Array]  # (n,) of each product's inputs, by its weight's name: `h0/attn/c_attn`, `wte`


def smooth(weights: Arrays, hparams: HParams, tokens: Sequence[int]) -> Smoothed:
    """Even out `weights` by what they make of `tokens`, of which there are more than two.

    In the last product of a block the channels stand in the order of their largest inputs, the largest first.
    """
    return _Smoothing(weights, hparams).run(np.asarray(tokens[: hparams.n_ctx]))


class _Smoothing:
    def __init__(self, weights: Arrays, hparams: HParams) -> None:
        self._weights, self._hparams = weights, hparams
        self._means: dict[str, Array] = {}
        self._changes: dict[str, list[Change]] = defaultdict(list)

    def run(self, tokens: Array) -> Smoothed:
        weights, hp = self._weights, self._hparams
        x = weights["wte"][tokens]  # (T, C)
        if hp.positions == "learned":
            x = x + weights["wpe"][: len(tokens)]
        for layer in range(hp.n_layer):
            x = x + self._attention(x, f"h{layer}")
            x = x + self._feed_forward(x, f"h{layer}")
        head = "wte" if hp.tied else "head"
        normed = self._normed(x, "ln_f")
        factors = self._evened(normed, weights[head].T, head)
        self._divide_norm("ln_f", factors)
        self._changes[head].append(lambda table: table * factors)
        return Smoothed(LazyArrays(shapes_of(weights), self._changed), factors, self._means)

    def _changed(self, name: str) -> Array:
        value = self._weights[name]
        for change in self._changes.get(name, ()):
            value = change(value)
        return value

    def _attention(self, x: Array, at: str) -> Array:
        hp, name = self._hparams, f"{at}/attn/c_proj"
        mixed = self._product_of_norm(x, f"{at}/ln_1", f"{at}/attn/c_attn")
        split = mixed.reshape(len(x), -1, hp.head_width).swapaxes(0, 1)  # (H + 2 K, T, D)
        query, key, value = np.split(split, [hp.n_head, hp.n_head + hp.kv_heads])
        if hp.positions == "rotary":
            query, key = self._turned(query), self._turned(key)
        groups = hp.n_head // hp.kv_heads
        key, value = key.repeat(groups, axis=0), value.repeat(groups, axis=0)
        scores = query @ key.swapaxes(1, 2) * np.float32(hp.head_width**-0.5)
        scores[:, ~np.tri(len(x), dtype=bool)] = -np.inf
        raised = np.exp(scores - scores.max(-1, keepdims=True))
        seen = raised / raised.sum(-1, keepdims=True) @ value  # (H, T, D)
        merged = seen.swapaxes(0, 1).reshape(len(x), -1)
        output = self._product(merged, name)
        self._even_values(merged, at)
        return output

    def _even_values(self, merged: Array, at: str) -> None:
        """Heads that share values share factors."""
        hp, weight = self._hparams, self._weights[f"{at}/attn/c_proj/w"]
        shape = (hp.kv_heads, hp.n_head // hp.kv_heads, hp.head_width)
        factors = self._evened(merged, weight, f"{at}/attn/c_proj", shape)
        self._multiply_rows(f"{at}/attn/c_proj", factors)
        self._divide_columns(f"{at}/attn/c_attn", factors.reshape(shape)[:, 0].reshape(-1))

    def _feed_forward(self, x: Array, at: str) -> Array:
        name = f"{at}/mlp/c_proj"
        inner = self._activated(self._product_of_norm(x, f"{at}/ln_2", f"{at}/mlp/c_fc"))
        output, weight = self._product(inner, name), self._weights[f"{name}/w"]
        factors = np.ones(len(weight), np.float32)
        if self._hparams.feed_forward == "swiglu":
            factors = _factors(inner, weight)
            self._multiply_rows(name, factors)
            self._divide_columns(f"{at}/mlp/c_fc", factors)
        self._sort_inner(inner / factors, at)
        return output

    def _activated(self, wide: Array) -> Array:
        if self._hparams.feed_forward == "gelu":
            gelu: Array = 0.5 * wide * (1 + np.tanh((2 / np.pi) ** 0.5 * (wide + 0.044715 * wide**3)))
            return gelu
        gate, other = np.split(wide, 2, axis=1)
        swiglu: Array = gate * 0.5 * (1 + np.tanh(gate / 2)) * other
        return swiglu

    def _sort_inner(self, inner: Array, at: str) -> None:
        order = np.argsort(-np.abs(inner).max(0), kind="stable")
        self._means[f"{at}/mlp/c_proj"] = inner[FIRST:].mean(0)[order]
        self._changes[f"{at}/mlp/c_proj/w"].append(lambda weight: weight[order])

        def sorted_columns(value: Array) -> Array:
            parts = np.split(value, value.shape[-1] // len(order), axis=-1)
            return np.concatenate([part[..., order] for part in parts], axis=-1)

        for name in (f"{at}/mlp/c_fc/w", f"{at}/mlp/c_fc/b"):
            self._changes[name].append(sorted_columns)

    def _product_of_norm(self, x: Array, norm: str, name: str) -> Array:
        normed = self._normed(x, norm)
        product, weight = self._product(normed, name), self._weights[f"{name}/w"]
        factors = self._evened(normed, weight, name)
        self._multiply_rows(name, factors)
        self._divide_norm(norm, factors)
        return product

    def _evened(self, inputs: Array, weight: Array, name: str, shared: Sequence[int] = ()) -> Array:
        factors = _factors(inputs, weight, shared)
        self._means[name] = inputs[FIRST:].mean(0) / factors
        return factors

    def _normed(self, x: Array, at: str) -> Array:
        layer = self._hparams.norm == "layer"
        centred = x - x.mean(-1, keepdims=True) if layer else x
        hat = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-5)
        scaled: Array = hat * self._weights[f"{at}/g"]
        return scaled + self._weights[f"{at}/b"] if layer else scaled

    def _product(self, x: Array, name: str) -> Array:
        product: Array = x @ self._weights[f"{name}/w"]
        return product + self._weights[f"{name}/b"] if f"{name}/b" in self._weights else product

    def _turned(self, x: Array) -> Array:
        """(H, T, D) turned by their positions; `network.rotation_of` says how."""
        frequencies = np.array(self._hparams.rotary_frequencies, np.float32)
        angles = np.arange(x.shape[1], dtype=np.float32)[:, None] * frequencies
        one, two = np.split(x, 2, axis=-1)
        cosine, sine = np.cos(angles), np.sin(angles)
        return np.concatenate([one * cosine - two * sine, two * cosine + one * sine], axis=-1)

    def _multiply_rows(self, at: str, factors: Array) -> None:
        self._changes[f"{at}/w"].append(lambda weight: weight * factors[:, None])

    def _divide_norm(self, at: str, factors: Array) -> None:
        for name in (f"{at}/g", f"{at}/b"):
            self._changes[name].append(lambda value: value / factors)

    def _divide_columns(self, at: str, factors: Array) -> None:
        """The last columns of a matrix, and of its bias."""

        def divided(value: Array) -> Array:
            rest = value.shape[-1] - len(factors)
            quotient: Array = value / np.concatenate([np.ones(rest, np.float32), factors])
            return quotient

        for name in (f"{at}/w", f"{at}/b"):
            self._changes[name].append(divided)


def _factors(inputs: Array, weight: Array, shared: Sequence[int] = ()) -> Array:
    """For inputs (T, n) and weights (n, m): (n,) powers of two that the weights are to be multiplied by.

    Of several strengths the one whose rounded product comes closest is taken (Lin et al. 2023, "AWQ").

    Args:
        shared: (groups, heads, width): the heads of a group have the same factors; empty: none has.
    """
    part = np.ascontiguousarray(weight[:, :: -(-weight.shape[1] // MOST_COLUMNS)])
    exact = inputs @ part
    scale = 1 / np.maximum((exact**2).mean(1), 1e-12)
    largest, heaviest = np.abs(inputs).max(0), np.abs(weight).max(1)
    if shared:
        largest, heaviest = _of_group(largest, shared), _of_group(heaviest, shared)
    tried = [_powers(largest, heaviest, strength) for strength in STRENGTHS]
    errors = []
    for factors in tried:
        rounded = _rounded_rows(inputs / factors) @ _rounded(part * factors[:, None])
        errors.append(((rounded - exact) ** 2).mean(1) @ scale)
    return tried[int(np.argmin(errors))]


def _of_group(values: Array, shared: Sequence[int]) -> Array:
    """For each channel the largest of those that share its factor."""
    return np.broadcast_to(values.reshape(shared).max(1, keepdims=True), shared).reshape(-1)


def _powers(inputs: Array, weights: Array, strength: float) -> Array:
    """By the largest inputs and weights of each channel."""
    larger, smaller = np.log2(np.maximum(inputs, 1e-5)), np.log2(np.maximum(weights, 1e-5))
    exponent = strength * larger - (1 - strength) * smaller if strength else np.zeros_like(larger)
    powers: Array = np.exp2(np.rint(exponent - exponent.mean())).astype(np.float32)
    return powers


def _rounded(weight: Array) -> Array:
    """As `rounding.quantise` rounds each column."""
    scale = np.maximum(np.abs(weight).max(0), 1e-12) / 127
    rounded: Array = np.rint(weight / scale) * scale
    return rounded


def _rounded_rows(inputs: Array) -> Array:
    """As LiteRT rounds each row: 256 levels from its least value to its largest, 0 among them."""
    least, most = np.minimum(inputs.min(1), 0)[:, None], np.maximum(inputs.max(1), 0)[:, None]
    scale = np.maximum(most - least, 1e-12) / 255
    rounded: Array = np.rint(inputs / scale) * scale
    return rounded
