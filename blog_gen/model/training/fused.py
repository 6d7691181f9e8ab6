"""What lies between the network's matrix products, fused, each with a gradient written by hand.

Left to automatic differentiation, a fused function hands every float32 intermediate to its gradient
through memory. Here each keeps only what the matrix products around it keep anyway, and its gradient computes
the rest again: less memory, and less traffic, than storing it. Knows nothing of weights' names.

Inputs and outputs are in the compute dtype, gains and biases in float32, and the arithmetic in between is
float32. Shape letters: B batch, T tokens, C width, H heads, D = C / H, Q queries, K keys.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from keras import ops

from blog_gen.model.training.fusion import island

Tensor = Any

EPSILON = 1e-5  # of layer norms, as in OpenAI's code
GELU_SCALE, GELU_CUBE = 0.7978845608028654, 0.044715  # sqrt(2 / pi); Hendrycks and Gimpel 2016


@dataclass(frozen=True)
class Dropout:
    """Share of activations dropped, and the uint32 scalar that decides which."""

    rate: float = 0.0
    seed: Tensor = None

    def __call__(self, x: Tensor, place: int) -> Tensor:
        """Drop from `x`; `place` numbers the use, so that no two share their mask."""
        return dropped(x, self.seed_at(place), self.rate) if self.rate else x

    def seed_at(self, place: int) -> Tensor:
        if not self.rate:
            return _u32(0)
        return self.seed + _u32(place * 0x9E3779B1 % 2**32)


NO_DROPOUT = Dropout()


def gelu(x: Tensor, bias: Tensor) -> Tensor:
    """The tanh form of GELU of (B, T, C) `x` plus `bias`; only `x` is kept."""
    return _gelu_with_gradient(x, bias)


def layer_norm(x: Tensor, gain: Tensor, bias: Tensor) -> Tensor:
    """Normalise the last axis (Ba et al. 2016); only `x` is kept."""
    return _norm_with_gradient(x, gain, bias)


def add_and_norm(
    x: Tensor, y: Tensor, bias: Tensor, norm: tuple[Tensor, Tensor], dropout: Dropout, place: int
) -> tuple[Tensor, Tensor]:
    """The residual stream `x` plus what a sub-layer says, `y + bias` with dropout; and its layer norm.

    Returns:
        The stream (B, T, C) and the stream normalised by `norm`, a gain and a bias; only the first is kept.
    """
    rate = dropout.rate

    @ops.custom_gradient  # type: ignore[untyped-decorator]
    def fused(x: Tensor, y: Tensor, bias: Tensor, gain: Tensor, shift: Tensor, seed: Tensor) -> Any:
        stream, normed = _add_and_norm(x, y, bias, gain, shift, seed, rate)

        def backward(*upstream: Tensor) -> Any:
            to_stream, to_normed = _each(upstream)
            to_x, to_y, of_rows = _add_and_norm_gradient(stream, gain, to_stream, to_normed, seed, rate)
            return to_x, to_y, of_rows[0], of_rows[1], of_rows[2], None

        return (stream, normed), backward

    stream, normed = fused(x, y, bias, *norm, dropout.seed_at(place))
    return stream, normed


def split_heads(mixed: Tensor, bias: Tensor, heads: int) -> tuple[Tensor, Tensor, Tensor]:
    """(B, T, 3C) `mixed` plus `bias` as queries scaled by D^-1/2 (B, H, T, D), keys (B, H, D, T), values."""

    @ops.custom_gradient  # type: ignore[untyped-decorator]
    def fused(mixed: Tensor, bias: Tensor) -> Any:
        def backward(*upstream: Tensor) -> Any:
            joined = _joined_heads(*_each(upstream))
            return joined, _row_sums(joined)  # in one island, each sum would transpose all again

        return _split_heads(mixed, bias, heads), backward

    query, key, value = fused(mixed, bias)
    return query, key, value


def causal_softmax(
    scores: Tensor, first_query: int, of_query: Tensor | None = None, of_key: Tensor | None = None
) -> Tensor:
    """Softmax of (B, H, Q, K) over the keys up to each query; query 0 stands at `first_query`.

    With `of_query` (B, Q) and `of_key` (B, K), the text each token belongs to, only within the same text.
    """

    @ops.custom_gradient  # type: ignore[untyped-decorator]
    def fused(scores: Tensor) -> Any:
        first = ops.convert_to_tensor(first_query, "int32")
        if of_query is None or of_key is None:
            share = _causal_softmax(scores, first)
        else:
            share = _packed_softmax(scores, first, of_query, of_key)
        return share, lambda *upstream: _softmax_gradient(share, *_each(upstream))

    return fused(scores)


def dropped(x: Tensor, seed: Tensor, rate: float) -> Tensor:
    """Zero where a hash of (element, seed) falls below `rate`, the rest scaled up; nothing is kept."""

    @ops.custom_gradient  # type: ignore[untyped-decorator]
    def fused(x: Tensor, seed: Tensor) -> Any:
        return _dropped(x, seed, rate), lambda *upstream: (_dropped(_each(upstream)[0], seed, rate), None)

    return fused(x, seed)


@ops.custom_gradient  # type: ignore[untyped-decorator]
def _gelu_with_gradient(x: Tensor, bias: Tensor) -> Any:
    return _gelu(x, bias), lambda *upstream: _gelu_gradient(x, bias, *_each(upstream))


@ops.custom_gradient  # type: ignore[untyped-decorator]
def _norm_with_gradient(x: Tensor, gain: Tensor, bias: Tensor) -> Any:
    return _norm(x, gain, bias), lambda *upstream: _norm_gradient(x, gain, *_each(upstream))


def _each(upstream: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Upstream gradients as TensorFlow gives them, one by one; JAX gives several outputs' as one tuple."""
    return upstream[0] if isinstance(upstream[0], tuple) else upstream


