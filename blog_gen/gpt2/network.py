"""The GPT-2 network as pure functions from weights and token ids, in `keras.ops` alone.

Knows nothing of files, optimizers or text, and not whether TensorFlow or JAX runs it. `weights` maps the
published names (`HParams.shapes`) to float32 arrays; matrix products run in `compute_dtype`, while layer
norms, softmaxes and the loss are computed in float32.

Source: openai/gpt-2 `src/model.py`; Radford et al. 2019, "Language Models are Unsupervised Multitask
Learners". Shape letters: B batch, T tokens, C n_embd, H heads, D = C / H, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from keras import ops

from blog_gen.gpt2.fusion import island
from blog_gen.gpt2.hparams import HParams

Tensor = Any
Weights = Mapping[str, Tensor]

QUERY_BLOCK = 256  # queries that attend at once: keys after the block are never computed


@dataclass(frozen=True)
class Dropout:
    """Share of activations dropped, and the uint32 scalar that decides which."""

    rate: float = 0.0
    seed: Tensor = None

    def __call__(self, x: Tensor, place: int) -> Tensor:
        """Drop from `x`; `place` numbers the use, so that no two share their mask."""
        if not self.rate:
            return x
        seed = self.seed + ops.convert_to_tensor(place * 0x9E3779B1 % 2**32, "uint32")
        threshold = ops.convert_to_tensor(int(self.rate * 2**32), "uint32")
        return _dropped(x, seed, threshold, ops.convert_to_tensor(1.0 / (1.0 - self.rate), x.dtype))


NO_DROPOUT = Dropout()


@dataclass(frozen=True)
class Packing:
    """Several texts in one row: each token's place in its own text, and the text it belongs to."""

    positions: Tensor  # (B, T) int32
    segments: Tensor  # (B, T) int32; tokens attend within their own segment only


@island
def _dropped(x: Tensor, seed: Tensor, threshold: Tensor, scale: Tensor) -> Tensor:
    """Zero where a hash of (element, seed) falls below `threshold`; the same bits on every backend.

    The hash is MurmurHash3's finaliser (Appleby 2011) over a counter.
    """
    count = 1
    for side in x.shape:
        count *= side
    h = ops.cast(ops.arange(count, dtype="int32"), "uint32") * _u32(0x9E3779B1) + seed
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        h = ops.bitwise_xor(h, ops.right_shift(h, _u32(shift))) * _u32(factor)
    h = ops.bitwise_xor(h, ops.right_shift(h, _u32(16)))
    return ops.where(ops.reshape(h >= threshold, x.shape), x * scale, ops.zeros((), x.dtype))


def _u32(value: int) -> Tensor:
    return ops.convert_to_tensor(value, "uint32")


@island
def layer_norm(x: Tensor, gain: Tensor, bias: Tensor) -> Tensor:
    """Normalise the last axis in float32 (Ba et al. 2016; epsilon as in OpenAI's code)."""
    wide = ops.cast(x, "float32")
    centred = wide - ops.mean(wide, axis=-1, keepdims=True)
    variance = ops.mean(ops.square(centred), axis=-1, keepdims=True)
    return ops.cast(centred * ops.rsqrt(variance + 1e-5) * gain + bias, x.dtype)


@island
def gelu(x: Tensor, bias: Tensor) -> Tensor:
    """The tanh form of GELU (Hendrycks and Gimpel 2016), after adding `bias`."""
    wide = ops.cast(x, "float32") + bias
    inner = 0.7978845608028654 * (wide + 0.044715 * wide * wide * wide)  # sqrt(2 / pi)
    return ops.cast(0.5 * wide * (1.0 + ops.tanh(inner)), x.dtype)


@island
def add_bias(x: Tensor, bias: Tensor) -> Tensor:
    return x + ops.cast(bias, x.dtype)


@island
def causal_softmax(scores: Tensor, first_query: Tensor) -> Tensor:
    """Softmax of (B, H, Q, K) scores over the keys up to each query; query 0 stands at `first_query`."""
    return _masked_softmax(scores, _causal(scores, first_query))


@island
def packed_softmax(scores: Tensor, first_query: Tensor, of_query: Tensor, of_key: Tensor) -> Tensor:
    """The same within segments: `of_query` is (B, Q) and `of_key` (B, K)."""
    same = of_query[:, None, :, None] == of_key[:, None, None, :]
    return _masked_softmax(scores, ops.logical_and(same, _causal(scores, first_query)))


def _causal(scores: Tensor, first_query: Tensor) -> Tensor:
    queries = ops.arange(scores.shape[2], dtype="int32")[:, None] + first_query
    return ops.arange(scores.shape[3], dtype="int32")[None, :] <= queries


