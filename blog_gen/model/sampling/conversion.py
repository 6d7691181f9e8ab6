"""A model folder into a sampler file: GPT-2's decoding step as a LiteRT graph. Needs no TensorFlow.

One graph reads prompts and samples; its inputs are resized. A token sees three kinds of keys: its row's
own cache, a cache that all rows share, and the new tokens. Sampling: one new token a row, each with a cache
of its own. Reading: a chunk of one text, whose earlier part is the shared cache.

Shape letters: M new tokens, P rows with a cache (M or 1), T its slots, S shared slots, C n_embd, H heads,
D = C / H, V vocabulary, L layers. Why it is fast: docs/sampling.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from blog_gen.files import sha256_of
from blog_gen.model.hparams import HParams
from blog_gen.model.sampling.litert import Array, Graph
from blog_gen.model.sampling.sampler_file import FORMAT, Precision, SamplerFile
from blog_gen.model.weights import WEIGHTS_FILE, load_weights


def convert(folder: Path, destination: Path, precision: Precision = "int8") -> None:
    """Write the sampler file of the model `folder`; whole or absent.

    Raises:
        ModelError: the model folder is incomplete or damaged.
    """
    hparams = HParams.load(folder)
    network = _Network(load_weights(folder, hparams), hparams, precision)
    network.build()
    weights = sha256_of(folder / WEIGHTS_FILE)

    def trailer(offsets: Mapping[str, int], digest: str) -> bytes:
        tables = {name: offsets[name] for name in _TABLES if name in offsets}
        return SamplerFile(destination, FORMAT, precision, weights, hparams, tables, digest).trailer()

    network.graph.write(destination, trailer)


def quantise(matrix: Array) -> tuple[Array, Array]:
    """Round each row to int8 with a scale of its own: (N, K) -> int8 (N, K), float32 (N,)."""
    scales = np.maximum(np.abs(matrix).max(axis=1), 1e-12) / 127
    return np.rint(matrix / scales[:, None]).astype(np.int8), scales.astype(np.float32)


_TABLES = ("wte", "wte/scales", "wpe")  # what the host looks up


class _Network:
    """GPT-2 in LiteRT's operations; the layer names and the arithmetic are those of `network.py`."""

    def __init__(self, weights: Mapping[str, Array], hparams: HParams, precision: Precision) -> None:
        self.graph = Graph()
        self._weights, self._hparams, self._precision = weights, hparams, precision

    def build(self) -> None:
        hp, graph = self._hparams, self.graph
        x = graph.input("x", 1, 1, hp.n_embd)  # (M, 1, C): embedded by the host
        # Masks, added to the scores: 0 for what is seen, -1e9 for what is not.
        masks = (
            graph.input("past", 1, 1, 1, 1),
            graph.input("now", 1, 1, 1, 2),
        )  # (P, 1, T, 1), (1, 1, M, S + M)
        fresh = []
        for layer in range(hp.n_layer):
            at = f"h{layer}"
            normed = self._norm(x, f"{at}/ln_1")
            attended, key, value = self._attention(normed, f"{at}/attn", self._caches(layer), masks)
            x = self._add(x, attended)
            wide = self._linear(self._norm(x, f"{at}/ln_2"), f"{at}/mlp/c_fc")
            (wide,) = graph.operation("GELU", [wide], [graph.shapes[wide]], "GeluOptions", approximate=True)
            x = self._add(x, self._linear(wide, f"{at}/mlp/c_proj"))
            fresh += [key, value]
        logits = self._head(self._norm(x, "ln_f"))
        top = self._reduce("REDUCE_MAX", logits, 2)
        graph.output(logits, "logits")  # (M, 1, V)
        graph.output(top, "top")  # (M, 1, 1): with `total`, what makes logits log-probabilities
        graph.output(self._reduce("SUM", self._exp(logits, top), 2), "total")  # (M, 1, 1)
        graph.output(self._concatenate(fresh, 1), "fresh")  # (1, 2 L H, M, D): k0, v0, k1, v1 …
        graph.constant("wpe", self._weights["wpe"])  # for the host

    def _caches(self, layer: int) -> tuple[int, int, int, int]:
        """Own keys (P, H, T, D) and values (P, H, D, T), shared keys and values (1, H, S, D)."""
        heads, width = self._hparams.n_head, self._hparams.head_width
        return (
            self.graph.input(f"k{layer}", 1, heads, 1, width),
            self.graph.input(f"v{layer}", 1, heads, width, 1),
            self.graph.input(f"shared_k{layer}", 1, heads, 1, width),
            self.graph.input(f"shared_v{layer}", 1, heads, 1, width),
        )

    def _attention(
        self, x: int, at: str, caches: tuple[int, int, int, int], masks: tuple[int, int]
    ) -> tuple[int, int, int]:
        """(M, 1, C) -> (M, 1, C), and the new keys and values (1, H, M, D)."""
        hp = self._hparams
        mixed = self._reshape(self._linear(x, f"{at}/c_attn"), -1, 3 * hp.n_head, 1, hp.head_width)
        query, key, value = self._split(self._swap_rows(mixed), 3, axis=1)  # (1, H, M, D)
        keys, values = self._concatenate([caches[2], key], 2), self._concatenate([caches[3], value], 2)
        new = self._swap_rows(
            self._add(self._matmul(query, keys, transpose=True), masks[1])
        )  # (M, H, 1, S + M)
        old = self._add(self._dot(caches[0], self._swap_rows(query)), masks[0])  # (M, H, T, 1)
        top = self._binary("MAXIMUM", self._reduce("REDUCE_MAX", old, 2), self._reduce("REDUCE_MAX", new, 3))
        old, new = self._exp(old, top), self._exp(new, top)
        total = self._add(self._reduce("SUM", old, 2), self._reduce("SUM", new, 3))  # (M, H, 1, 1)
        seen_old = self._dot(caches[1], self._transpose(old, 0, 1, 3, 2))  # (M, H, D, 1)
        seen_new = self._swap_rows(self._matmul(self._swap_rows(new), values))  # (M, H, 1, D)
        seen = self._add(self._reshape(seen_old, -1, hp.n_head, 1, hp.head_width), seen_new)
        merged = self._reshape(self._binary("DIV", seen, total), -1, 1, hp.n_embd)
        return self._linear(merged, f"{at}/c_proj"), key, value

    def _dot(self, a: int, b: int) -> int:
        """Products summed over the last axis, (…, 1).

        Faster than BATCH_MATMUL where a matrix meets one row: XNNPACK would first repack the matrix.
        """
        return self._reduce("SUM", self._mul(a, b), 3)

    def _swap_rows(self, x: int) -> int:
        """(M, H, 1, n) -> (1, H, M, n), and back."""
        return self._transpose(x, 2, 1, 0, 3)

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
        shape = (*first[:-1], second[-2 if transpose else -1])
        return self.graph.operation("BATCH_MATMUL", [a, b], [shape], "BatchMatMulOptions", adjY=transpose)[0]

    def _reshape(self, x: int, *shape: int) -> int:
        inputs, first = [x, self.graph.integers(*shape)], tuple(abs(size) for size in shape)
        options = {"newShape": np.array(shape, np.int32)}
        return self.graph.operation("RESHAPE", inputs, [first], "ReshapeOptions", **options)[0]

    def _split(self, x: int, parts: int, axis: int) -> list[int]:
        shape = list(self.graph.shapes[x])
        shape[axis] //= parts
        inputs = [self.graph.integers(axis), x]
        return self.graph.operation("SPLIT", inputs, [tuple(shape)] * parts, "SplitOptions", numSplits=parts)

    def _concatenate(self, parts: list[int], axis: int) -> int:
        shape = list(self.graph.shapes[parts[0]])
        shape[axis] = sum(self.graph.shapes[part][axis] for part in parts)
        return self.graph.operation(
            "CONCATENATION", parts, [tuple(shape)], "ConcatenationOptions", axis=axis
        )[0]

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
        return self.graph.operation(
            "TRANSPOSE", [x, self.graph.integers(*order)], [shape], "TransposeOptions"
        )[0]
