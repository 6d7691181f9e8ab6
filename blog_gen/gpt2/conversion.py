"""A model folder into a sampler file: GPT-2's decoding step as a LiteRT graph. Needs no TensorFlow.

The graph reads M new tokens at once and is the same for prompts and for sampling; only its inputs are
resized. Shape letters: M new tokens, P cache rows, T cache slots, C n_embd, H heads, D = C / H, V
vocabulary. Sampling runs M rows with a cache each (P = M); a prompt is M tokens of one row (P = 1).

What makes it fast (docs/sampling.md): every layer's key and value cache is an input of its own; the graph only
returns the new keys and values, which the host writes in place; and attention multiplies the cache from the left,
where XNNPACK reads a matrix as it is, while it would first repack (copy) one on the right.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import numpy as np

from blog_gen.files import sha256_of
from blog_gen.gpt2.hparams import HParams
from blog_gen.gpt2.litert import Array, Graph
from blog_gen.gpt2.weights import WEIGHTS_FILE, load_weights

Precision = Literal["int8", "float32"]
FORMAT = 1  # of the graph and its trailer; a file of another format is made anew


def convert(folder: Path, destination: Path, precision: Precision = "int8") -> None:
    """Write the sampler file of the model `folder`; whole or absent.

    Raises:
        ModelError: the model folder is incomplete or damaged.
    """
    hparams = HParams.load(folder)
    network = _Network(load_weights(folder, hparams), hparams, precision)
    network.build()
    about = {
        "format": FORMAT,
        "precision": precision,
        "hparams": dataclasses.asdict(hparams),
        "weights": sha256_of(folder / WEIGHTS_FILE),
    }

    def trailer(offsets: Mapping[str, int]) -> bytes:
        tables = {name: offsets[name] for name in ("wte", "wte/scales", "wpe") if name in offsets}
        text = json.dumps(about | {"tables": tables}).encode()
        return text + len(text).to_bytes(8, "little")

    network.graph.write(destination, trailer)


def quantise(matrix: Array) -> tuple[Array, Array]:
    """Round each row to int8 with a scale of its own: (N, K) -> int8 (N, K), float32 (N,)."""
    scales = np.maximum(np.abs(matrix).max(axis=1), 1e-12) / 127
    return np.rint(matrix / scales[:, None]).astype(np.int8), scales.astype(np.float32)


class _Network:
    """GPT-2 in LiteRT's operations; the layer names and the arithmetic are those of `network.py`."""

    def __init__(self, weights: Mapping[str, Array], hparams: HParams, precision: Precision) -> None:
        self.graph = Graph()
        self._weights, self._hparams, self._precision = weights, hparams, precision

    def build(self) -> None:
        hp, graph = self._hparams, self.graph
        x = graph.input("x", 1, 1, hp.n_embd)  # (M, 1, C): embedded by the host
        past = graph.input("past", 1, 1, 1)  # (P, T, 1): 0 where a slot holds an earlier token, else -1e9
        now = graph.input("now", 1, 1, 1)  # (M, M, 1): 0 where new token [m] sees new token [m, n]
        caches = [
            (graph.input(f"k{layer}", 1, 1, hp.n_embd), graph.input(f"v{layer}", 1, hp.n_embd, 1))
            for layer in range(hp.n_layer)
        ]
        fresh = []
        for layer, cache in enumerate(caches):
            at = f"h{layer}"
            attended, key, value = self._attention(self._norm(x, f"{at}/ln_1"), f"{at}/attn", cache, past, now)
            x = self._add(x, attended)
            wide = self._linear(self._norm(x, f"{at}/ln_2"), f"{at}/mlp/c_fc")
            (wide,) = graph.operation("GELU", [wide], [graph.shapes[wide]], "GeluOptions", approximate=True)
            x = self._add(x, self._linear(wide, f"{at}/mlp/c_proj"))
            fresh += [key, value]
        graph.output(self._head(self._norm(x, "ln_f")), "logits")  # (M, 1, V)
        shape = (1, 2 * hp.n_layer, hp.n_embd)
        (together,) = graph.operation("CONCATENATION", fresh, [shape], "ConcatenationOptions", axis=1)
        graph.output(together, "fresh")  # (M, 2 L, C): k0, v0, k1, v1 …
        graph.constant("wpe", self._weights["wpe"])  # for the host

    def _attention(
        self, x: int, at: str, cache: tuple[int, int], past: int, now: int
    ) -> tuple[int, int, int]:
        """(M, 1, C) -> (M, 1, C), and the new keys and values (M, 1, C)."""
        hp, graph = self._hparams, self.graph
        heads = np.repeat(np.eye(hp.n_head, dtype=np.float32), hp.head_width, axis=1)
        mixed = self._linear(x, f"{at}/c_attn")
        shape = (1, 1, hp.n_embd)
        query, key, value = graph.operation(
            "SPLIT", [graph.integers(2), mixed], [shape] * 3, "SplitOptions", numSplits=3
        )
        # Each head's query beside zeros, so that one product over C gives all heads' scores.
        spread = self._mul(query, graph.constant("heads", heads[None]))  # (M, H, C)
        old = self._add(self._matmul(cache[0], spread, transpose=True), past)  # (M, T, H)
        new = self._add(self._matmul(self._transpose(key, 1, 0, 2), spread, transpose=True), now)  # (M, M, H)
        top = self._binary("MAXIMUM", self._reduce("REDUCE_MAX", old, 1), self._reduce("REDUCE_MAX", new, 1))
        old, new = self._exp(old, top), self._exp(new, top)
        total = self._add(self._reduce("SUM", old, 1), self._reduce("SUM", new, 1))  # (M, 1, H)
        seen = self._add(
            self._matmul(cache[1], old), self._matmul(self._transpose(value, 1, 2, 0), new)
        )  # (M, C, H): every head's view of every channel
        own = self._mul(self._binary("DIV", seen, total), graph.constant("own", heads.T[None].copy()))
        merged = self._transpose(self._reduce("SUM", own, 2), 0, 2, 1)  # (M, 1, C)
        return self._linear(merged, f"{at}/c_proj"), key, value

    def _linear(self, x: int, name: str) -> int:
        weight, bias = self._weights[f"{name}/w"].T, self._weights[f"{name}/b"]
        if name.endswith("c_attn"):  # the queries' 1 / sqrt(D)
            scale = np.ones(len(bias), np.float32)
            scale[: self._hparams.n_embd] = self._hparams.head_width**-0.5
            weight, bias = weight * scale[:, None], bias * scale
        return self._dense(x, name, weight, self.graph.constant(f"{name}/b", bias))

    def _head(self, x: int) -> int:
        return self._dense(x, "wte", self._weights["wte"], bias=-1)

    def _dense(self, x: int, name: str, weight: Array, bias: int) -> int:
        graph, scales = self.graph, None
        if self._precision == "int8":
            weight, scales = quantise(weight)
            if name == "wte":
                graph.constant("wte/scales", scales)  # for the host, which looks tokens up
        inputs = [x, graph.constant(name, weight, scales), bias]
        shape = (*graph.shapes[x][:-1], len(weight))
        # Activations are quantised row by row as they come, so a row never depends on its neighbours.
        (out,) = graph.operation(
            "FULLY_CONNECTED", inputs, [shape], "FullyConnectedOptions", keepNumDims=True,
            asymmetricQuantizeInputs=True,
        )  # fmt: skip
        return out

    def _norm(self, x: int, at: str) -> int:
        graph = self.graph
        centred = self._binary("SUB", x, self._reduce("MEAN", x, 2))
        variance = self._reduce("MEAN", self._mul(centred, centred), 2)
        variance = self._add(variance, graph.constant("epsilon", np.full(1, 1e-5, np.float32)))
        (inverse,) = graph.operation("RSQRT", [variance], [graph.shapes[variance]])
        scaled = self._mul(self._mul(centred, inverse), graph.constant(f"{at}/g", self._weights[f"{at}/g"]))
        return self._add(scaled, graph.constant(f"{at}/b", self._weights[f"{at}/b"]))

    def _matmul(self, a: int, b: int, transpose: bool = False) -> int:
        first, second = self.graph.shapes[a], self.graph.shapes[b]
        shape = (max(first[0], second[0]), first[1], second[1 if transpose else 2])
        (out,) = self.graph.operation("BATCH_MATMUL", [a, b], [shape], "BatchMatMulOptions", adjY=transpose)
        return out

    def _binary(self, name: str, a: int, b: int) -> int:
        kind = {"MAXIMUM": "MaximumMinimumOptions"}.get(name, f"{name.capitalize()}Options")
        shape = np.broadcast_shapes(self.graph.shapes[a], self.graph.shapes[b])
        return self.graph.operation(name, [a, b], [shape], kind)[0]

    def _add(self, a: int, b: int) -> int:
        return self._binary("ADD", a, b)

    def _mul(self, a: int, b: int) -> int:
        return self._binary("MUL", a, b)

    def _exp(self, x: int, top: int) -> int:
        shifted = self._binary("SUB", x, top)
        return self.graph.operation("EXP", [shifted], [self.graph.shapes[shifted]], "ExpOptions")[0]

    def _reduce(self, name: str, x: int, axis: int) -> int:
        shape = list(self.graph.shapes[x])
        shape[axis] = 1
        inputs = [x, self.graph.integers(axis)]
        return self.graph.operation(name, inputs, [tuple(shape)], "ReducerOptions", keepDims=True)[0]

    def _transpose(self, x: int, *order: int) -> int:
        shape = tuple(self.graph.shapes[x][axis] for axis in order)
        return self.graph.operation("TRANSPOSE", [x, self.graph.integers(*order)], [shape], "TransposeOptions")[0]
