"""Dropout whose mask is a hash of a counter: nothing is kept for the gradient, all backends drop the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from keras import ops

from blog_gen.model.training.fused_parts import upstream_gradients
from blog_gen.model.training.fusion import island

Tensor = Any


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


def dropped(x: Tensor, seed: Tensor, rate: float) -> Tensor:
    """Zero where a hash of (element, seed) falls below `rate`, the rest scaled up; nothing is kept."""

    @ops.custom_gradient  # type: ignore[untyped-decorator]
    def fused(x: Tensor, seed: Tensor) -> Any:
        def gradient(*upstream: Tensor) -> tuple[Tensor, None]:
            return _dropped(upstream_gradients(upstream)[0], seed, rate), None

        return _dropped(x, seed, rate), gradient

    return fused(x, seed)


@island
def _dropped(x: Tensor, seed: Tensor, rate: float) -> Tensor:
    return ops.cast(masked(ops.cast(x, "float32"), seed, rate), x.dtype)


def masked(x: Tensor, seed: Tensor, rate: float) -> Tensor:
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


def _u32(value: int) -> Tensor:
    return ops.convert_to_tensor(value, "uint32")
