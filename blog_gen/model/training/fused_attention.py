"""Attention between its matrix products, fused, each function with a gradient written by hand; see `fused`.

Shape letters: B batch, T tokens, H heads, K heads of keys and values, D width of a head, Q queries.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keras import ops

from blog_gen.model.training.fused_parts import halves, over_rows, present, shifted, upstream_gradients
from blog_gen.model.training.fusion import island

Tensor = Any
Rotation = tuple[Tensor, Tensor]  # cosines and sines of the positions' angles (B or 1, T, 1, D / 2)


def split_heads(
    mixed: Tensor, bias: Tensor | None, heads: int, kv_heads: int, rotation: Rotation | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """(B, T, (H + 2K) D) `mixed` plus `bias` as queries, keys and values.

    With `rotation`, queries and keys are turned by their positions (Su et al. 2021, "RoFormer").

    Returns:
        Queries scaled by D^-1/2 (B, H, T, D), keys (B, K, D, T) and values (B, K, T, D).
    """
    turn = rotation or ()

    @ops.custom_gradient  # type: ignore[untyped-decorator]
    def fused(mixed: Tensor, *bias: Tensor) -> Any:
        def backward(*upstream: Tensor) -> Any:
            joined = _joined_heads(*upstream_gradients(upstream), *turn)
            # in one island, each sum would transpose all again
            return (joined, _row_sums(joined)) if bias else joined

        return _split_heads(mixed, bias[0] if bias else None, heads, kv_heads, *turn), backward

    query, key, value = fused(mixed, *present(bias))
    return query, key, value


def attend(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    first_query: int,
    of_query: Tensor | None = None,
    of_key: Tensor | None = None,
) -> Tensor:
    """What (B, H, Q, D) queries, the first of which stands at `first_query`, see of the keys (B, K, D, T) and
    values (B, K, T, D) up to each of them; (B, H, Q, D).

    With `of_query` (B, Q) and `of_key` (B, T), the text each token belongs to, only within the same text.

    The softmax needs the mean of its upstream gradient: the dot product of what was seen and its own, which
    has D numbers where the other has T. Source: Dao 2023, "FlashAttention-2", section 3.1.
    """
    heads, kv_heads = query.shape[1], key.shape[1]

    @ops.custom_gradient  # type: ignore[untyped-decorator]
    def fused(query: Tensor, key: Tensor, value: Tensor) -> Any:
        asking = _by_head(query, kv_heads)
        scores = _by_head(asking @ key, heads)
        first = ops.convert_to_tensor(first_query, "int32")
        if of_query is None or of_key is None:
            share = _causal_softmax(scores, first)
        else:
            share = _packed_softmax(scores, first, of_query, of_key)
        share = _by_head(share, kv_heads)
        seen = share @ value

        def backward(*upstream: Tensor) -> Any:
            to_seen = _by_head(upstream_gradients(upstream)[0], kv_heads)
            to_scores = _softmax_gradient(share, to_seen @ _turned_over(value), _row_dots(seen, to_seen))
            to_query = _by_head(to_scores @ _turned_over(key), heads)
            return to_query, _turned_over(asking) @ to_scores, _turned_over(share) @ to_seen

        return _by_head(seen, heads), backward

    return fused(query, key, value)


def _by_head(x: Tensor, heads: int) -> Tensor:
    """(B, H, Q, n) with the queries of heads that share keys as one head's, or those taken apart again."""
    if x.shape[1] == heads:
        return x
    return ops.reshape(x, (-1, heads, x.shape[1] * x.shape[2] // heads, x.shape[3]))


def _turned_over(x: Tensor) -> Tensor:
    """The last two axes exchanged, which a product then reads as they lie."""
    return ops.transpose(x, (0, 1, 3, 2))


def prefixes(x: Tensor, ends: Sequence[int], axis: int) -> list[Tensor]:
    """The first `ends[0]`, `ends[1]`, … elements of `x` along `axis`, the last of them all.

    TensorFlow's own gradient of each would be an array of zeros as large as `x` with some filled in.
    """
    if len(ends) == 1:
        return [x]
    before = (slice(None),) * axis

    @ops.custom_gradient  # type: ignore[untyped-decorator]
    def fused(x: Tensor) -> Any:
        parts = tuple(x[*before, :end] for end in ends)
        return parts, lambda *upstream: _prefix_sum(list(upstream_gradients(upstream)), list(ends), axis)

    return list(fused(x))


@island
def _prefix_sum(parts: list[Tensor], ends: list[int], axis: int) -> Tensor:
    """The sum of `parts`, each filled up with zeros along `axis`."""
    rank, whole = len(parts[0].shape), ends[-1]
    wide = 0.0
    for part, end in zip(parts, ends, strict=True):
        room = [(0, whole - end if place == axis else 0) for place in range(rank)]
        wide = wide + ops.pad(ops.cast(part, "float32"), room)
    return ops.cast(wide, parts[0].dtype)


@island
def _split_heads(
    mixed: Tensor, bias: Tensor | None, heads: int, kv_heads: int, *rotation: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    width = mixed.shape[2] // (heads + 2 * kv_heads)
    shape = (-1, mixed.shape[1], heads + 2 * kv_heads, width)
    split = ops.reshape(shifted(ops.cast(mixed, "float32"), bias), shape)
    query, key = split[:, :, :heads], split[:, :, heads : heads + kv_heads]
    if rotation:
        query, key = _turned(query, *rotation), _turned(key, *rotation)
    query = ops.transpose(query, (0, 2, 1, 3)) * width**-0.5
    key = ops.transpose(key, (0, 2, 3, 1))
    value = ops.transpose(split[:, :, heads + kv_heads :], (0, 2, 1, 3))
    return ops.cast(query, mixed.dtype), ops.cast(key, mixed.dtype), ops.cast(value, mixed.dtype)


@island
def _joined_heads(query: Tensor, key: Tensor, value: Tensor, *rotation: Tensor) -> Tensor:
    """What `_split_heads` took apart, (B, T, (H + 2K) D), with scale and rotation applied backwards."""
    width = query.shape[3]
    scaled = ops.cast(ops.cast(query, "float32") * width**-0.5, query.dtype)
    orders = ((scaled, (0, 2, 1, 3)), (key, (0, 3, 1, 2)), (value, (0, 2, 1, 3)))
    rows = [ops.transpose(part, order) for part, order in orders]  # (B, T, H or K, D)
    if rotation:
        cosine, sine = rotation
        back = [_turned(ops.cast(part, "float32"), cosine, -sine) for part in rows[:2]]
        rows[:2] = [ops.cast(part, query.dtype) for part in back]
    flat = [ops.reshape(part, (-1, part.shape[1], part.shape[2] * width)) for part in rows]
    return ops.concatenate(flat, axis=2)


def _turned(x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """(B, T, H, D) `x` with each element of the first half and its fellow of the second turned as a pair."""
    one, two = halves(x)
    return ops.concatenate([one * cosine - two * sine, two * cosine + one * sine], axis=-1)


@island
def _row_sums(x: Tensor) -> Tensor:
    return over_rows(ops.cast(x, "float32"))


@island
def _causal_softmax(scores: Tensor, first_query: Tensor) -> Tensor:
    return _masked_softmax(scores, _causal(scores, first_query))


@island
def _packed_softmax(scores: Tensor, first_query: Tensor, of_query: Tensor, of_key: Tensor) -> Tensor:
    same = of_query[:, None, :, None] == of_key[:, None, None, :]
    return _masked_softmax(scores, ops.logical_and(same, _causal(scores, first_query)))


def _causal(scores: Tensor, first_query: Tensor) -> Tensor:
    queries = ops.arange(scores.shape[2], dtype="int32")[:, None] + first_query
    return ops.arange(scores.shape[3], dtype="int32")[None, :] <= queries


def _masked_softmax(scores: Tensor, seen: Tensor) -> Tensor:
    wide = ops.where(seen, ops.cast(scores, "float32"), -1e30)
    raised = ops.exp(wide - ops.max(wide, axis=-1, keepdims=True))
    return ops.cast(raised / ops.sum(raised, axis=-1, keepdims=True), scores.dtype)


@island
def _row_dots(x: Tensor, y: Tensor) -> Tensor:
    return ops.sum(ops.cast(x, "float32") * ops.cast(y, "float32"), axis=-1, keepdims=True)


@island
def _softmax_gradient(share: Tensor, upstream: Tensor, mean: Tensor) -> Tensor:
    """Gradient of the scores; `mean` is that of `upstream` in the proportions of `share`."""
    return ops.cast(ops.cast(share, "float32") * (ops.cast(upstream, "float32") - mean), share.dtype)
