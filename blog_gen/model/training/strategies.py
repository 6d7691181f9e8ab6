"""How a step is computed where memory is short: of all ways that are allowed, the fastest that fits; how long
it takes.

What is learned comes first: adapters take the weights' place only where no way to train the weights fits.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from blog_gen.config.settings import TrainingSettings
from blog_gen.errors import ModelError
from blog_gen.model.hparams import HParams
from blog_gen.model.training import memory

if TYPE_CHECKING:
    from blog_gen.model.training.machine import Machine
    from blog_gen.model.training.recipe import Recipe

LORA_RANK = 8  # where adapters are chosen for want of memory
ROOM = 0.9  # of the free memory: something else will want some too
ACCUMULATING = 120.0  # operations in whose time one weight's gradient is added to the sum

# How long steps take, from two rates of the machine. Where products are fast, most of a step is reading and
# writing what lies between them, so one rate alone tells little.
PRODUCTS = 0.75  # of the rate that one product over and over reaches: others have other shapes
INTENSITY = 40.0  # operations in whose time a byte is moved, where that was not measured
TIMES_MOVED = 12.0  # that what a layer keeps is written and read, forward and backward
AGAIN = 1.3  # times as much where it is computed twice
UPDATE = 72.0  # bytes moved for a trained weight: its value, averages, gradients and copies in bfloat16
LOGIT = 16.0  # bytes moved for one
START, LAYER = 15.0, 2.5  # seconds to import and compile, and more for each layer, on any machine
EVALUATIONS = 6  # beside the regular ones: of the base, of parts of what was learned, of the result
EVALUATED = 1 / 3  # of a step's time for as many tokens
SAVING = 1.03  # times as long, with checkpoints


@dataclass(frozen=True)
class Fitted:
    """What was chosen, and why."""

    recipe: Recipe
    reason: str = ""  # a sentence; empty where there is memory enough


@dataclass(frozen=True)
class MemoryLimit:
    """The memory there is, and the model and rows that it must do for."""

    hparams: HParams
    length: int  # tokens of a row
    free: int | None  # bytes; None: unknown
    replicas: int = 1  # devices, each of which computes a part at least

    @property
    def room(self) -> float:
        return math.inf if self.free is None else ROOM * self.free

    def holds(self, recipe: Recipe) -> bool:
        return self.needed(recipe) <= self.room

    def needed(self, recipe: Recipe) -> int:
        """Bytes at the peak."""
        rows = -(-recipe.batch_rows // recipe.gradient_accumulation)
        return memory.to_train(
            self.hparams,
            rows * self.length,
            self.length,
            recipe.lora,
            recipe.freeze,
            recipe.activation_checkpointing,
            recipe.gradient_accumulation > 1,
            recipe.precision,
        )


def fitted(
    recipe: Recipe, settings: TrainingSettings, limit: MemoryLimit, adapter_rate: float | None
) -> Fitted:
    """`recipe`, if it fits, or else the fastest way to compute it, as far as nobody said otherwise.

    Args:
        adapter_rate: the learning rate of adapters; None where they may not take the weights' place.

    Raises:
        ModelError: no way fits; says what to change.
    """
    if limit.holds(recipe):
        return Fitted(recipe)
    ways = list(_ways(recipe, settings, limit, adapter_rate))
    fitting = [way for way in ways if limit.holds(way)]
    if not fitting:
        raise _refusal(min(map(limit.needed, ways)), recipe, settings, limit)
    best = min(fitting, key=lambda way: (way.lora != recipe.lora, step_operations(way, limit)))
    return Fitted(best, _reason(recipe, best, limit))


def _ways(
    recipe: Recipe, settings: TrainingSettings, limit: MemoryLimit, adapter_rate: float | None
) -> Iterator[Recipe]:
    """Every way that `settings` allow, the wanted one among them; of equal parts, the fewest."""
    parts, again = [recipe.gradient_accumulation], [recipe.activation_checkpointing]
    if settings.gradient_accumulation is None:
        fewest = min(limit.replicas, recipe.batch_rows)
        sizes = {-(-recipe.batch_rows // n): n for n in range(recipe.batch_rows, fewest - 1, -1)}
        parts = sorted(sizes.values())
    if settings.activation_checkpointing is None:
        again = [False, True]
    learned = [recipe]
    if adapter_rate is not None and recipe.lora is None and not recipe.freeze:
        learned.append(replace(recipe, lora=LORA_RANK, rate=adapter_rate))
    for what in learned:
        for checkpointing in again:
            for n in parts:
                yield replace(what, activation_checkpointing=checkpointing, gradient_accumulation=n)


def step_operations(recipe: Recipe, limit: MemoryLimit) -> float:
    """What one step costs, in operations of matrix products.

    Forward and backward by Kaplan et al. 2020, section 2.1, with causal attention.
    """
    hparams, length = limit.hparams, limit.length
    weights = hparams.block_parameters + hparams.n_vocab * hparams.n_embd
    # Multiply-adds of scores and values, half of them seen.
    attention = hparams.n_layer * length * hparams.n_embd
    passes = 3.0 + recipe.activation_checkpointing
    if recipe.lora is not None:
        passes -= 1.0  # no gradients of the weights
    elif recipe.freeze:
        passes -= 2.0 * min(recipe.freeze, hparams.n_layer) / hparams.n_layer
    step = 2.0 * passes * (weights + attention) * recipe.batch_rows * length
    if recipe.gradient_accumulation > 1:
        trained = memory.trained_parameters(hparams, recipe.lora, recipe.freeze)
        step += ACCUMULATING * recipe.gradient_accumulation * trained
    return step


def step_seconds(recipe: Recipe, limit: MemoryLimit, machine: Machine) -> float | None:
    """Seconds; None where the machine was not measured."""
    if not machine.flops:
        return None
    bandwidth = machine.bandwidth or machine.flops / INTENSITY
    return step_operations(recipe, limit) / (PRODUCTS * machine.flops) + _moved(recipe, limit) / bandwidth


def run_seconds(recipe: Recipe, limit: MemoryLimit, machine: Machine, held_out: float) -> float | None:
    """Seconds from the start to the best weights, at most; None where the machine was not measured.

    Args:
        held_out: rows that it is measured by.
    """
    step = step_seconds(recipe, limit, machine)
    if step is None:
        return None
    evaluations = EVALUATIONS + recipe.steps / recipe.evaluate_every
    evaluating = evaluations * EVALUATED * held_out / recipe.batch_rows
    return START + LAYER * limit.hparams.n_layer + step * (SAVING * recipe.steps + evaluating)


def _moved(recipe: Recipe, limit: MemoryLimit) -> float:
    """Bytes that a step reads and writes beside products."""
    hparams = limit.hparams
    layers = hparams.n_layer - (0 if recipe.lora else recipe.freeze / 2)
    times = TIMES_MOVED * (AGAIN if recipe.activation_checkpointing else 1.0)
    token = times * layers * memory.kept_by_layer(hparams, limit.length) + LOGIT * hparams.n_vocab
    weights = UPDATE * memory.trained_parameters(hparams, recipe.lora, recipe.freeze)
    return recipe.batch_rows * limit.length * token + weights


def _reason(wanted: Recipe, chosen: Recipe, limit: MemoryLimit) -> str:
    how = []
    if chosen.lora != wanted.lora:
        how.append("adapters in place of all weights")
    if chosen.activation_checkpointing and not wanted.activation_checkpointing:
        how.append("activation checkpointing")
    if chosen.gradient_accumulation != wanted.gradient_accumulation:
        parts = chosen.gradient_accumulation
        how.append(f"gradient accumulation in {parts} parts" if parts > 1 else "whole batches")
    return (
        f"That takes {' and '.join(how)}, the fastest way that fits: as usual, training would need about "
        f"{gib(limit.needed(wanted), math.ceil)}, and of {gib(limit.free or 0)} free memory "
        f"{gib(limit.room, math.floor)} may be taken."
    )


def _refusal(least: int, recipe: Recipe, settings: TrainingSettings, limit: MemoryLimit) -> ModelError:
    """The error for want of memory; it advises nothing that was tried already."""
    advice = ["Close other programs", "take a smaller --model"]
    if settings.activation_checkpointing is False:
        advice.append("leave out --no-activation-checkpointing")
    if settings.gradient_accumulation is not None and recipe.gradient_accumulation < recipe.batch_rows:
        advice.append(f"take --gradient-accumulation {recipe.batch_rows}")
    if recipe.lora is None and settings.lora is None:
        if settings.freeze:
            advice.append(f"take --lora {LORA_RANK} in place of --freeze")
        elif recipe.freeze == 0 and limit.needed(replace(recipe, lora=LORA_RANK)) < least:
            advice.append(f"begin again with --fresh --lora {LORA_RANK}")  # only a resume may not change over
    return ModelError(
        f"training would need about {gib(least, math.ceil)} of memory at least",
        got=f"{gib(limit.free or 0)} free, of which {gib(limit.room, math.floor)} may be taken: "
        "the rest is left to other programs",
        fix=f"{', '.join(advice[:-1])} or {advice[-1]}",
    )


def gib(size: float, rounded: Callable[[float], int] = round) -> str:
    """Rounded up or down on request, so that of two numbers the larger never looks the smaller.

    >>> gib(3 << 30), gib(2.94 * 2**30, math.ceil), gib(2.96 * 2**30, math.floor)
    ('3.0 GiB', '3.0 GiB', '2.9 GiB')
    """
    tenths = 10 * size / 2**30
    return f"{rounded(tenths) / 10:.1f} GiB"
