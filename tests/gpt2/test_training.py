"""Fine-tuning: it learns, it keeps the best, and a run killed anywhere ends with the same bits."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from blog_gen.errors import ModelError
from blog_gen.gpt2.autopilot import Recipe
from blog_gen.gpt2.dataset import Rows, pack
from blog_gen.gpt2.hparams import HParams
from blog_gen.gpt2.quiet import quiet
from blog_gen.gpt2.weights import initial_weights, save_weights

quiet()
from blog_gen.gpt2.training import FineTuning, Outcome  # noqa: E402

HPARAMS = HParams(n_vocab=64, n_ctx=64, n_embd=32, n_head=2, n_layer=2)
END = 63
RECIPE = Recipe(
    steps=40,
    batch_rows=2,
    rate=1e-2,
    warmup=4,
    dropout=0.1,
    weight_decay=0.1,
    clip_norm=1.0,
    evaluate_every=5,
    patience=3,
    seed=0,
)


def _counting(texts: int) -> Rows:
    """Texts that count upwards: easy to learn, and new ones are of the same kind."""
    return pack([[(start + step) % 60 for step in range(40)] for start in range(texts)], END, 64)


def _run(folder: Path, recipe: Recipe = RECIPE, held_out: int = 2) -> FineTuning:
    folder.mkdir(exist_ok=True)
    rows = _counting(12)
    few = pack([[(start + step) % 60 for step in range(40)] for start in range(30, 30 + held_out)], END, 64)
    return FineTuning(HPARAMS, initial_weights(HPARAMS), rows, few, recipe, folder)


def _finish(tuning: FineTuning) -> Outcome:
    outcome = tuning.run()
    assert outcome is not None
    return outcome


def test_it_learns_what_the_texts_have_in_common(tmp_path: Path) -> None:
    history = _finish(_run(tmp_path)).position.history
    assert history[-1]["held_out"] < 0.6 * history[0]["held_out"]


def test_the_best_weights_are_kept_not_the_last(tmp_path: Path) -> None:
    tuning = _run(tmp_path, replace(RECIPE, rate=1.0, warmup=1, steps=10, evaluate_every=1, patience=2))
    outcome = _finish(tuning)
    assert outcome.position.best_step < outcome.position.step
    best = min(row["held_out"] for row in outcome.position.history)
    again = FineTuning(HPARAMS, outcome.weights, tuning.rows, tuning.held_out, RECIPE, tmp_path)
    assert again.held_out_loss() == pytest.approx(best, rel=1e-5)


def test_it_stops_early_when_the_held_out_loss_stops_falling(tmp_path: Path) -> None:
    outcome = _finish(_run(tmp_path, replace(RECIPE, rate=1.0, warmup=1, evaluate_every=1, patience=2)))
    assert outcome.stopped == "the held-out loss stopped falling"
    assert outcome.position.step < RECIPE.steps


def test_without_held_out_posts_it_trains_to_the_end(tmp_path: Path) -> None:
    outcome = _finish(_run(tmp_path, held_out=0))
    assert outcome.position.best_step == RECIPE.steps
    assert "not measured" in outcome.reading


def test_interrupted_and_resumed_it_ends_with_the_same_bits(tmp_path: Path) -> None:
    straight = _finish(_run(tmp_path / "straight"))
    for stop_at in (1, 7, 23):
        folder = tmp_path / f"stopped-{stop_at}"
        first = _run(folder)
        assert first.run(interrupted=_at(first, stop_at)) is None
        second = _run(folder)
        assert second.resume() and second.position.step == stop_at
        assert _same(_finish(second), straight)


def _at(tuning: FineTuning, step: int) -> Callable[[], bool]:
    return lambda: tuning.position.step >= step


def _same(one: Outcome, other: Outcome) -> bool:
    return all(np.array_equal(one.weights[name], other.weights[name]) for name in other.weights)


def test_a_state_of_another_run_is_not_taken_up(tmp_path: Path) -> None:
    first = _run(tmp_path)
    first.run(interrupted=lambda: True)
    assert not _run(tmp_path, replace(RECIPE, seed=1)).resume()


@pytest.mark.parametrize("at", [0.02, 0.5, 0.98])
def test_a_damaged_state_is_noticed(tmp_path: Path, at: float) -> None:
    first = _run(tmp_path)
    first.run(interrupted=lambda: True)
    state = tmp_path / "state.safetensors"
    data = bytearray(state.read_bytes())
    data[int(at * len(data))] ^= 0xFF
    state.write_bytes(data)
    with pytest.raises(ModelError, match="damaged"):
        _run(tmp_path).resume()


def test_a_loss_that_is_not_finite_stops_the_run(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="finite"):
        _run(tmp_path, replace(RECIPE, rate=float("inf"))).run()


_SCRIPT = """
import sys
from pathlib import Path
sys.path[:0] = [{tests!r}]
from test_training import RECIPE, HPARAMS, _run
from blog_gen.gpt2.weights import save_weights
tuning = _run(Path(sys.argv[1]))
tuning.resume()
print("ready", flush=True)
outcome = tuning.run(lambda row: print(row["step"], flush=True), save_seconds=0.0)
save_weights(outcome.weights, Path(sys.argv[1]))
"""


def test_killed_for_real_it_ends_with_the_same_bits(tmp_path: Path) -> None:
    straight = _finish(_run(tmp_path / "straight"))
    save_weights(straight.weights, tmp_path)
    folder = tmp_path / "killed"
    command = [sys.executable, "-c", _SCRIPT.format(tests=str(Path(__file__).parent)), str(folder)]
    for steps in (3, 17):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        for line in process.stdout:
            if line.strip().isdigit() and int(line) >= steps:
                break
        time.sleep(0.01)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    subprocess.run(command, check=True, capture_output=True)
    ours, theirs = load_file(folder / "model.safetensors"), load_file(tmp_path / "model.safetensors")
    assert all(np.array_equal(ours[name], theirs[name]) for name in theirs)
