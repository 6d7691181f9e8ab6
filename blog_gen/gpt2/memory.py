"""How much memory a model needs, estimated from its five numbers before anything is loaded.

The terms are those of the literature and of this package's own code; the constants beside them were fitted to
peak resident memory on Linux (docs/experiments.md). Bytes throughout.
"""

from __future__ import annotations

from blog_gen.gpt2.hparams import HParams

TENSORFLOW = 400 << 20  # the library, its thread pools and its compiled graphs
LITERT = 120 << 20  # Python, NumPy, the tokenizer and the interpreter


def to_train(hparams: HParams, batch_tokens: int | None = None, length: int | None = None) -> int:
    """Peak bytes of a full fine-tune with AdamW, `batch_tokens` in rows of `length` (default: one context).

    For each parameter: a float32 weight, its gradient and AdamW's two moments (16), and its bfloat16 copy
    (2). For each token, layer and unit of width: 34 bytes of activations and 5 H T / (2 C) of causal
    attention scores (Korthikanti et al. 2022, "Reducing Activation Recomputation", eq. 1). For each token and
    vocabulary entry: a bfloat16 logit, its float32 softmax and its gradient (10), for as many tokens as the
    loss takes at once.
    """
    length = length or hparams.n_ctx
    tokens = batch_tokens or length
    scores = 5 * hparams.n_head * length / (2 * hparams.n_embd)
    activations = tokens * hparams.n_layer * hparams.n_embd * (34 + scores)
    logits = min(tokens, 2048) * hparams.n_vocab * 10
    return round(18 * hparams.parameters + activations + logits) + TENSORFLOW


def to_sample(hparams: HParams, batch: int = 1) -> int:
    """Peak bytes of sampling: int8 weights (1), and each row's float32 keys and values of a whole context."""
    cache = 2 * hparams.n_layer * hparams.n_ctx * hparams.n_embd * 4
    return hparams.parameters + batch * cache + LITERT
