"""What a fine-tune takes where nobody said otherwise, by the base and the size of the blog.

Each number was measured on bases of its kind (docs/experiments.md).
"""

from __future__ import annotations

from dataclasses import dataclass

from blog_gen.model.hparams import HParams


@dataclass(frozen=True)
class Defaults:
    """Of one base on one blog."""

    rate: float  # AdamW's peak for all weights: wide networks take smaller steps
    adapter_rate: float
    batch_tokens: int  # small blogs want more steps than full batches would give them
    epochs: float  # passes before the blog is memorised more than learned; early stopping may end sooner
    dropout: float  # GPT-2 was pretrained with a tenth dropped; a base without any would be harmed

    def rate_of(self, lora: bool) -> float:
        return self.adapter_rate if lora else self.rate


def defaults_for(hparams: HParams, tokens: int) -> Defaults:
    """The defaults of a base for a blog of so many `tokens`.

    >>> defaults_for(HParams(8192, 1024, 320, 5, 6), 20_000)
    Defaults(rate=0.0002, adapter_rate=0.003, batch_tokens=2048, epochs=4.0, dropout=0.0)
    >>> defaults_for(HParams(50257, 1024, 768, 12, 12), 500_000)
    Defaults(rate=0.0001, adapter_rate=0.001, batch_tokens=8192, epochs=3.0, dropout=0.1)
    """
    if hparams.norm == "rms":
        return _of_llama(hparams, tokens)
    batch_tokens = 2048 if tokens < 100_000 else 4096 if tokens < 400_000 else 8192
    epochs = 4.0 if tokens < 400_000 else 3.0
    if hparams.n_embd <= 512:
        return Defaults(2e-4, 3e-3, batch_tokens, epochs, 0.0)
    rate = 1e-4 if hparams.n_embd <= 1024 else 5e-5
    return Defaults(rate, 10 * rate, batch_tokens, epochs, 0.1)


def _of_llama(hparams: HParams, tokens: int) -> Defaults:
    """SmolLM2 saw a thousand times as many texts as GPT-2, all without dropout: it needs few small steps."""
    batch_tokens = 1024 if tokens < 100_000 else 4096 if tokens < 400_000 else 8192
    rate = 5e-5 if hparams.n_embd <= 1024 else 2e-5
    return Defaults(rate, 10 * rate, batch_tokens, 3.0, 0.0)
