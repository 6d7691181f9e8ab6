"""Training settings chosen from the size of a blog, and the choice said in plain words.

Every number a person set is kept. The defaults come from fine-tuning `mini` on blogs of several sizes
(docs/experiments.md).
"""

from __future__ import annotations

from dataclasses import dataclass

from blog_gen.config import TrainingSettings
from blog_gen.errors import ConfigError
from blog_gen.gpt2.dataset import Rows
from blog_gen.gpt2.hparams import HParams


@dataclass(frozen=True)
class Recipe:
    """Everything a run does, resolved: two equal recipes on equal data give equal weights."""

    steps: int  # at most; early stopping usually comes first
    batch_rows: int
    rate: float  # peak learning rate
    warmup: int  # steps
    dropout: float
    weight_decay: float
    clip_norm: float
    evaluate_every: int  # steps
    patience: int  # evaluations without improvement before stopping
    seed: int

    @property
    def sentence(self) -> str:
        return (
            f"At most {self.steps} steps of {self.batch_rows} rows, learning rate {self.rate:g}, "
            f"dropout {self.dropout:g}."
        )


def choose(settings: TrainingSettings, hparams: HParams, rows: Rows) -> Recipe:
    """Resolve `settings` for these rows.

    Raises:
        ConfigError: a setting is out of range.
    """
    _check(settings)
    length = rows.tokens.shape[1]
    batch_rows = max(1, (settings.batch_tokens or default_batch_tokens(rows.count)) // length)
    batch_rows = min(batch_rows, len(rows))
    epoch_steps = -(-len(rows) // batch_rows)
    epochs = settings.epochs if settings.epochs is not None else default_epochs(rows.count)
    steps = settings.steps or max(1, round(epochs * epoch_steps))
    dropout = settings.dropout if settings.dropout is not None else 0.1
    return Recipe(
        steps=steps,
        batch_rows=batch_rows,
        rate=settings.learning_rate or default_rate(hparams),
        warmup=min(10, max(1, steps // 10)),
        dropout=dropout,
        weight_decay=settings.weight_decay,
        clip_norm=settings.clip_norm,
        evaluate_every=max(1, min(epoch_steps, steps // 4)),
        patience=settings.patience,
        seed=settings.seed,
    )


def default_batch_tokens(tokens: int) -> int:
    """Small blogs want more steps than full batches would give them.

    >>> default_batch_tokens(20_000), default_batch_tokens(500_000)
    (2048, 8192)
    """
    return 2048 if tokens < 100_000 else 4096 if tokens < 400_000 else 8192


def default_epochs(tokens: int) -> float:
    """Passes over the blog before it is memorised more than learned; early stopping may end sooner."""
    return 8.0 if tokens < 100_000 else 5.0 if tokens < 400_000 else 3.0


def default_rate(hparams: HParams) -> float:
    """Peak AdamW rate by width: wide networks take smaller steps.

    >>> default_rate(HParams(8192, 1024, 320, 5, 6)), default_rate(HParams(50257, 1024, 768, 12, 12))
    (0.0006, 0.0001)
    """
    return 6e-4 if hparams.n_embd <= 512 else 1e-4 if hparams.n_embd <= 1024 else 5e-5


def _check(settings: TrainingSettings) -> None:
    positive = {"steps": settings.steps, "epochs": settings.epochs, "learning_rate": settings.learning_rate}
    positive |= {"batch_tokens": settings.batch_tokens, "max_minutes": settings.max_minutes}
    for name, value in positive.items():
        if value is not None and value <= 0:
            raise ConfigError(f"`training.{name}` must be above 0", got=value)
    for name, share in (("held_out", settings.held_out), ("dropout", settings.dropout or 0.0)):
        if not 0 <= share < 1:
            raise ConfigError(f"`training.{name}` must be at least 0 and below 1", got=share)
