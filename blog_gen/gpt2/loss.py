"""The language-model loss without all its logits: cross-entropy a chunk of tokens at a time.

The logits of 1024 tokens over 50,257 ids take 206 MB in float32, three times over with their gradient. The
loss is the end of the graph, so its gradient is known up to a factor as soon as a chunk's logits are: each
chunk's logits are turned into their own gradient in place, multiplied back, and dropped.
"""

from __future__ import annotations

from typing import Any

from keras import ops

from blog_gen.gpt2.fusion import island

Tensor = Any

CHUNK_TOKENS = 2048


@island
def _softmax_loss(logits: Tensor, targets: Tensor, share: Tensor) -> tuple[Tensor, Tensor]:
    """Weighted cross-entropy of (N, V) logits against N ids, and its gradient in the logits' dtype."""
    wide = ops.cast(logits, "float32")
    shifted = wide - ops.max(wide, axis=-1, keepdims=True)
    exponential = ops.exp(shifted)
    total = ops.sum(exponential, axis=-1, keepdims=True)
    hit = ops.arange(logits.shape[1], dtype="int32")[None, :] == targets[:, None]
    picked = ops.sum(ops.where(hit, shifted, 0.0), axis=-1)
    loss = ops.sum((ops.log(total[:, 0]) - picked) * share)
    gradient = (exponential / total - ops.cast(hit, "float32")) * share[:, None]
    return loss, ops.cast(gradient, logits.dtype)


@ops.custom_gradient  # type: ignore[untyped-decorator]
def chunked_cross_entropy(states: Tensor, wte: Tensor, targets: Tensor, share: Tensor) -> Any:
    """Sum over tokens of `share` times the negative log-probability of its target, a float32 scalar.

    Args:
        states: (N, C) in the compute dtype. wte: (V, C) float32. targets: (N,) int32.
        share: (N,) float32 weight of each token in the loss; 0 masks padding.
    """
    table = ops.cast(wte, states.dtype)
    count = states.shape[0]
    loss: Tensor = 0.0
    to_states, to_table = [], ops.zeros(wte.shape, "float32")
    for start in range(0, count, CHUNK_TOKENS):
        rows = slice(start, min(start + CHUNK_TOKENS, count))
        part, gradient = _softmax_loss(
            ops.matmul(states[rows], ops.transpose(table)), targets[rows], share[rows]
        )
        loss = loss + part
        to_states.append(ops.matmul(gradient, table))
        to_table = to_table + ops.cast(ops.matmul(ops.transpose(gradient), states[rows]), "float32")
    states_gradient = to_states[0] if len(to_states) == 1 else ops.concatenate(to_states, axis=0)

    def backward(*args: Any, upstream: Tensor = None) -> tuple[Tensor, Tensor, None, None]:
        scale = args[0] if upstream is None else upstream
        return ops.cast(scale, states.dtype) * states_gradient, scale * to_table, None, None

    return loss, backward
