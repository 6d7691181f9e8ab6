"""The GPT-2 network as pure functions from weights and token ids, in `keras.ops` alone.

Knows nothing of files, optimizers or text, and not whether TensorFlow or JAX runs it. `weights` maps the
published names (`HParams.shapes`) to float32 arrays; matrix products run in `compute_dtype`, while layer
norms, softmaxes and the loss are computed in float32.

Source: openai/gpt-2 `src/model.py`; Radford et al. 2019, "Language Models are Unsupervised Multitask
Learners". Shape letters: B batch, T tokens, C n_embd, H heads, D = C / H, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from keras import ops

from blog_gen.model.hparams import HParams
from blog_gen.model.training.fused import (
    NO_DROPOUT,
    Dropout,
    add_and_norm,
    causal_softmax,
    gelu,
    layer_norm,
    split_heads,
)

Tensor = Any
Weights = Mapping[str, Tensor]
Block = Callable[[Tensor, Tensor, Weights], tuple[Tensor, Tensor]]

QUERY_BLOCK = 256  # queries that attend at once: keys after the block are never computed


@dataclass(frozen=True)
class Packing:
    """Several texts in one row: each token's place in its own text, and the text it belongs to."""

    positions: Tensor  # (B, T) int32
    segments: Tensor  # (B, T) int32; tokens attend within their own segment only


def linear(x: Tensor, weights: Weights, at: str) -> Tensor:
    """(B, T, in) times the matrix `at`/w (in, out) -> (B, T, out), plus its adapter, if any."""
    w = weights[f"{at}/w"]
    flat = ops.reshape(x, (-1, x.shape[-1]))
    product = ops.matmul(flat, ops.cast(w, x.dtype))
    if f"{at}/lora_a" in weights:
        down = ops.matmul(flat, ops.cast(weights[f"{at}/lora_a"], x.dtype))
        product = product + ops.matmul(down, ops.cast(weights[f"{at}/lora_b"], x.dtype))
    return ops.reshape(product, (*x.shape[:-1], w.shape[1]) if x.shape[0] else (-1, x.shape[1], w.shape[1]))


def attention(
    x: Tensor, weights: Weights, at: str, hparams: HParams, packing: Packing | None = None
) -> Tensor:
    """Multi-head causal self-attention (B, T, C) -> (B, T, C), a block of queries at a time.

    The last bias is left to `add_and_norm`.
    """
    length = x.shape[1]
    mixed = linear(x, weights, f"{at}/c_attn")  # (B, T, 3C)
    query, key, value = split_heads(mixed, weights[f"{at}/c_attn/b"], hparams.n_head)
    blocks = []
    starts = list(range(0, length, QUERY_BLOCK))
    queries = ops.split(query, starts[1:], axis=2) if starts[1:] else [query]
    for start, asking in zip(starts, queries, strict=True):
        end = min(start + QUERY_BLOCK, length)
        scores = ops.matmul(asking, key[..., :end])  # (B, H, Q, K)
        texts = () if packing is None else (packing.segments[:, start:end], packing.segments[:, :end])
        blocks.append(ops.matmul(causal_softmax(scores, start, *texts), value[:, :, :end]))
    seen = blocks[0] if len(blocks) == 1 else ops.concatenate(blocks, axis=2)  # (B, H, T, D)
    merged = ops.reshape(ops.transpose(seen, (0, 2, 1, 3)), (-1, length, hparams.n_embd))
    return linear(merged, weights, f"{at}/c_proj")


def mlp(x: Tensor, weights: Weights, at: str) -> Tensor:
    """(B, T, C) -> (B, T, C) through 4C; the last bias is left to `add_and_norm`."""
    return linear(gelu(linear(x, weights, f"{at}/c_fc"), weights[f"{at}/c_fc/b"]), weights, f"{at}/c_proj")


def hidden_states(
    weights: Weights,
    tokens: Tensor,
    hparams: HParams,
    compute_dtype: str = "float32",
    packing: Packing | None = None,
    dropout: Dropout = NO_DROPOUT,
    wrap: Callable[[Block], Block] = lambda block: block,
) -> Tensor:
    """Token ids (B, T), T at most n_ctx, to the last layer norm's output (B, T, C) in `compute_dtype`.

    Dropout stands where OpenAI trained with it: on the embeddings and on what each sub-layer adds.

    Args:
        wrap: applied to every block; `fusion.checkpointed` keeps only a block's arguments for its gradient.
    """
    if packing is None:
        places = weights["wpe"][: tokens.shape[1]]
    else:
        places = ops.take(weights["wpe"], packing.positions, axis=0)
    embedded = ops.cast(ops.take(weights["wte"], tokens, axis=0), "float32") + ops.cast(places, "float32")
    x = dropout(ops.cast(embedded, compute_dtype), 0)
    normed = layer_norm(x, *_norm(weights, "h0/ln_1"))
    for layer in range(hparams.n_layer):
        after = "ln_f" if layer + 1 == hparams.n_layer else f"h{layer + 1}/ln_1"
        needed = {name: w for name, w in weights.items() if name.startswith((f"h{layer}/", f"{after}/"))}
        x, normed = wrap(_block(layer, after, hparams, packing, dropout))(x, normed, needed)
    return normed


def _block(layer: int, after: str, hparams: HParams, packing: Packing | None, dropout: Dropout) -> Block:
    """Layer `layer` as a function from the residual stream and its layer norm to the next two."""
    at, place = f"h{layer}", 2 * layer + 1

    def block(x: Tensor, normed: Tensor, weights: Weights) -> tuple[Tensor, Tensor]:
        said = attention(normed, weights, f"{at}/attn", hparams, packing)
        bias, norm = weights[f"{at}/attn/c_proj/b"], _norm(weights, f"{at}/ln_2")
        x, normed = add_and_norm(x, said, bias, norm, dropout, place)
        said = mlp(normed, weights, f"{at}/mlp")
        bias, norm = weights[f"{at}/mlp/c_proj/b"], _norm(weights, after)
        return add_and_norm(x, said, bias, norm, dropout, place + 1)

    return block


def _norm(weights: Weights, at: str) -> tuple[Tensor, Tensor]:
    return weights[f"{at}/g"], weights[f"{at}/b"]


def logits(weights: Weights, tokens: Tensor, hparams: HParams, compute_dtype: str = "float32") -> Tensor:
    """Token ids (B, T) to next-token logits (B, T, V) in float32."""
    states = hidden_states(weights, tokens, hparams, compute_dtype)
    flat = ops.matmul(
        ops.reshape(states, (-1, hparams.n_embd)), ops.transpose(ops.cast(weights["wte"], compute_dtype))
    )
    return ops.cast(ops.reshape(flat, (-1, tokens.shape[1], hparams.n_vocab)), "float32")
