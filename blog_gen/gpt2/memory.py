"""How much memory a model needs, estimated from its five numbers before anything is loaded.

The terms are those of the literature; the constants were fitted to peak resident memory on Linux, on the high
side, and are checked by `benchmarks/memory.py`: measure again whenever training or sampling changes. Bytes.
"""

from __future__ import annotations

from blog_gen.gpt2.hparams import HParams

TRAINING_RUNTIME = 1100 << 20  # TensorFlow, its thread pools, the compiled graphs
# Float32 weight, gradient and AdamW's two moments are 16, the bfloat16 copy 2; the rest is that an update
# holds old and new side by side, and that the base and the best weights so far are kept.
BYTES_PER_PARAMETER = 50
COPIES = 3  # of each activation and logit: kept for the backward pass, and float32 where it is normalised
SAMPLING_RUNTIME = 120 << 20  # Python, NumPy, the tokenizer and the interpreter


def to_train(hparams: HParams, batch_tokens: int | None = None, length: int | None = None) -> int:
    """Peak bytes of a full fine-tune with AdamW, `batch_tokens` in rows of `length` (default: one context).

    For each token, layer and unit of width: 34 bytes of activations and 5 H T / (2 C) of causal attention
    scores (Korthikanti et al. 2022, "Reducing Activation Recomputation", eq. 1). For each token and entry of
    the vocabulary: a bfloat16 logit, its float32 softmax and its gradient (10).
    """
    length = length or hparams.n_ctx
    scores = 5 * hparams.n_head * length / (2 * hparams.n_embd)
    activations = hparams.n_layer * hparams.n_embd * (34 + scores)
    tokens = COPIES * (batch_tokens or length) * (activations + hparams.n_vocab * 10)
    return round(BYTES_PER_PARAMETER * hparams.parameters + tokens) + TRAINING_RUNTIME


def to_sample(hparams: HParams, batch: int = 1) -> int:
    """Peak bytes of sampling: int8 weights (1), and each row's float32 keys and values of a whole context."""
    cache = 2 * hparams.n_layer * hparams.n_ctx * hparams.n_embd * 4
    return hparams.parameters + batch * cache + SAMPLING_RUNTIME
