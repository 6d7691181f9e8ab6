"""Training settings chosen from the size of a blog and the machine, and said in plain sentences.

Every number a person set is kept. The defaults come from fine-tuning `mini` on blogs of several sizes
(docs/experiments.md).
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace

from blog_gen.config import ranges
from blog_gen.config.settings import TrainingSettings
from blog_gen.errors import ConfigError
from blog_gen.model.hparams import HParams
from blog_gen.model.training import memory
from blog_gen.model.training.dataset import Rows
from blog_gen.model.training.defaults import defaults_for
from blog_gen.model.training.machine import Machine
from blog_gen.model.training.recipe import MEMORY_STRATEGIES, Recipe
from blog_gen.model.training.strategies import MemoryLimit, fitted, gib, run_seconds

GENTLE_RATE = 0.25  # where nothing was gained at the usual one
SHORT_EPOCHS, SHORT_RATE = 2.0, 0.5  # where a run goes on from the one before
FEW_POSTS = 3  # held out: fewer say little, since what is learned helps one twice as much as another
DOUBT = 0.1  # nats: two standard deviations of what a post gains (docs/experiments.md)


@dataclass(frozen=True)
class Advice:
    """What was chosen, and what to expect of it."""

    recipe: Recipe
    sentence: str  # two of them, and a third where memory is short
    seconds: float | None  # that all steps take; None: unknown
    bytes: int  # of memory, at the peak
    disk: int  # bytes that it takes while it lasts


def choose(
    settings: TrainingSettings,
    hparams: HParams,
    rows: Rows,
    machine: Machine,
    short: bool = False,
    resumed: Recipe | None = None,
    held_out: int = 0,
    gentle: bool = False,
) -> Advice:
    """Resolve `settings` for these rows on this machine.

    Args:
        short: the model has learned most of these rows before; fewer passes at half the rate will do.
        resumed: the recipe of the run that is resumed: all is kept that decides what it comes to.
        held_out: posts that it is measured by.
        gentle: the usual rate did harm; this run is at a quarter of it.

    Raises:
        ConfigError: a setting is out of range, or two exclude each other.
        ModelError: the memory will not suffice; says what to change.
    """
    _check(settings, hparams)
    limit = MemoryLimit(hparams, rows.tokens.shape[1], machine.memory, machine.replicas)
    if resumed is not None:
        found = fitted(_resumed(resumed, settings, machine), settings, limit, None)
        recipe = found.recipe
    else:
        settings = _brief(settings, hparams, rows, machine) if short else settings
        usual = settings.learning_rate or defaults_for(hparams, rows.count).rate_of(lora=True)
        found = fitted(_wanted(settings, hparams, rows, machine), settings, limit, usual)
        recipe = _cautious(found.recipe, short, gentle, held_out)
    apart = len(rows) * settings.held_out / max(0.1, 1 - settings.held_out) if held_out else 0.0
    seconds = run_seconds(recipe, limit, machine, apart)
    needed = limit.needed(recipe)
    disk = memory.to_store(hparams, recipe.lora, recipe.freeze)
    expected = _expected(recipe, _time(seconds, settings.max_minutes), needed, disk, held_out > 0)
    sentence = " ".join(filter(None, (_chosen(recipe, hparams, rows), found.reason, expected)))
    return Advice(recipe, sentence, seconds, needed, disk)


def _brief(settings: TrainingSettings, hparams: HParams, rows: Rows, machine: Machine) -> TrainingSettings:
    """`settings` for few passes, and no more steps than were asked for."""
    epochs = min(settings.epochs or SHORT_EPOCHS, SHORT_EPOCHS)
    brief = replace(settings, epochs=epochs, steps=None)
    steps = _wanted(brief, hparams, rows, machine).steps
    return replace(brief, steps=min(steps, settings.steps or steps))


def _cautious(recipe: Recipe, short: bool, gentle: bool, held_out: int) -> Recipe:
    """`recipe` at the lower rate of a short or gentle run, doubting what a few held-out posts say.

    For a recipe that is fitted to the memory: adapters have a rate of their own.
    """
    share = (SHORT_RATE if short else 1.0) * (GENTLE_RATE if gentle else 1.0)
    doubt = DOUBT if held_out < FEW_POSTS and not short else 0.0
    return replace(recipe, rate=recipe.rate * share, gentle=gentle, doubt=doubt)


def _resumed(recipe: Recipe, settings: TrainingSettings, machine: Machine) -> Recipe:
    """`recipe` with the memory-saving strategies that `settings` name now, if they name any."""
    asked = {name: getattr(settings, name) for name in MEMORY_STRATEGIES}
    recipe = replace(recipe, **{name: value for name, value in asked.items() if value is not None})
    parts = _parts(recipe.gradient_accumulation, recipe.batch_rows, machine)
    return replace(recipe, gradient_accumulation=parts)


def _parts(asked: int, batch_rows: int, machine: Machine) -> int:
    """As many as `asked` for, and one for each device that computes, as far as there are rows.

    >>> _parts(1, 8, Machine(None, True, replicas=2)), _parts(3, 8, Machine(None, True, replicas=2))
    (2, 4)
    """
    return min(-(-asked // machine.replicas) * machine.replicas, batch_rows)


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
        gradient_accumulation=_parts(settings.gradient_accumulation or 1, batch_rows, machine),
        activation_checkpointing=bool(settings.activation_checkpointing),
        lora=settings.lora,
        freeze=settings.freeze,
        precision=fast if settings.precision == "auto" else settings.precision,
    )


def _time(seconds: float | None, max_minutes: float | None) -> str:
    """How long it takes at most, with what ends it; empty where nobody knows.

    >>> _time(400, None), _time(400, 1), _time(40, 30)
    ('about 7 minutes at most', 'about a minute at most (`max_minutes`)', 'about a minute at most')
    """
    allowed = math.inf if max_minutes is None else 60 * max_minutes
    if allowed < (math.inf if seconds is None else seconds):
        return f"{duration(allowed)} at most (`max_minutes`)"
    return "" if seconds is None else f"{duration(seconds)} at most"


def _chosen(recipe: Recipe, hparams: HParams, rows: Rows) -> str:
    if recipe.lora is not None:
        what = f"adapters of rank {recipe.lora}"
    elif recipe.freeze:
        what = f"all but the embeddings and the first {recipe.freeze} of {hparams.n_layer} blocks"
    else:
        what = f"all {hparams.parameters / 1e6:.1f} million weights"
    passes = recipe.steps * recipe.batch_rows / len(rows)
    return (
        f"Training {what} for at most {recipe.steps} steps of {recipe.batch_rows} x {rows.tokens.shape[1]} "
        f"tokens, {passes:.2g} times through your posts, at a learning rate of {recipe.rate:g}."
    )


def _expected(recipe: Recipe, time: str, needed: int, disk: int, measured: bool) -> str:
    ends = measured and recipe.steps > (recipe.patience + 1) * recipe.evaluate_every
    sooner = ", and an early stop once the held-out posts get no easier to predict" if ends else ""
    space = f"about {gib(needed)} of memory (and {disk / 1e9:.1f} GB of disk until it ends)"
    return f"Expect {f'{time} and ' if time else ''}{space}{sooner}."


def duration(seconds: float) -> str:
    """
    >>> duration(40), duration(400), duration(9000)
    ('about a minute', 'about 7 minutes', 'about 2.5 hours')
    """
    if seconds < 90:
        return "about a minute"
    return f"about {seconds / 60:.0f} minutes" if seconds < 5400 else f"about {seconds / 3600:.1f} hours"


def _check(settings: TrainingSettings, hparams: HParams) -> None:
    for name, value in asdict(settings).items():
        ranges.check(f"training.{name}", value, f"training.{name}", None)
    if settings.freeze >= hparams.n_layer:
        rule = f"`training.freeze` must be below the model's {hparams.n_layer} blocks"
        raise ConfigError(rule, got=settings.freeze)
