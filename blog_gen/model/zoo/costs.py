"""What it costs to learn from a base on this machine: the autopilot's estimate, before there is a corpus."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from blog_gen.config.settings import TrainingSettings
from blog_gen.errors import ModelError
from blog_gen.model.hparams import HParams
from blog_gen.model.training.autopilot import choose, duration
from blog_gen.model.training.dataset import Rows
from blog_gen.model.training.machine import Machine
from blog_gen.model.zoo import zoo

TYPICAL_TOKENS = 50_000  # of a blog that has not been counted yet
MACHINE_FILE = "machine.json"  # in the user's cache: how fast it was found to be


@dataclass(frozen=True)
class Cost:
    """Of one fine-tune."""

    bytes: int | None  # of memory, at the peak; None: more than is free
    seconds: float | None  # at most; None: unknown, since nothing was learned here yet

    @property
    def time(self) -> str:
        return "" if self.seconds is None else duration(self.seconds)


def cost_of(hparams: HParams, tokens: int, machine: Machine, settings: TrainingSettings) -> Cost:
    """The cost of learning `tokens` as the autopilot would do it.

    Each vocabulary counts tokens a bit differently; those of the run there is will do.
    """
    try:
        advice = choose(settings, hparams, _rows(tokens, hparams.window), machine)
    except ModelError:
        return Cost(None, None)
    return Cost(advice.bytes, advice.seconds)


def _rows(tokens: int, length: int) -> Rows:
    """Full rows of so many tokens, which take no memory."""
    shape = (max(1, -(-tokens // length)), length)
    nothing = np.broadcast_to(np.int32(0), shape)
    counted = np.broadcast_to(np.float32(1), shape)
    return Rows(nothing, nothing, nothing, nothing, counted, share_of_text=counted)


def machine_file() -> Path:
    return zoo.cache_folder() / MACHINE_FILE
