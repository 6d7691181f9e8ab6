"""The network as pure functions from weights and token ids, in `keras.ops` alone.

A block is composed from what `HParams` names: GPT-2's layer norms, learned positions and GELU, or Llama's
RMS norms, rotary positions, shared heads and gated layer.

Knows nothing of files, optimizers or text, and not whether TensorFlow or JAX runs it. `weights` maps the
published names (`HParams.shapes`) to float32 arrays; matrix products run in `compute_dtype`, while layer
norms, softmaxes and the loss are computed in float32.

Source: openai/gpt-2 `src/model.py`; Radford et al. 2019, "Language Models are Unsupervised Multitask
Learners"; Touvron et al. 2023, "LLaMA". Shape letters: B batch, T tokens, C n_embd, H heads, K heads of keys
and values, D = C / H, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from keras import ops

from blog_gen.model.hparams import HParams
from blog_gen.model.training.dropout import NO_DROPOUT, Dropout
from blog_gen.model.training.fused import Norm, add_and_norm, gelu, normalise, swiglu
from blog_gen.model.training.fused_attention import Rotation, attend, prefixes, split_heads
from blog_gen.model.training.memory import QUERY_BLOCK

Tensor = Any
Weights = Mapping[str, Tensor]
Block = Callable[[Tensor, Tensor, Weights], tuple[Tensor, Tensor]]
Wrap = Callable[[Callable[..., Any]], Callable[..., Any]]


def as_it_is(function: Callable[..., Any]) -> Callable[..., Any]:
    """What wraps nothing around a function."""
    return function


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
    x: Tensor,
    weights: Weights,
    at: str,
    hparams: HParams,
    packing: Packing | None,
    rotation: Rotation | None,
    wrap: Wrap,
) -> Tensor:
    """Multi-head causal self-attention (B, T, C) -> (B, T, C), a block of queries at a time.

    The last bias is left to `add_and_norm`.

    Args:
        wrap: applied to each block of queries; `fusion.checkpointed` keeps no shares for the gradient.
    """
    length = x.shape[1]
    heads, kv_heads = hparams.n_head, hparams.kv_heads
    mixed = linear(x, weights, f"{at}/c_attn")  # (B, T, (H + 2K) D)
    query, key, value = split_heads(mixed, weights.get(f"{at}/c_attn/b"), heads, kv_heads, rotation)
    ends = [*range(QUERY_BLOCK, length, QUERY_BLOCK), length]
    queries = ops.split(query, ends[:-1], axis=2) if ends[:-1] else [query]
    blocks = []
    for end, *parts in zip(ends, queries, prefixes(key, ends, 3), prefixes(value, ends, 2), strict=True):
        start = end - parts[0].shape[2]
        texts = () if packing is None else (packing.segments[:, start:end], packing.segments[:, :end])
        blocks.append(wrap(_attend_from(start, *texts))(*parts))
    seen = blocks[0] if len(blocks) == 1 else ops.concatenate(blocks, axis=2)  # (B, H, T, D)
    merged = ops.reshape(ops.transpose(seen, (0, 2, 1, 3)), (-1, length, hparams.n_embd))
    return linear(merged, weights, f"{at}/c_proj")


def _attend_from(start: int, *texts: Tensor) -> Callable[..., Tensor]:
    return lambda query, key, value: attend(query, key, value, start, *texts)


def feed_forward(x: Tensor, weights: Weights, at: str, hparams: HParams) -> Tensor:
    """(B, T, C) -> (B, T, C) through the wide layer; the last bias is left to `add_and_norm`."""
    wide = linear(x, weights, f"{at}/c_fc")
    inner = swiglu(wide) if hparams.feed_forward == "swiglu" else gelu(wide, weights[f"{at}/c_fc/b"])
    return linear(inner, weights, f"{at}/c_proj")


def rotation_of(positions: Tensor, hparams: HParams) -> Rotation | None:
    """Cosines and sines for (B or 1, T) `positions`; None where positions are learned.

    Source: Su et al. 2021, section 3.2.2; halves turned together, as in Hugging Face's Llama.
    """
    if hparams.positions == "learned":
        return None
    frequencies = ops.convert_to_tensor(hparams.rotary_frequencies, "float32")
    angles = (ops.cast(positions, "float32")[..., None] * frequencies)[:, :, None]  # (B, T, 1, D / 2)
    return ops.cos(angles), ops.sin(angles)


def output_table(weights: Weights) -> Tensor:
    """(V, C): the output head, which is the embedding table unless the model has one of its own."""
    return weights.get("head", weights["wte"])


def hidden_states(
    weights: Weights,
    tokens: Tensor,
    hparams: HParams,
    compute_dtype: str = "float32",
    packing: Packing | None = None,
    dropout: Dropout = NO_DROPOUT,
    wrap: Wrap = as_it_is,
    wrap_attention: Wrap = as_it_is,
) -> Tensor:
    """Token ids (B, T), T at most n_ctx, to the last layer norm's output (B, T, C) in `compute_dtype`.

    Dropout stands where OpenAI trained with it: on the embeddings and on what each sub-layer adds.

    Args:
        wrap: applied to every block; `fusion.checkpointed` keeps only a block's arguments for its gradient.
        wrap_attention: applied inside blocks, as `attention` says.
    """
    positions = ops.arange(tokens.shape[1])[None] if packing is None else packing.positions
    embedded = ops.cast(ops.take(weights["wte"], tokens, axis=0), "float32")
    if hparams.positions == "learned":
        embedded = embedded + ops.cast(ops.take(weights["wpe"], positions, axis=0), "float32")
    rotation = rotation_of(positions, hparams)
    x = dropout(ops.cast(embedded, compute_dtype), 0)
    normed = normalise(x, _norm(weights, "h0/ln_1"))
    for layer in range(hparams.n_layer):
        after = "ln_f" if layer + 1 == hparams.n_layer else f"h{layer + 1}/ln_1"
        needed = {name: w for name, w in weights.items() if name.startswith((f"h{layer}/", f"{after}/"))}
        x, normed = wrap(_block(layer, after, hparams, packing, rotation, dropout, wrap_attention))(
            x, normed, needed
        )
    return normed


def _block(
    layer: int,
    after: str,
    hparams: HParams,
    packing: Packing | None,
    rotation: Rotation | None,
    dropout: Dropout,
    wrap_attention: Wrap,
) -> Block:
    """Layer `layer` as a function from the residual stream and its norm to the next two."""
    at, place = f"h{layer}", 2 * layer + 1

    def block(x: Tensor, normed: Tensor, weights: Weights) -> tuple[Tensor, Tensor]:
        output = attention(normed, weights, f"{at}/attn", hparams, packing, rotation, wrap_attention)
        bias, norm = weights.get(f"{at}/attn/c_proj/b"), _norm(weights, f"{at}/ln_2")
        x, normed = add_and_norm(x, output, bias, norm, dropout, place)
        output = feed_forward(normed, weights, f"{at}/mlp", hparams)
        bias, norm = weights.get(f"{at}/mlp/c_proj/b"), _norm(weights, after)
        return add_and_norm(x, output, bias, norm, dropout, place + 1)

    return block


def _norm(weights: Weights, at: str) -> Norm:
    return weights[f"{at}/g"], weights.get(f"{at}/b")


def logits(weights: Weights, tokens: Tensor, hparams: HParams) -> Tensor:
    """Token ids (B, T) to next-token logits (B, T, V), all in float32."""
    states = ops.reshape(hidden_states(weights, tokens, hparams), (-1, hparams.n_embd))
    flat = ops.matmul(states, ops.transpose(output_table(weights)))
    return ops.reshape(flat, (-1, tokens.shape[1], hparams.n_vocab))
