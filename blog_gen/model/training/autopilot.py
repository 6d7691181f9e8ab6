"""Training settings chosen from the size of a blog and the machine, and said in two plain sentences.

Every number a person set is kept. The defaults come from fine-tuning `mini` on blogs of several sizes
(docs/experiments.md).
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from typing import Literal

from blog_gen.config import ranges
from blog_gen.config.settings import TrainingSettings
from blog_gen.errors import ConfigError, ModelError
from blog_gen.model.hparams import HParams
from blog_gen.model.training import memory
from blog_gen.model.training.dataset import Rows
from blog_gen.model.training.defaults import defaults_for
from blog_gen.model.training.machine import Machine

MEMORY_STRATEGIES = (
    "gradient_accumulation",
    "activation_checkpointing",
)  # how a step is computed, not what it comes to
LORA_RANK = 8  # where adapters are chosen for want of memory
ROOM = 0.9  # of the free memory: something else will want some too
SHORT_EPOCHS, SHORT_RATE = 2.0, 0.5  # where a run goes on from the one before
FEW_POSTS = 3  # held out: fewer say little, since what is learned helps one twice as much as another
DOUBT = 0.1  # nats: two standard deviations of what a post gains (docs/experiments.md)
STEP_EFFICIENCY = 0.6  # of the rate of plain products: the rest is attention's edges, norms, the update


@dataclass(frozen=True)
class Recipe:
    """Everything a run does, resolved: two equal recipes on equal data give equal weights."""

    steps: int  # at most; early stopping usually comes first
    batch_rows: int  # rows that one update learns from
    rate: float  # peak learning rate
    warmup: int  # steps
    dropout: float
    weight_decay: float
    clip_norm: float
    evaluate_every: int  # steps
    patience: int  # evaluations without improvement before stopping
    seed: int
    schedule: Literal["linear", "cosine"] = "linear"  # how the rate falls
    gradient_accumulation: int = 1  # parts that an update's rows are computed in
    activation_checkpointing: bool = False  # activations are computed twice instead of kept
    lora: int | None = None  # rank of adapters that are trained in place of the weights
    freeze: int = 0  # embeddings and so many first blocks are left as they are; 0: none, nor the embeddings
    precision: str = "bfloat16"  # of matrix products
    doubt: float = 0.0  # nats by which the first held-out loss must be exceeded before it proves harm


@dataclass(frozen=True)
class Advice:
    """What was chosen, and what to expect of it."""

    recipe: Recipe
    sentence: str  # two of them
    seconds: float | None  # that all steps take; None: unknown
    bytes: int  # of memory, at the peak


def choose(
    settings: TrainingSettings,
    hparams: HParams,
    rows: Rows,
    machine: Machine,
    short: bool = False,
    resumed: Recipe | None = None,
    held_out: int = 0,
) -> Advice:
    """Resolve `settings` for these rows on this machine.

    Args:
        short: the model has learned most of these rows before; fewer passes at half the rate will do.
        resumed: the recipe of the run that is resumed: all is kept that decides what it comes to.
        held_out: posts that it is measured by.

    Raises:
        ConfigError: a setting is out of range, or two exclude each other.
        ModelError: the memory will not suffice; says what to change.
    """
    _check(settings, hparams)
    if resumed is not None:
        recipe = _fitted(_resumed(resumed, settings), settings, hparams, rows, machine, adapt=False)
    elif short:
        brief = _brief(settings, hparams, rows, machine)
        recipe = _fitted(_wanted(brief, hparams, rows, machine), brief, hparams, rows, machine)
        recipe = replace(recipe, rate=SHORT_RATE * recipe.rate)  # only now: adapters have a rate of their own
    else:
        recipe = _fitted(_wanted(settings, hparams, rows, machine), settings, hparams, rows, machine)
        recipe = replace(recipe, doubt=DOUBT if held_out < FEW_POSTS else 0.0)
    length = rows.tokens.shape[1]
    tokens = recipe.steps * recipe.batch_rows * length
    seconds = None
    if machine.flops:
        seconds = tokens * _operations(recipe, hparams, length) / (STEP_EFFICIENCY * machine.flops)
    needed = _needed(recipe, hparams, length)
    time = _time(seconds, settings.max_minutes)
    sooner = held_out > 0 and recipe.steps > (recipe.patience + 1) * recipe.evaluate_every
    return Advice(recipe, _sentences(recipe, hparams, rows, time, needed, sooner), seconds, needed)


def _brief(settings: TrainingSettings, hparams: HParams, rows: Rows, machine: Machine) -> TrainingSettings:
    """`settings` for few passes, and no more steps than were asked for."""
    epochs = min(settings.epochs or SHORT_EPOCHS, SHORT_EPOCHS)
    brief = replace(settings, epochs=epochs, steps=None)
    steps = _wanted(brief, hparams, rows, machine).steps
    return replace(brief, steps=min(steps, settings.steps or steps))


def _resumed(recipe: Recipe, settings: TrainingSettings) -> Recipe:
    """`recipe` with the memory-saving strategies that `settings` name now, if they name any."""
    asked = {name: getattr(settings, name) for name in MEMORY_STRATEGIES}
    recipe = replace(recipe, **{name: value for name, value in asked.items() if value is not None})
    return replace(recipe, gradient_accumulation=min(recipe.gradient_accumulation, recipe.batch_rows))


def _wanted(settings: TrainingSettings, hparams: HParams, rows: Rows, machine: Machine) -> Recipe:
    """What suits the blog and the base, whatever the memory."""
    usual = defaults_for(hparams, rows.count)
    length = rows.tokens.shape[1]
    batch_rows = max(1, (settings.batch_tokens or usual.batch_tokens) // length)
    batch_rows = min(batch_rows, len(rows))
    epoch_steps = -(-len(rows) // batch_rows)
    epochs = settings.epochs if settings.epochs is not None else usual.epochs
    steps = settings.steps or max(1, round(epochs * epoch_steps))
    fast = "bfloat16" if machine.has_bfloat16 else "float32"
    return Recipe(
        steps=steps,
        batch_rows=batch_rows,
        rate=settings.learning_rate or usual.rate_of(settings.lora is not None),
        warmup=min(10, max(1, steps // 10)),
        dropout=usual.dropout if settings.dropout is None else settings.dropout,
        weight_decay=settings.weight_decay,
        clip_norm=settings.clip_norm,
        evaluate_every=min(epoch_steps, -(-steps // 4)),
        patience=settings.patience,
        seed=settings.seed,
        schedule=settings.schedule,
        gradient_accumulation=min(settings.gradient_accumulation or 1, batch_rows),
        activation_checkpointing=bool(settings.activation_checkpointing),
        lora=settings.lora,
        freeze=settings.freeze,
        precision=fast if settings.precision == "auto" else settings.precision,
    )


def _fitted(
    recipe: Recipe,
    settings: TrainingSettings,
    hparams: HParams,
    rows: Rows,
    machine: Machine,
    adapt: bool = True,
) -> Recipe:
    """The first memory-saving strategy that fits, as far as nobody said otherwise.

    Args:
        adapt: adapters may take the weights' place.
    """
    length = rows.tokens.shape[1]
    room = None if machine.memory is None else ROOM * machine.memory
    strategies = [recipe]
    if settings.gradient_accumulation is None:
        strategies.append(replace(strategies[-1], gradient_accumulation=strategies[-1].batch_rows))
    if settings.activation_checkpointing is None:
        strategies.append(replace(strategies[-1], activation_checkpointing=True))
    if adapt and settings.lora is None and not settings.freeze:
        rate = settings.learning_rate or defaults_for(hparams, rows.count).rate_of(lora=True)
        strategies.append(replace(strategies[-1], lora=LORA_RANK, rate=rate))
    for strategy in strategies:
        if room is None or _needed(strategy, hparams, length) <= room:
            return strategy
    raise ModelError(
        f"training would need about {_gib(_needed(strategies[-1], hparams, length))} of memory at least",
        got=f"{_gib(machine.memory or 0)} free",
        fix="Close other programs, take a smaller --model, or allow --gradient-accumulation, "
        "--activation-checkpointing and --lora",
    )


def _needed(recipe: Recipe, hparams: HParams, length: int) -> int:
    rows = -(-recipe.batch_rows // recipe.gradient_accumulation)
    return memory.to_train(
        hparams,
        rows * length,
        length,
        recipe.lora,
        recipe.freeze,
        recipe.activation_checkpointing,
        recipe.gradient_accumulation > 1,
    )


def _operations(recipe: Recipe, hparams: HParams, length: int) -> float:
    """Of one token, forward and backward; Kaplan et al. 2020, section 2.1, with causal attention."""
    weights = hparams.block_parameters + hparams.n_vocab * hparams.n_embd
    attention = (
        hparams.n_layer * length * hparams.n_embd
    )  # multiply-adds: scores and values, half of them seen
    passes = 3.0 + recipe.activation_checkpointing
    if recipe.lora is not None:
        passes -= 1.0  # no gradients of the weights
    elif recipe.freeze:
        passes -= 2.0 * min(recipe.freeze, hparams.n_layer) / hparams.n_layer
    return 2.0 * passes * (weights + attention)


def _time(seconds: float | None, max_minutes: float | None) -> str:
    """How long it takes at most, with what ends it; empty where nobody knows.

    >>> _time(400, None), _time(400, 1), _time(40, 30)
    ('about 7 minutes at most', 'about a minute at most (`max_minutes`)', 'about a minute at most')
    """
    allowed = math.inf if max_minutes is None else 60 * max_minutes
    if allowed < (math.inf if seconds is None else seconds):
        return f"{duration(allowed)} at most (`max_minutes`)"
    return "" if seconds is None else f"{duration(seconds)} at most"


def _sentences(
    recipe: Recipe, hparams: HParams, rows: Rows, time: str, needed: int, stops_sooner: bool
) -> str:
    length = rows.tokens.shape[1]
    if recipe.lora is not None:
        what = f"adapters of rank {recipe.lora}"
    elif recipe.freeze:
        what = f"all but the embeddings and the first {recipe.freeze} of {hparams.n_layer} blocks"
    else:
        what = f"all {hparams.parameters / 1e6:.1f} million weights"
    passes = recipe.steps * recipe.batch_rows / len(rows)
    chosen = (
        f"Training {what} for at most {recipe.steps} steps of {recipe.batch_rows} x {length} tokens, "
        f"{passes:.2g} times through your posts, at a learning rate of {recipe.rate:g}."
    )
    sooner = ", and the end as soon as posts that were kept back get no easier to predict"
    expected = f"{time} and " if time else ""
    return f"{chosen} Expect {expected}about {_gib(needed)} of memory{sooner if stops_sooner else ''}."


def duration(seconds: float) -> str:
    """
    >>> duration(40), duration(400), duration(9000)
    ('about a minute', 'about 7 minutes', 'about 2.5 hours')
    """
    if seconds < 90:
        return "about a minute"
    return f"about {seconds / 60:.0f} minutes" if seconds < 5400 else f"about {seconds / 3600:.1f} hours"


def _gib(size: float) -> str:
    return f"{size / 2**30:.1f} GiB"


def _check(settings: TrainingSettings, hparams: HParams) -> None:
    for name, value in asdict(settings).items():
        ranges.check(f"training.{name}", value, f"training.{name}", None)
    if settings.freeze >= hparams.n_layer:
        rule = f"`training.freeze` must be below the model's {hparams.n_layer} blocks"
        raise ConfigError(rule, got=settings.freeze)
    if settings.lora is not None and settings.freeze:
        raise ConfigError("`training.lora` and `training.freeze` exclude each other", fix="Leave one out")
