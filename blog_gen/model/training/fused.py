"""What lies between the network's matrix products, fused, each with a gradient written by hand.

Left to automatic differentiation, a fused function hands every float32 intermediate to its gradient
through memory. Here each keeps only what the matrix products around it keep anyway, and its gradient computes
the rest again: less memory, and less traffic, than storing it. Knows nothing of weights' names; attention has
a module of its own, `fused_attention`.

Inputs and outputs are in the compute dtype, gains and biases in float32, and the arithmetic in between is
float32. Shape letters: B batch, T tokens, C width, F inner width.
"""

from __future__ import annotations

from typing import Any

from keras import ops

from blog_gen.model.training.dropout import Dropout, masked
from blog_gen.model.training.fused_parts import halves, over_rows, present, shifted, upstream_gradients
from blog_gen.model.training.fusion import island

Tensor = Any
Norm = tuple[Tensor, Tensor | None]  # a gain and, for a layer norm, a shift

EPSILON = 1e-5  # of norms, in OpenAI's code as in Llama's
GELU_SCALE, GELU_CUBE = 0.7978845608028654, 0.044715  # sqrt(2 / pi); Hendrycks and Gimpel 2016


def gelu(x: Tensor, bias: Tensor) -> Tensor:
    """The tanh form of GELU of (B, T, F) `x` plus `bias`; only `x` is kept."""
    return _gelu_with_gradient(x, bias)


def swiglu(x: Tensor) -> Tensor:
    """A gate and another half side by side (B, T, 2F) to their gated product (B, T, F); only `x` is kept.

    Source: Shazeer 2020, "GLU Variants Improve Transformer".
    """
    return _swiglu_with_gradient(x)


def normalise(x: Tensor, norm: Norm) -> Tensor:
    """Normalise the last axis; only `x` is kept.

    A layer norm (Ba et al. 2016), or an RMS norm (Zhang and Sennrich 2019) where `norm` has no shift.
    """

    @ops.custom_gradient  # type: ignore[untyped-decorator]
    def fused(x: Tensor, *norm: Tensor) -> Any:
        return _norm(x, *norm), lambda *upstream: _norm_gradient(upstream_gradients(upstream)[0], x, *norm)

    return fused(x, *present(*norm))


def add_and_norm(
    x: Tensor, y: Tensor, bias: Tensor | None, norm: Norm, dropout: Dropout, place: int
) -> tuple[Tensor, Tensor]:
    """The residual stream `x` plus what a sub-layer says, `y + bias` with dropout; and its norm.

    Returns:
        The stream (B, T, C) and the stream normalised by `norm`; only the first is kept.
    """
    rate, biased = dropout.rate, bias is not None

    @ops.custom_gradient  # type: ignore[untyped-decorator]
    def fused(x: Tensor, y: Tensor, seed: Tensor, *given: Tensor) -> Any:
        bias, *norm = given if biased else (None, *given)
        stream, normed = _add_and_norm(x, y, bias, seed, rate, *norm)

        def backward(*upstream: Tensor) -> Any:
            to_stream, to_normed = upstream_gradients(upstream)
            to_x, to_y, of_rows = _add_and_norm_gradient(to_stream, to_normed, stream, seed, rate, *norm)
            return to_x, to_y, None, *(of_rows if biased else of_rows[1:])

        return (stream, normed), backward

    stream, normed = fused(x, y, dropout.seed_at(place), *present(bias, *norm))
    return stream, normed


@ops.custom_gradient  # type: ignore[untyped-decorator]
def _gelu_with_gradient(x: Tensor, bias: Tensor) -> Any:
    return _gelu(x, bias), lambda *upstream: _gelu_gradient(x, bias, *upstream_gradients(upstream))


@ops.custom_gradient  # type: ignore[untyped-decorator]
def _swiglu_with_gradient(x: Tensor) -> Any:
    return _swiglu(x), lambda *upstream: _swiglu_gradient(x, *upstream_gradients(upstream))


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
    return ops.cast(to_x, x.dtype), over_rows(to_x)


@island
def _swiglu(x: Tensor) -> Tensor:
    gate, other = halves(ops.cast(x, "float32"))
    return ops.cast(gate * ops.sigmoid(gate) * other, x.dtype)


@island
def _swiglu_gradient(x: Tensor, upstream: Tensor) -> Tensor:
    gate, other = halves(ops.cast(x, "float32"))
    wide, opened = ops.cast(upstream, "float32"), ops.sigmoid(gate)
    to_gate = wide * other * opened * (1.0 + gate * (1.0 - opened))
    return ops.cast(ops.concatenate([to_gate, wide * gate * opened], axis=-1), x.dtype)


@island
def _norm(x: Tensor, gain: Tensor, shift: Tensor | None = None) -> Tensor:
    hat, _ = _normalised(x, shift is not None)
    return ops.cast(shifted(hat * gain, shift), x.dtype)


@island
def _norm_gradient(
    upstream: Tensor, x: Tensor, gain: Tensor, shift: Tensor | None = None
) -> tuple[Tensor, ...]:
    to_x, *of_norm = _through_norm(x, gain, upstream, shift is not None)
    return ops.cast(to_x, x.dtype), *of_norm


def _normalised(x: Tensor, centre: bool) -> tuple[Tensor, Tensor]:
    """`x`, less its mean if it is to `centre`, over its deviation from 0, in float32; and 1 / deviation."""
    wide = ops.cast(x, "float32")
    centred = wide - ops.mean(wide, axis=-1, keepdims=True) if centre else wide
    inverse = ops.rsqrt(ops.mean(ops.square(centred), axis=-1, keepdims=True) + EPSILON)
    return centred * inverse, inverse


def _through_norm(x: Tensor, gain: Tensor, upstream: Tensor, centre: bool) -> tuple[Tensor, ...]:
    """Gradients of a norm in float32: of its input, its gain and, where it has one, its shift."""
    hat, inverse = _normalised(x, centre)
    wide = ops.cast(upstream, "float32")
    scaled = wide * gain
    along = ops.mean(scaled * hat, axis=-1, keepdims=True)
    centred = scaled - ops.mean(scaled, axis=-1, keepdims=True) if centre else scaled
    to_x, to_gain = inverse * (centred - hat * along), over_rows(wide * hat)
    return (to_x, to_gain, over_rows(wide)) if centre else (to_x, to_gain)


@island
def _add_and_norm(
    x: Tensor,
    y: Tensor,
    bias: Tensor | None,
    seed: Tensor,
    rate: float,
    gain: Tensor,
    shift: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    output = shifted(ops.cast(y, "float32"), bias)
    stream = ops.cast(ops.cast(x, "float32") + masked(output, seed, rate), x.dtype)
    hat, _ = _normalised(stream, shift is not None)
    return stream, ops.cast(shifted(hat * gain, shift), x.dtype)


@island
def _add_and_norm_gradient(
    to_stream: Tensor,
    to_normed: Tensor,
    stream: Tensor,
    seed: Tensor,
    rate: float,
    gain: Tensor,
    shift: Tensor | None = None,
) -> tuple[Tensor, Tensor, tuple[Tensor, ...]]:
    """Gradients of both summands, and those of the bias, the gain and, where there is one, the shift."""
    through, *of_norm = _through_norm(stream, gain, to_normed, shift is not None)
    to_x = ops.cast(to_stream, "float32") + through
    to_y = masked(to_x, seed, rate)
    narrow = ops.cast(to_x, stream.dtype), ops.cast(to_y, stream.dtype)
    return *narrow, (over_rows(to_y), *of_norm)
