"""How much memory a model needs, estimated from its `hparams.json` before anything is loaded.

The terms are those of the literature; the constants were fitted to peak resident memory on Linux, on the high
side, and are checked by `benchmarks/memory.py`: measure again whenever training or sampling changes. Bytes.
"""

from __future__ import annotations

from blog_gen.model.hparams import HParams, is_factor

TRAINING_RUNTIME = 760 << 20  # TensorFlow, its thread pools, the compiled graphs
SAMPLING_RUNTIME = 120 << 20  # Python, NumPy, the tokenizer and the interpreter
ADAPTERS = 1.3  # their products stand beside those of the matrices; measured on 124M
SLACK = 1.15  # what the allocator keeps between one use of a buffer and the next


def to_train(
    hparams: HParams,
    batch_tokens: int | None = None,
    length: int | None = None,
    lora: int | None = None,
    freeze: int = 0,
    activation_checkpointing: bool = False,
    gradient_accumulation: bool = False,
) -> int:
    """Peak bytes of fine-tuning with AdamW on `batch_tokens` at once, in rows of `length` (one window).

    A trained weight takes 12 (itself and two moments, float32), inside a block 2 for its bfloat16 copy and 2
    for its gradient, in an embedding 8 for its gradient and the sum that makes it, and 4 more where gradients
    are accumulated. A frozen one takes 2 or 4. An update holds the largest weight's three arrays twice. For
    each token and layer `_kept` is kept for the backward pass, and 2 H T of attention's shares, of which five
    eighths are computed (blocks of 256 in 1024).
    """
    length = length or hparams.window
    tokens = batch_tokens or length
    blocks = hparams.block_parameters
    embeddings = hparams.parameters - blocks
    learned = 0.0 if lora else 1.0 - freeze / hparams.n_layer
    each = 16 + 4 * gradient_accumulation
    weights = blocks * (learned * each + (1 - learned) * 2)
    full = not lora and not freeze
    weights += embeddings * (24 + 4 * gradient_accumulation if full else 2)
    weights += 12 * hparams.n_vocab * hparams.n_embd if full else 0
    kept = _kept(hparams) + 2 * 0.63 * hparams.n_head * length
    # Adapters in the first block want the activations of all; a frozen first half wants none of its own.
    layers = hparams.n_layer if lora else hparams.n_layer * learned
    if lora:
        layers *= ADAPTERS
    if activation_checkpointing:
        layers = 1 + hparams.n_layer * 4 * hparams.n_embd / _kept(hparams)
    chunk = min(tokens * hparams.n_vocab, 1 << 24) * 12  # logits, their exponentials and their gradient
    return round(SLACK * (weights + tokens * kept * layers + chunk)) + TRAINING_RUNTIME


def _kept(hparams: HParams) -> int:
    """Bytes a token and layer, in bfloat16: the stream twice and its norms, queries, keys and values before
    and after they are split, what attention says (three), and the wide layer around its activation.

    >>> _kept(HParams(50257, 1024, 768, 12, 12)) / 768
    42.0
    """
    heads = hparams.n_embd + 2 * hparams.kv_heads * hparams.head_width
    wide = (3 if hparams.feed_forward == "swiglu" else 2) * hparams.inner
    return 2 * (7 * hparams.n_embd + 2 * heads + wide)


def trained_parameters(hparams: HParams, lora: int | None = None, freeze: int = 0) -> int:
    """Number of weights that are updated.

    >>> small = HParams(50257, 1024, 768, 12, 12)
    >>> trained_parameters(small), trained_parameters(small, lora=8)
    (124439808, 1179648)
    """
    if lora:
        matrices = [shape for name, shape in hparams.shapes().items() if is_factor(name, shape)]
        return lora * sum(rows + columns for rows, columns in matrices)
    if freeze:
        return round(hparams.block_parameters * (1 - freeze / hparams.n_layer)) + 2 * hparams.n_embd
    return hparams.parameters


def to_store(hparams: HParams, lora: int | None = None, freeze: int = 0) -> int:
    """Bytes on disk while it is trained: two states of three float32 a weight, its best value, and in the end
    the whole model, or the adapters and an int8 sampler."""
    states = 28 * trained_parameters(hparams, lora, freeze)
    return states + (
        hparams.parameters + 4 * trained_parameters(hparams, lora) if lora else 4 * hparams.parameters
    )


def to_sample(hparams: HParams, batch: int = 1) -> int:
    """Peak bytes of sampling: int8 weights (1), and each row's float32 keys and values of a whole window."""
    cache = 2 * hparams.n_layer * hparams.window * hparams.kv_heads * hparams.head_width * 4
    return hparams.parameters + batch * cache + SAMPLING_RUNTIME
