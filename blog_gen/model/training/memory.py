"""How much memory a model needs, added up from its `hparams.json` before anything is loaded. Bytes.

What stands all the time, and the most of what a step holds at once: at the loss, where all activations are
kept; at the end of the backward pass, with all gradients; or in the update of the largest weight.
`benchmarks/memory.py` measures what the sum is worth: do so whenever training changes.
"""

from __future__ import annotations

from dataclasses import dataclass

from blog_gen.model.hparams import HParams, is_factor

TRAINING_RUNTIME = 780 << 20  # Python, TensorFlow, Keras and the compiled functions
# Arrays come and go in another order each step, and the heap that holds most of them gets holes.
HOLES = 1.15  # times what activations take
SAMPLING_RUNTIME = 120 << 20  # Python, NumPy, the tokenizer and the interpreter
CHUNK_LOGITS = 1 << 24  # logits at once, 32 MiB in bfloat16
MOST_PARTS = 4  # of the table's gradient are kept before they are added up
QUERY_BLOCK = 256  # queries that attend at once: keys after the block are never computed


def to_train(
    hparams: HParams,
    batch_tokens: int | None = None,
    length: int | None = None,
    lora: int | None = None,
    freeze: int = 0,
    activation_checkpointing: bool = False,
    gradient_accumulation: bool = False,
    precision: str = "bfloat16",
) -> int:
    """Peak bytes of fine-tuning with AdamW on `batch_tokens` at once, in rows of `length` (one window).

    `precision` is that of products, bfloat16 or float32.
    """
    length = length or hparams.window
    tokens = batch_tokens or length
    trained, number = trained_parameters(hparams, lora, freeze), 2 if precision == "bfloat16" else 4
    frozen = number * (hparams.parameters - (0 if lora else trained))
    stands = (12 + 4 * gradient_accumulation) * trained + frozen
    step = _Step(hparams, tokens, length, lora, freeze, activation_checkpointing, number)
    return TRAINING_RUNTIME + stands + round(max(step.at_loss, step.at_end, step.at_update))


@dataclass(frozen=True)
class _Step:
    """What a step holds beside weights and averages."""

    hparams: HParams
    tokens: int  # computed at once
    length: int  # of a row
    lora: int | None
    freeze: int
    checkpointing: bool
    number: int  # bytes of one that is computed: 2 in bfloat16, 4 in float32

    @property
    def copies(self) -> int:
        """Bytes of a trained weight's copy: none where products take the weight as it is kept."""
        return 0 if self.number == 4 else self.number

    @property
    def factors(self) -> float:
        """Trained weights inside blocks: each has a copy, and a gradient of as many bytes as a number."""
        if self.lora:
            return trained_parameters(self.hparams, self.lora)
        return self.hparams.block_parameters * (1 - self.freeze / self.hparams.n_layer)

    @property
    def table(self) -> int:
        """Weights of the embedding, if it is trained."""
        return 0 if self.lora or self.freeze else self.hparams.n_vocab * self.hparams.n_embd

    @property
    def kept(self) -> float:
        """Activations: of each layer that learns or stands above one that does, or its input alone."""
        layers = self.hparams.n_layer - (0 if self.lora else self.freeze)
        if self.checkpointing:
            inputs = 8 if self.lora else 2  # of a block's width: beside adapters measured, for 124M and 355M
            return self.one_layer + inputs * self.number * self.tokens * self.hparams.n_embd * layers
        return self.tokens * layers * self.by_layer

    @property
    def by_layer(self) -> float:
        shares = self.lora is None or self.checkpointing
        return self.number / 2 * kept_by_layer(self.hparams, self.length, shares)

    @property
    def one_layer(self) -> float:
        """What the backward pass of a layer makes: as much as the layer keeps."""
        return self.tokens * self.by_layer

    @property
    def at_loss(self) -> float:
        """A chunk's logits, their gradient and exponentials in float32; of the table a copy, and parts of
        its gradient."""
        count = len(chunks(self.tokens, self.hparams.n_vocab, self.table > 0))
        logits = (2 * self.number + 4) * self.hparams.n_vocab * -(-self.tokens // count)
        parts = self.number * min(count, MOST_PARTS + 1) + 4
        weights = self.copies * self.factors + (self.copies + parts) * self.table
        return weights + logits + HOLES * (self.kept + self.one_layer)

    @property
    def at_end(self) -> float:
        """Two gradients of the table, from the loss and from the tokens read, and their sum."""
        own = self.copies + self.number
        return own * self.factors + 12 * self.table + self.one_layer

    @property
    def at_update(self) -> float:
        """The gradients; weights and their averages change in place."""
        return self.number * self.factors + 4 * self.table


def chunks(tokens: int, vocabulary: int, learn_table: bool = True) -> list[slice]:
    """Tokens whose logits are computed at once: in as few parts as will do, all of about the same size.

    Each part costs a gradient of the whole table; where that is not learned, they may as well be smaller.

    >>> chunks(1024, 50257)[:2], len(chunks(1024, 50257))
    ([slice(0, 256, None), slice(256, 512, None)], 4)
    """
    most = CHUNK_LOGITS if learn_table else CHUNK_LOGITS // 4
    parts = -(-tokens // max(1, most // vocabulary))
    size = -(-tokens // parts)
    return [slice(start, min(start + size, tokens)) for start in range(0, tokens, size)]


def kept_by_layer(hparams: HParams, length: int, shares: bool = True) -> float:
    """Bytes a token that one layer keeps for its gradient, in bfloat16.

    The stream and its norm, twice each; what attention says; the wide layer before and after its activation;
    queries, and of keys and values the parts that each block of queries sees. With `shares` those of
    attention, and what is seen by them.

    >>> kept_by_layer(HParams(50257, 1024, 768, 12, 12), 1024)
    46080.0
    >>> kept_by_layer(HParams(50257, 1024, 768, 12, 12), 1024, shares=False)
    29184.0
    """
    blocks = max(1.0, length / QUERY_BLOCK)
    seen = (blocks + 1) / 2  # times each key and value, on average
    both = 2 * hparams.kv_heads * hparams.head_width
    wide = (3 if hparams.feed_forward == "swiglu" else 2) * hparams.inner
    shared = hparams.n_head * length * seen / blocks + hparams.n_embd if shares else 0
    return 2 * (6 * hparams.n_embd + wide + both * seen + shared)


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
    """Most bytes on disk while it is trained: two states of three float32 a weight; in the end one of them,
    and the whole model, or the adapters and an int8 sampler."""
    trained = trained_parameters(hparams, lora, freeze)
    learned = round(1.06 * hparams.parameters) + 4 * trained if lora else 4 * hparams.parameters
    return max(24 * trained, 12 * trained + learned)


def to_sample(hparams: HParams) -> int:
    """Peak bytes of sampling: int8 weights, as they lie in the file and as products want them; and one row's
    float32 keys and values of a whole window, twice while their cache grows."""
    cache = 2 * hparams.n_layer * hparams.window * hparams.kv_heads * hparams.head_width * 4
    return 2 * hparams.parameters + 2 * cache + SAMPLING_RUNTIME