def _masked_softmax(scores: Tensor, seen: Tensor) -> Tensor:
    wide = ops.where(seen, ops.cast(scores, "float32"), -1e30)
    raised = ops.exp(wide - ops.max(wide, axis=-1, keepdims=True))
    return ops.cast(raised / ops.sum(raised, axis=-1, keepdims=True), scores.dtype)


def linear(x: Tensor, w: Tensor) -> Tensor:
    """(B, T, in) x (in, out) -> (B, T, out) as one plain matrix product."""
    batch, length, width = x.shape
    flat = ops.matmul(ops.reshape(x, (-1, width)), ops.cast(w, x.dtype))
    return ops.reshape(flat, (-1 if batch is None else batch, length, w.shape[1]))


def attention(
    x: Tensor,
    weights: Weights,
    at: str,
    hparams: HParams,
    packing: Packing | None = None,
) -> Tensor:
    """Multi-head causal self-attention (B, T, C) -> (B, T, C), a block of queries at a time."""
    length = x.shape[1]
    mixed = add_bias(linear(x, weights[f"{at}/c_attn/w"]), weights[f"{at}/c_attn/b"])  # (B, T, 3C)
    split = ops.reshape(mixed, (-1, length, 3, hparams.n_head, hparams.head_width))
    query, key, value = ops.unstack(ops.transpose(split, (2, 0, 3, 1, 4)), axis=0)  # (B, H, T, D)
    query = query * (hparams.head_width**-0.5)
    blocks = []
    for start in range(0, length, QUERY_BLOCK):
        end = min(start + QUERY_BLOCK, length)
        scores = ops.matmul(query[:, :, start:end], ops.swapaxes(key[:, :, :end], 2, 3))  # (B, H, Q, K)
        first = ops.convert_to_tensor(start, "int32")
        if packing is None:
            share = causal_softmax(scores, first)
        else:
            share = packed_softmax(scores, first, packing.segments[:, start:end], packing.segments[:, :end])
        blocks.append(ops.matmul(share, value[:, :, :end]))
    seen = blocks[0] if len(blocks) == 1 else ops.concatenate(blocks, axis=2)  # (B, H, T, D)
    merged = ops.reshape(ops.transpose(seen, (0, 2, 1, 3)), (-1, length, hparams.n_embd))
    return add_bias(linear(merged, weights[f"{at}/c_proj/w"]), weights[f"{at}/c_proj/b"])


def mlp(x: Tensor, weights: Weights, at: str) -> Tensor:
    """(B, T, C) -> (B, T, C) through 4C."""
    wide = gelu(linear(x, weights[f"{at}/c_fc/w"]), weights[f"{at}/c_fc/b"])
    return add_bias(linear(wide, weights[f"{at}/c_proj/w"]), weights[f"{at}/c_proj/b"])


def hidden_states(
    weights: Weights,
    tokens: Tensor,
    hparams: HParams,
    compute_dtype: str = "float32",
    packing: Packing | None = None,
    dropout: Dropout = NO_DROPOUT,
) -> Tensor:
    """Token ids (B, T), T at most n_ctx, to the last layer norm's output (B, T, C) in `compute_dtype`.

    Dropout stands where OpenAI trained with it: on the embeddings and on what each sub-layer adds.
    """
    if packing is None:
        places = weights["wpe"][: tokens.shape[1]]
    else:
        places = ops.take(weights["wpe"], packing.positions, axis=0)
    x = dropout(ops.cast(ops.take(weights["wte"], tokens, axis=0) + places, compute_dtype), 0)
    for layer in range(hparams.n_layer):
        at, place = f"h{layer}", 2 * layer + 1
        normed = layer_norm(x, weights[f"{at}/ln_1/g"], weights[f"{at}/ln_1/b"])
        x = x + dropout(attention(normed, weights, f"{at}/attn", hparams, packing), place)
        normed = layer_norm(x, weights[f"{at}/ln_2/g"], weights[f"{at}/ln_2/b"])
        x = x + dropout(mlp(normed, weights, f"{at}/mlp"), place + 1)
    return layer_norm(x, weights["ln_f/g"], weights["ln_f/b"])


def logits(weights: Weights, tokens: Tensor, hparams: HParams, compute_dtype: str = "float32") -> Tensor:
    """Token ids (B, T) to next-token logits (B, T, V) in float32."""
    states = hidden_states(weights, tokens, hparams, compute_dtype)
    return ops.cast(linear(states, ops.transpose(weights["wte"])), "float32")
