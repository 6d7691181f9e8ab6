"""What a worker that is not the first computes of a fine-tune."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from blog_gen.model.arrays import LazyArrays
from blog_gen.model.hparams import HParams
from blog_gen.model.training.dataset import pack
from blog_gen.model.training.recipe import Recipe
from blog_gen.model.training.steppers.stepper import Stepper
from blog_gen.model.training.training import FineTuning


def follower(about: Mapping[str, Any]) -> Stepper:
    """A stepper like that of the chief's `FineTuning`, whose weights come from there."""
    hparams, recipe = HParams(**about["hparams"]), Recipe(**about["recipe"])
    zeros = LazyArrays(hparams.shapes(), lambda name: np.zeros(hparams.shapes()[name], np.float32))
    nothing = pack([], 0, hparams.n_ctx)
    return FineTuning(hparams, zeros, nothing, nothing, recipe, Path()).stepper
