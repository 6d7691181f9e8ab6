"""The network, the loss, dropout and the optimizers are one file for both: JAX takes TensorFlow's steps."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

_SCRIPT = """
import json, sys
from dataclasses import replace
from pathlib import Path
sys.path[:0] = [sys.argv[1] + tail for tail in ("", "/training", "/..")]
from test_training import RECIPE, begun
losses = []
begun(Path(sys.argv[2]), replace(RECIPE, steps=10)).run(lambda row: losses.append(row.get("loss", 0.0)))
import keras
print(json.dumps([keras.backend.backend(), losses]))
"""


def _losses(backend: str, folder: Path) -> list[float]:
    command = [sys.executable, "-c", _SCRIPT, str(Path(__file__).parents[1] / "model"), str(folder)]
    environment = {**os.environ, "KERAS_BACKEND": backend}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    ran, losses = json.loads(done.stdout)
    assert ran == backend
    return list(losses)


def test_jax_and_tensorflow_take_the_same_steps_dropout_included(tmp_path: Path) -> None:
    ours, theirs = _losses("tensorflow", tmp_path / "tf"), _losses("jax", tmp_path / "jax")
    assert ours[-1] < 0.8 * ours[1]
    assert ours == pytest.approx(theirs, rel=3e-3)  # matrix products are in bfloat16