@island
def _gelu(x: Tensor, bias: Tensor) -> Tensor:
    wide = ops.cast(x, "float32") + bias
    bend = ops.tanh(GELU_SCALE * (wide + GELU_CUBE * wide * wide * wide))
    return ops.cast(0.5 * wide * (1.0 + bend), x.dtype)


@island
def _gelu_gradient(x: Tensor, bias: Tensor, upstream: Tensor) -> tuple[Tensor, Tensor]:
    wide = ops.cast(x, "float32") + bias
    bend = ops.tanh(GELU_SCALE * (wide + GELU_CUBE * wide * wide * wide))
    slope = GELU_SCALE * (1.0 + 3.0 * GELU_CUBE * wide * wide)
    to_x = ops.cast(upstream, "float32") * 0.5 * (1.0 + bend + wide * (1.0 - bend * bend) * slope)
    return ops.cast(to_x, x.dtype), _over_rows(to_x)


@island
def _norm(x: Tensor, gain: Tensor, bias: Tensor) -> Tensor:
    hat, _ = _normalised(x)
    return ops.cast(hat * gain + bias, x.dtype)


@island
def _norm_gradient(x: Tensor, gain: Tensor, upstream: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    to_x, to_gain, to_bias = _through_norm(x, gain, upstream)
    return ops.cast(to_x, x.dtype), to_gain, to_bias


def _normalised(x: Tensor) -> tuple[Tensor, Tensor]:
    """(x - mean) / deviation over the last axis in float32, and 1 / deviation."""
    wide = ops.cast(x, "float32")
    centred = wide - ops.mean(wide, axis=-1, keepdims=True)
    inverse = ops.rsqrt(ops.mean(ops.square(centred), axis=-1, keepdims=True) + EPSILON)
    return centred * inverse, inverse


def _through_norm(x: Tensor, gain: Tensor, upstream: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients of a layer norm in float32: of its input, its gain and its bias."""
    hat, inverse = _normalised(x)
    wide = ops.cast(upstream, "float32")
    scaled = wide * gain
    along = ops.mean(scaled * hat, axis=-1, keepdims=True)
    to_x = inverse * (scaled - ops.mean(scaled, axis=-1, keepdims=True) - hat * along)
    return to_x, _over_rows(wide * hat), _over_rows(wide)


@island
def _add_and_norm(
    x: Tensor, y: Tensor, bias: Tensor, gain: Tensor, shift: Tensor, seed: Tensor, rate: float
) -> tuple[Tensor, Tensor]:
    said = ops.cast(y, "float32") + bias
    stream = ops.cast(ops.cast(x, "float32") + _masked(said, seed, rate), x.dtype)
    hat, _ = _normalised(stream)
    return stream, ops.cast(hat * gain + shift, x.dtype)


@island
def _add_and_norm_gradient(
    stream: Tensor, gain: Tensor, to_stream: Tensor, to_normed: Tensor, seed: Tensor, rate: float
) -> tuple[Tensor, Tensor, tuple[Tensor, Tensor, Tensor]]:
    """Gradients of both summands, and those of the bias, the gain and the shift."""
    through, to_gain, to_shift = _through_norm(stream, gain, to_normed)
    to_x = ops.cast(to_stream, "float32") + through
    to_y = _masked(to_x, seed, rate)
    narrow = ops.cast(to_x, stream.dtype), ops.cast(to_y, stream.dtype)
    return *narrow, (_over_rows(to_y), to_gain, to_shift)


@island
def _split_heads(mixed: Tensor, bias: Tensor, heads: int) -> tuple[Tensor, Tensor, Tensor]:
    width = mixed.shape[2] // 3
    shape = (-1, mixed.shape[1], 3, heads, width // heads)
    split = ops.reshape(ops.cast(mixed, "float32") + bias, shape)
    query = ops.transpose(split[:, :, 0], (0, 2, 1, 3)) * (width // heads) ** -0.5
    key, value = ops.transpose(split[:, :, 1], (0, 2, 3, 1)), ops.transpose(split[:, :, 2], (0, 2, 1, 3))
    return ops.cast(query, mixed.dtype), ops.cast(key, mixed.dtype), ops.cast(value, mixed.dtype)


@island
def _joined_heads(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """What `_split_heads` took apart, (B, T, 3C), with the queries' scale applied backwards."""
    side = query.shape[3]
    scaled = ops.cast(ops.cast(query, "float32") * side**-0.5, query.dtype)
    orders = ((scaled, (0, 2, 1, 3)), (key, (0, 3, 1, 2)), (value, (0, 2, 1, 3)))
    rows = [ops.transpose(part, order) for part, order in orders]  # (B, T, H, D)
    flat = [ops.reshape(part, (-1, part.shape[1], part.shape[2] * side)) for part in rows]
    return ops.concatenate(flat, axis=2)


@island
def _row_sums(x: Tensor) -> Tensor:
    return _over_rows(ops.cast(x, "float32"))


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
def _softmax_gradient(share: Tensor, upstream: Tensor) -> Tensor:
    wide, to_share = ops.cast(share, "float32"), ops.cast(upstream, "float32")
    mean = ops.sum(wide * to_share, axis=-1, keepdims=True)
    return ops.cast(wide * (to_share - mean), share.dtype)


@island
def _dropped(x: Tensor, seed: Tensor, rate: float) -> Tensor:
    return ops.cast(_masked(ops.cast(x, "float32"), seed, rate), x.dtype)


def _masked(x: Tensor, seed: Tensor, rate: float) -> Tensor:
    """Dropout by MurmurHash3's finaliser (Appleby 2011) over a counter: the same bits on every backend."""
    if not rate:
        return x
    count = 1
    for side in x.shape:
        count *= side
    h = ops.cast(ops.arange(count, dtype="int32"), "uint32") * _u32(0x9E3779B1) + seed
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        h = ops.bitwise_xor(h, ops.right_shift(h, _u32(shift))) * _u32(factor)
    h = ops.bitwise_xor(h, ops.right_shift(h, _u32(16)))
    kept = ops.reshape(h >= _u32(int(rate * 2**32)), x.shape)
    return ops.where(kept, x * (1.0 / (1.0 - rate)), 0.0)


def _over_rows(x: Tensor) -> Tensor:
    """The sum over all axes but the last."""
    return ops.sum(x, axis=tuple(range(len(x.shape) - 1)))


def _u32(value: int) -> Tensor:
    return ops.convert_to_tensor(value, "uint32")
