"""The network's decoding step as a LiteRT graph. Knows the network; nothing of model folders and files.

One graph reads prompts and samples; its inputs are resized. A token sees three kinds of keys: its row's
own cache, a cache that all rows share, and the new tokens. Sampling: one new token a row, each with a cache
of its own. Reading: a chunk of one text, whose earlier part is the shared cache.

Shape letters: M new tokens, P rows with a cache (M or 1), T its slots, S shared slots, C n_embd, H heads,
K heads of keys and values, D = C / H, V vocabulary, L layers. Why it is fast: docs/sampling.md.

Where several heads of queries share one of keys, heads stand here in another order: first the first of each
group, then the second of each, so that a split along the heads meets the cache head by head.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cached_property
from itertools import pairwise

import numpy as np

from blog_gen.model.arrays import Array
from blog_gen.model.hparams import HParams
from blog_gen.model.sampling.operations import Operations
from blog_gen.model.sampling.rounding import quantise, shift
from blog_gen.model.sampling.smoothing import Smoothed

_PART = re.compile(r"(?<=c_proj)/[12]$")  # of a product that is computed in parts


class Network(Operations):
    """The network in LiteRT's operations; layer names and arithmetic are those of `network.py`."""

    def __init__(self, weights: Mapping[str, Array], hparams: HParams, smoothed: Smoothed | None) -> None:
        """`smoothed`: what was done to weights that are to be rounded; None: they stay float32."""
        super().__init__()
        self._weights, self._hparams, self._smoothed = weights, hparams, smoothed

    def build(self) -> None:
        hp, graph = self._hparams, self.graph
        x = graph.input("x", 1, 1, hp.n_embd)  # (M, 1, C): embedded by the host
        # Masks (P, T, 1, 1) and (1, 1, M, S + M), added to the scores: 0 for what is seen, else -1e9.
        masks = graph.input("past", 1, 1, 1, 1), graph.input("now", 1, 1, 1, 2)
        if hp.positions == "rotary":
            # Of the new tokens' positions, by the host: (M, 1, 1, D) each.
            width = hp.head_width
            self._turn = graph.input("cosine", 1, 1, 1, width), graph.input("sine", 1, 1, 1, width)
        fresh = []
        for layer in range(hp.n_layer):
            at = f"h{layer}"
            normed = self._norm(x, f"{at}/ln_1")
            attended, key, value = self._attention(normed, f"{at}/attn", self._caches(layer), masks)
            x = self.add(x, attended)
            wide = self._linear(self._norm(x, f"{at}/ln_2"), f"{at}/mlp/c_fc")
            inner = self._swiglu(wide) if hp.feed_forward == "swiglu" else self._gelu(wide)
            x = self.add(x, self._last_of_block(inner, f"{at}/mlp/c_proj"))
            fresh += [key, value]
        logits = self._head(self._norm(x, "ln_f"))
        top = self.reduce("REDUCE_MAX", logits, 2)
        graph.output(logits, "logits")  # (M, 1, V)
        graph.output(top, "top")  # (M, 1, 1): with `total`, what makes logits log-probabilities
        graph.output(self.reduce("SUM", self.exp(logits, top), 2), "total")  # (M, 1, 1)
        graph.output(self.concatenate(fresh, 2), "fresh")  # (M, 1, 2 L K, D): k0, v0, k1, v1 …
        if hp.positions == "learned":
            graph.constant("wpe", self._weights["wpe"])  # for the host
        if self._smoothed and hp.tied:
            graph.constant("wte/channels", 1 / self._smoothed.head)  # for the host: they are the head, too
        if not hp.tied:
            # For the host: the graph has a head of its own.
            if self._smoothed:
                self._rounded("wte", self._weights["wte"])
            else:
                graph.constant("wte", self._weights["wte"])

    def _gelu(self, x: int) -> int:
        return self.graph.operation("GELU", [x], [self.graph.shapes[x]], "GeluOptions", approximate=True)[0]

    def _swiglu(self, x: int) -> int:
        gate, other = self.split(x, 2, axis=2)
        (opened,) = self.graph.operation("LOGISTIC", [gate], [self.graph.shapes[gate]])
        return self.mul(self.mul(gate, opened), other)

    def _caches(self, layer: int) -> tuple[int, int, int, int]:
        """Own keys and values (P, T, K, D), where a token's stand in one piece; shared ones (1, K, S, D)."""
        heads, width = self._hparams.kv_heads, self._hparams.head_width
        return (
            self.graph.input(f"k{layer}", 1, 1, heads, width),
            self.graph.input(f"v{layer}", 1, 1, heads, width),
            self.graph.input(f"shared_k{layer}", 1, heads, 1, width),
            self.graph.input(f"shared_v{layer}", 1, heads, 1, width),
        )

    def _attention(
        self, x: int, at: str, caches: tuple[int, int, int, int], masks: tuple[int, int]
    ) -> tuple[int, int, int]:
        """(M, 1, C) -> (M, 1, C), and the new keys and values (M, 1, K, D)."""
        hp = self._hparams
        query, key, value = self._heads(self._linear(x, f"{at}/c_attn"))
        keys = self.concatenate([caches[2], self._rows_within(key)], 2)
        values = self.concatenate([caches[3], self._rows_within(value)], 2)  # (1, K, S + M, D)
        seen = self._by_group(
            self._rows_within(query), 1, lambda part: self.matmul(part, keys, transpose=True)
        )
        new = self.transpose(self.add(seen, masks[1]), 2, 1, 0, 3)  # (M, H, 1, S + M)
        seen = self._by_group(query, 2, lambda part: self._sum_of_products(caches[0], part, 3))
        old = self.add(seen, masks[0])  # (M, T, H, 1)
        top = self.binary(
            "MAXIMUM", self.reduce("REDUCE_MAX", old, 1), self._beside(self.reduce("REDUCE_MAX", new, 3))
        )
        old, new = self.exp(old, top), self.exp(new, self.reshape(top, -1, hp.n_head, 1, 1))
        total = self.add(self.reduce("SUM", old, 1), self._beside(self.reduce("SUM", new, 3)))
        seen_old = self._by_group(old, 2, lambda part: self._sum_of_products(caches[1], part, 1))
        rows = self.transpose(new, 2, 1, 0, 3)  # (1, H, M, S + M)
        new = self._by_group(rows, 1, lambda part: self.matmul(part, values))
        seen = self.add(seen_old, self.transpose(new, 2, 0, 1, 3))  # (M, 1, H, D)
        merged = self.reshape(self.binary("DIV", seen, total), -1, 1, hp.n_embd)
        return self._linear(merged, f"{at}/c_proj"), key, value

    def _heads(self, mixed: int) -> tuple[int, int, int]:
        """(M, 1, (H + 2K) D) as queries (M, 1, H, D), keys and values (M, 1, K, D), turned where they are."""
        hp = self._hparams
        split = self.reshape(mixed, -1, 1, hp.n_head + 2 * hp.kv_heads, hp.head_width)
        query, key, value = self.parts(split, [hp.n_head, hp.kv_heads, hp.kv_heads], axis=2)
        if hp.positions == "rotary":
            query, key = self._turned(query), self._turned(key)
        return query, key, value

    def _turned(self, x: int) -> int:
        """(M, 1, H, D) turned by its position; the sines of the first half come with their minus."""
        one, two = self.split(x, 2, axis=3)
        cosine, sine = self._turn
        return self.add(self.mul(x, cosine), self.mul(self.concatenate([two, one], 3), sine))

    def _by_group(self, x: int, axis: int, meet: Callable[[int], int]) -> int:
        """`meet` of those heads of `x` that stand beside the keys' one by one, for each such group."""
        groups = self._hparams.n_head // self._hparams.kv_heads
        if groups == 1:
            return meet(x)
        return self.concatenate([meet(part) for part in self.split(x, groups, axis=axis)], axis)

    def _sum_of_products(self, a: int, b: int, axis: int) -> int:
        """Faster than BATCH_MATMUL where a matrix meets one row: XNNPACK would first repack the matrix."""
        return self.reduce("SUM", self.mul(a, b), axis)

    def _rows_within(self, x: int) -> int:
        """(M, 1, n, D) -> (1, n, M, D)."""
        return self.transpose(x, 1, 2, 0, 3)

    def _beside(self, x: int) -> int:
        """(M, H, 1, 1) -> (M, 1, H, 1), as what comes from the cache."""
        return self.reshape(x, -1, 1, self._hparams.n_head, 1)

    def _linear(self, x: int, name: str) -> int:
        weight, bias = self._weights[f"{name}/w"].T, self._weights.get(f"{name}/b")
        if name.endswith("attn/c_attn"):
            weight, bias = self._as_asked(weight), None if bias is None else self._as_asked(bias)
        order = self._order if name.endswith("attn/c_proj") else slice(None)
        return self._dense(x, name, weight[:, order], bias, order)

    def _last_of_block(self, x: int, name: str) -> int:
        """Channels with large inputs by themselves, those of middling ones too: each has its own rounding."""
        if self._smoothed is None:
            return self._linear(x, name)
        weight, bias = self._weights[f"{name}/w"].T, self._weights.get(f"{name}/b")
        size = weight.shape[1]
        ends = [0, max(1, size // 96), max(2, size // 6), size]
        groups = [slice(*pair) for pair in pairwise(ends)]
        parts = self.parts(x, [group.stop - group.start for group in groups], axis=2)
        total = self._dense(parts[0], name, weight[:, groups[0]], bias, groups[0])
        for number in (1, 2):
            output = self._dense(
                parts[number], f"{name}/{number}", weight[:, groups[number]], None, groups[number]
            )
            total = self.add(total, output)
        return total

    def _as_asked(self, rows: Array) -> Array:
        """What makes queries, keys and values, the queries scaled by 1 / sqrt(D) and in the graph's order."""
        asked = rows[: self._hparams.n_embd][self._order]
        return np.concatenate([asked * np.float32(self._hparams.head_width**-0.5), rows[len(asked) :]])

    @cached_property
    def _order(self) -> Array:
        """Where the queries' C numbers, in the graph's order of heads, stand in the model's."""
        hp = self._hparams
        # Of each group one head, then of each the next.
        heads = np.arange(hp.n_head).reshape(hp.kv_heads, -1).T.reshape(-1)
        return (heads[:, None] * hp.head_width + np.arange(hp.head_width)).reshape(-1)

    def _head(self, x: int) -> int:
        name = "wte" if self._hparams.tied else "head"
        return self._dense(x, name, self._weights[name], None)

    def _rounded(self, name: str, weight: Array) -> tuple[int, Array, Array]:
        rounded, scales = quantise(weight)
        if name == "wte":
            self.graph.constant("wte/scales", scales)  # for the host, which looks tokens up
        return self.graph.constant(name, rounded, scales), rounded, scales

    def _dense(
        self, x: int, name: str, weight: Array, bias: Array | None, inputs: Array | slice = slice(None)
    ) -> int:
        """`inputs`: which of the inputs of that name there are, and in what order."""
        graph = self.graph
        if self._smoothed is None:
            constant = graph.constant(name, weight)
        else:
            constant, rounded, scales = self._rounded(name, weight)
            mean = self._smoothed.means[_PART.sub("", name)][inputs]
            bias = (0 if bias is None else bias) - shift(weight, rounded, scales, mean)
        operands = [x, constant, -1 if bias is None else graph.constant(f"{name}/b", bias)]
        shape = (*graph.shapes[x][:-1], len(weight))
        # Activations are quantised row by row as they come, so a row never depends on its neighbours.
        (out,) = graph.operation(
            "FULLY_CONNECTED", operands, [shape], "FullyConnectedOptions", keepNumDims=True,
            asymmetricQuantizeInputs=True,
        )  # fmt: skip
        return out

    def _norm(self, x: int, at: str) -> int:
        graph, layer = self.graph, self._hparams.norm == "layer"
        centred = self.binary("SUB", x, self.reduce("MEAN", x, 2)) if layer else x
        variance = self.reduce("MEAN", self.mul(centred, centred), 2)
        variance = self.add(variance, graph.constant("epsilon", np.full(1, 1e-5, np.float32)))
        (inverse,) = graph.operation("RSQRT", [variance], [graph.shapes[variance]])
        scaled = self.mul(self.mul(centred, inverse), graph.constant(f"{at}/g", self._weights[f"{at}/g"]))
        return self.add(scaled, graph.constant(f"{at}/b", self._weights[f"{at}/b"])) if layer else scaled
