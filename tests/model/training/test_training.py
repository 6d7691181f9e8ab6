"""Fine-tuning: it learns, it keeps the best, and a run killed anywhere ends with the same bits."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from calling import PROCESSES
from safetensors.numpy import load_file

from blog_gen.errors import ModelError, Note
from blog_gen.model.adapters import merged
from blog_gen.model.distributed.team import WorkerLostError
from blog_gen.model.hparams import HParams
from blog_gen.model.quiet import quiet
from blog_gen.model.stopping import StopRequest
from blog_gen.model.training.dataset import Rows, pack
from blog_gen.model.training.recipe import Recipe
from blog_gen.model.weights import initial_weights, save_weights

quiet()
from blog_gen.model.training.outcome import Outcome, TrainingProgress  # noqa: E402
from blog_gen.model.training.schedules import LearningRateSchedule  # noqa: E402
from blog_gen.model.training.training import FineTuning  # noqa: E402

# Every graph is traced: with more layers for longer.
HPARAMS = HParams(n_vocab=64, n_ctx=64, n_embd=32, n_head=2, n_layer=1)
DEEP = replace(HPARAMS, n_layer=2)
LLAMA = replace(
    HPARAMS,
    n_head=4,
    n_head_kv=2,
    n_inner=96,
    norm="rms",
    positions="rotary",
    feed_forward="swiglu",
    biases=False,
)
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


def begun(folder: Path, recipe: Recipe = RECIPE, held_out: int = 2, hparams: HParams = HPARAMS) -> FineTuning:
    folder.mkdir(exist_ok=True)
    rows = _counting(12)
    few = pack([[(start + step) % 60 for step in range(40)] for start in range(30, 30 + held_out)], END, 64)
    return FineTuning(hparams, initial_weights(hparams), rows, few, recipe, folder)


def finished(tuning: FineTuning) -> Outcome:
    outcome = tuning.run()
    assert outcome is not None
    return outcome


@pytest.fixture(scope="module")
def straight(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """A run that nothing stopped."""
    return finished(begun(tmp_path_factory.mktemp("straight")))


def test_it_learns_what_the_texts_have_in_common(tmp_path: Path) -> None:
    history = finished(begun(tmp_path)).position.history
    assert history[-1]["held_out"] < 0.6 * history[0]["held_out"]


def test_the_best_weights_are_kept_not_the_last(tmp_path: Path) -> None:
    tuning = begun(tmp_path, replace(RECIPE, rate=1.0, warmup=1, steps=10, evaluate_every=1, patience=2))
    outcome = finished(tuning)
    assert outcome.position.best_step < outcome.position.step
    best = min(row["held_out"] for row in outcome.position.history)
    whole = merged(initial_weights(HPARAMS), outcome.weights)
    again = FineTuning(HPARAMS, whole, tuning.rows, tuning.held_out, RECIPE, tmp_path)
    assert again.held_out_loss() == pytest.approx(best, rel=1e-5)


def test_it_stops_early_when_the_held_out_loss_stops_falling(tmp_path: Path) -> None:
    outcome = finished(begun(tmp_path, replace(RECIPE, rate=1.0, warmup=1, evaluate_every=1, patience=2)))
    assert outcome.stopped == "the held-out loss stopped falling"
    assert outcome.position.step < RECIPE.steps


def _measuring(tuning: FineTuning, losses: Sequence[float], monkeypatch: pytest.MonkeyPatch) -> FineTuning:
    """`tuning`, whose held-out posts are as hard to predict as `losses` say, one after the other."""
    left = iter(losses)
    monkeypatch.setattr(tuning, "held_out_loss", lambda: next(left, math.inf))  # and no way back helps
    return tuning


SHORT = replace(RECIPE, steps=8, warmup=1, evaluate_every=2)


def test_a_short_run_goes_through_its_schedule_though_warm_up_made_it_worse(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = (4.190, 4.290, 4.212, 4.193, 4.181)  # of a blog of ten short posts
    outcome = finished(_measuring(begun(tmp_path, SHORT), seen, monkeypatch))
    assert (outcome.stopped, outcome.position.best_step) == ("all steps done", 8)


def test_where_nothing_helps_it_does_not_go_on_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tuning = begun(tmp_path, replace(RECIPE, evaluate_every=1))
    outcome = finished(_measuring(tuning, [4.0, *(4.1 + step for step in range(40))], monkeypatch))
    assert (outcome.position.best_step, outcome.position.step) == (0, 20 + RECIPE.patience)
    assert not outcome.weights and "nothing useful was learned" in outcome.summary


def test_what_did_harm_as_a_whole_may_help_in_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tuning = begun(tmp_path, SHORT)
    outcome = finished(_measuring(tuning, (4.0, 4.3, 4.3, 4.2, 4.1, 4.05, 3.9, 3.95), monkeypatch))
    assert (outcome.position.share, outcome.position.best_step) == (0.5, 8)
    assert "4.00 before, 3.90 after (with 50 % of what was learned)" in outcome.summary
    start, last = initial_weights(HPARAMS)["wte"], load_file(_newest(tmp_path))["w/wte"]
    assert np.allclose(outcome.weights["wte"], (start + last) / 2, atol=1e-6)


@pytest.mark.parametrize(("last", "kept"), [(4.05, 8), (4.15, 0)])
def test_a_doubtful_loss_is_no_reason_to_keep_the_base(
    last: float, kept: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tuning = begun(tmp_path, replace(SHORT, doubt=0.1))
    outcome = finished(_measuring(tuning, (4.0, 4.3, 4.3, 4.2, last), monkeypatch))
    assert outcome.position.best_step == kept and bool(outcome.weights) == bool(kept)
    assert ("nothing useful" if not kept else "the difference means little") in outcome.summary


@pytest.mark.parametrize(
    ("passes", "training", "said"),
    [
        (0.02, 3.1, "after 2 % of your posts: too few to tell"),
        (0.02, 1.0, "after 2 % of your posts: too few to tell"),
        (2.0, 3.1, "it is learning, not memorising"),
        (2.0, 1.0, "it is memorising"),
    ],
)
def test_what_a_run_says_of_itself_it_can_know(passes: float, training: float, said: str) -> None:
    history = [{"step": 0, "held_out": 3.4}, {"step": 4, "held_out": 3.2, "loss": training}]
    position = TrainingProgress(step=4, best_step=4, best_loss=3.2, history=history)
    assert said in Outcome({}, position, "the time limit was reached", passes).summary


def test_a_slight_gain_is_no_learning() -> None:
    history = [{"step": 0, "held_out": 3.50}, {"step": 4, "held_out": 3.49, "loss": 3.4}]
    position = TrainingProgress(step=4, best_step=4, best_loss=3.49, history=history)
    assert "hardly easier to predict" in Outcome({}, position, "all steps done", 2.0).summary


def test_a_run_counts_how_often_its_best_weights_saw_the_posts(tmp_path: Path) -> None:
    tuning = begun(tmp_path, held_out=0)
    expected = RECIPE.steps * RECIPE.batch_rows / len(tuning.rows)
    assert finished(tuning).passes == pytest.approx(expected)


def test_without_held_out_posts_it_trains_to_the_end(tmp_path: Path) -> None:
    outcome = finished(begun(tmp_path, held_out=0))
    assert outcome.position.best_step == RECIPE.steps
    assert "not measured" in outcome.summary


def test_interrupted_and_resumed_it_ends_with_the_same_bits(tmp_path: Path, straight: Outcome) -> None:
    for stop_at in (1, 23):
        folder = tmp_path / f"stopped-{stop_at}"
        first = begun(folder)
        assert first.run(stop=StopRequest(_at(first, stop_at))) is None
        second = begun(folder)
        assert second.resume() and second.position.step == stop_at
        assert _same(finished(second), straight)


def test_a_worker_lost_while_measuring_leaves_a_state_from_which_that_is_measured_again(
    tmp_path: Path, straight: Outcome, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = begun(tmp_path)
    measured = first.held_out_loss

    def lost() -> float:
        if first.position.step == 10:
            raise WorkerLostError
        return measured()

    monkeypatch.setattr(first, "held_out_loss", lost)
    with pytest.raises(WorkerLostError):
        first.run()
    second = begun(tmp_path)
    assert second.resume() and second.position.step == 10
    outcome = finished(second)
    assert _same(outcome, straight)
    assert [row["step"] for row in outcome.position.history] == [
        row["step"] for row in straight.position.history
    ]


def test_whoever_interrupts_does_not_wait_for_an_evaluation(tmp_path: Path, straight: Outcome) -> None:
    """Not for one that is due, nor for the rest of one that began; a resume makes up for it."""
    first = begun(tmp_path)
    assert first.run(stop=StopRequest(_at(first, RECIPE.evaluate_every))) is None
    assert [row["step"] for row in first.position.history] == [0]
    second = begun(tmp_path)
    assert second.resume()
    heard = iter([False, True])  # after a step, between the parts of its evaluation
    due = 2 * RECIPE.evaluate_every
    assert second.run(stop=StopRequest(lambda: second.position.step == due and next(heard))) is None
    assert [row["step"] for row in second.position.history] == [0, RECIPE.evaluate_every]
    third = begun(tmp_path)
    assert third.resume() and _same(finished(third), straight)


def test_interrupted_before_its_first_step_it_computes_none(tmp_path: Path) -> None:
    first = begun(tmp_path)
    assert first.run(stop=StopRequest(lambda: True)) is None and first.position.step == 0


def _at(tuning: FineTuning, step: int) -> Callable[[], bool]:
    return lambda: tuning.position.step >= step


def _same(one: Outcome, other: Outcome) -> bool:
    return all(np.array_equal(one.weights[name], other.weights[name]) for name in other.weights)


def test_a_resume_with_no_time_left_measures_the_steps_since_the_last_evaluation(tmp_path: Path) -> None:
    first = begun(tmp_path)
    assert first.run(stop=StopRequest(_at(first, 7))) is None
    second = begun(tmp_path)
    assert second.resume()
    outcome = second.run(max_seconds=0.0)
    assert outcome is not None and outcome.stopped == "the time limit was reached"
    assert [row["step"] for row in outcome.position.history] == [0, 5, 7]
    assert outcome.position.best_step == 7, "they taught something"


def test_the_run_ends_with_its_best_weights_in_place(tmp_path: Path) -> None:
    tuning = begun(tmp_path, replace(RECIPE, rate=3e-2), hparams=DEEP)
    outcome = finished(tuning)
    assert outcome.position.share < 1, "or else this test says nothing"
    best = min(row["held_out"] for row in outcome.position.history)
    assert tuning.held_out_loss() == pytest.approx(best, rel=1e-6)
    assert tuning.held_out_loss(by_text=True) == pytest.approx(best, rel=1e-4)  # texts of one length


def test_the_rate_falls_to_its_end_within_the_time_allowed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each look at the clock takes a second; the first step, which is compiled, half of the time."""
    clock = itertools.chain([0.0, 20.0], itertools.count(21.0))
    rates: list[float] = []
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    tuning = begun(tmp_path)
    train = tuning.stepper.train

    def heard(batches: Any, rate: float, step: int) -> tuple[float, float]:
        rates.append(rate)
        return train(batches, rate, step)

    monkeypatch.setattr(tuning.stepper, "train", heard)
    outcome = tuning.run(max_seconds=40.0)
    assert outcome is not None and outcome.stopped == "the time limit was reached"
    assert outcome.position.step == len(rates) == 21 < RECIPE.steps
    assert max(rates) == pytest.approx(RECIPE.rate, rel=0.1) and rates[-1] < RECIPE.rate / 10
    assert all(one > next_ for one, next_ in itertools.pairwise(rates[4:]))


def test_a_resume_knows_the_pace(tmp_path: Path) -> None:
    first = begun(tmp_path)
    assert first.run(stop=StopRequest(_at(first, 7))) is None
    second = begun(tmp_path)
    assert second.resume() and second.position.pace == first.position.pace > 0
    limit = second.position.seconds + 3.5 * second.position.pace
    assert second.position.fitting(limit) == pytest.approx(10.5)
    assert second.position.fitting(math.inf) == math.inf


def test_a_state_of_another_run_is_not_taken_up(tmp_path: Path) -> None:
    first = begun(tmp_path)
    first.run(stop=StopRequest(lambda: True))
    assert not begun(tmp_path, replace(RECIPE, seed=1)).resume()


def test_a_run_is_the_same_in_however_many_parts_it_is_computed(tmp_path: Path) -> None:
    first = begun(tmp_path)
    first.run(stop=StopRequest(_at(first, 7)))
    assert begun(tmp_path, replace(RECIPE, gradient_accumulation=2, activation_checkpointing=True)).resume()


def _newest(folder: Path) -> Path:
    return max(folder.glob("state-*"), key=lambda path: path.stat().st_mtime_ns)


@pytest.mark.parametrize("at", [0.0, 0.02, 0.5, 0.98])
@pytest.mark.parametrize(("stopped", "before"), [(4, 3), (8, 5)], ids=["the last one", "the best one"])
def test_of_a_damaged_state_the_one_before_is_used(
    tmp_path: Path, straight: Outcome, at: float, stopped: int, before: int
) -> None:
    first = begun(tmp_path / "damaged")
    first.run(stop=StopRequest(_at(first, stopped)), save_seconds=0.0)
    newest = _newest(tmp_path / "damaged")
    data = bytearray(newest.read_bytes())
    data[int(at * len(data))] ^= 0xFF
    newest.write_bytes(data)
    notes: list[Note] = []
    second = begun(tmp_path / "damaged")
    assert second.resume(notes.append) and second.position.step == before
    assert [note.path for note in notes] == [newest] and "damaged" in str(notes[0])
    if at == 0.5:
        assert _same(finished(second), straight)


def test_with_its_best_weights_damaged_a_run_starts_over(tmp_path: Path) -> None:
    first = begun(tmp_path)
    first.run(stop=StopRequest(_at(first, 7)), save_seconds=math.inf)
    best = min(tmp_path.glob("state-*"), key=lambda path: path.stat().st_mtime_ns)
    best.write_bytes(b"nothing")
    assert first.position.best_step == 5 and not begun(tmp_path).resume()


def test_a_loss_that_is_no_number_before_anything_was_learned_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="finite"):
        begun(tmp_path, replace(RECIPE, rate=float("inf"))).run()


def test_a_loss_that_is_no_number_later_ends_with_the_best_so_far(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tuning = begun(tmp_path)
    share = LearningRateSchedule.share
    monkeypatch.setattr(
        LearningRateSchedule, "share", lambda self, step: math.inf if step > 9 else share(self, step)
    )
    outcome = finished(tuning)
    assert outcome.stopped == "the loss was no longer a number at step 11"
    assert outcome.position.best_step == 5
    assert all(np.isfinite(value).all() for value in outcome.weights.values())


def test_parts_of_a_step_add_up_to_it(tmp_path: Path) -> None:
    recipe = replace(RECIPE, dropout=0.0, batch_rows=4, steps=4, evaluate_every=1, precision="float32")
    whole = finished(begun(tmp_path / "whole", recipe))
    parts = finished(begun(tmp_path / "parts", replace(recipe, gradient_accumulation=4)))
    for one, other in zip(whole.position.history, parts.position.history, strict=True):
        assert one["held_out"] == pytest.approx(other["held_out"], rel=1e-4)


def test_recomputed_activations_are_those_that_were_not_kept(tmp_path: Path) -> None:
    recipe = replace(RECIPE, steps=4, evaluate_every=1)
    kept = finished(begun(tmp_path / "kept", recipe, hparams=DEEP))
    thrifty = replace(recipe, activation_checkpointing=True)
    again = finished(begun(tmp_path / "again", thrifty, hparams=DEEP))
    for one, other in zip(kept.position.history, again.position.history, strict=True):
        assert one["held_out"] == pytest.approx(other["held_out"], rel=1e-3)


def test_adapters_learn_and_are_merged(tmp_path: Path) -> None:
    recipe = replace(RECIPE, lora=4, rate=3e-2)
    tuning = begun(tmp_path, recipe)
    outcome = finished(tuning)
    history = outcome.position.history
    assert history[-1]["held_out"] < history[0]["held_out"] - 0.05  # beside random weights they can do little
    assert all("/lora_" in name for name in outcome.weights)
    base = initial_weights(HPARAMS)
    whole = merged(base, outcome.weights)
    assert whole.keys() == base.keys()
    best = min(row["held_out"] for row in history)
    again = FineTuning(HPARAMS, whole, tuning.rows, tuning.held_out, RECIPE, tmp_path)
    assert again.held_out_loss() == pytest.approx(best, rel=1e-2)  # products are in bfloat16


def test_frozen_blocks_stay_as_they_are(tmp_path: Path) -> None:
    outcome = finished(begun(tmp_path, replace(RECIPE, freeze=1), hparams=DEEP))
    trained = outcome.weights.keys()
    assert {name.split("/")[0] for name in trained} == {"h1", "ln_f"}
    history = outcome.position.history
    assert history[-1]["held_out"] < history[0]["held_out"]


@pytest.mark.parametrize(
    ("way", "learned"),
    [({}, 0.6), ({"lora": 4, "rate": 3e-2}, 0.99), ({"freeze": 1}, 0.99)],
    ids=["all weights", "adapters", "frozen"],
)
def test_llamas_blocks_learn_and_are_resumed_with_the_same_bits(
    tmp_path: Path, way: dict[str, Any], learned: float
) -> None:
    recipe, llama = replace(RECIPE, **way), replace(LLAMA, n_layer=1 + way.get("freeze", 0))
    straight = finished(begun(tmp_path / "straight", recipe, hparams=llama))
    history = straight.position.history
    assert history[-1]["held_out"] < learned * history[0]["held_out"]
    first = begun(tmp_path / "stopped", recipe, hparams=llama)
    assert first.run(stop=StopRequest(_at(first, 7))) is None
    second = begun(tmp_path / "stopped", recipe, hparams=llama)
    assert second.resume() and _same(finished(second), straight)


def _learn(folder: Path, heard: Connection) -> None:
    tuning = begun(folder)
    tuning.resume()
    outcome = tuning.run(lambda row: heard.send(row["step"]), save_seconds=0.0)
    assert outcome is not None
    save_weights(outcome.weights, folder)


def test_killed_for_real_it_ends_with_the_same_bits(tmp_path: Path, straight: Outcome) -> None:
    save_weights(straight.weights, tmp_path)
    folder = tmp_path / "killed"
    for steps in (3, 17, math.inf):
        hears, says = PROCESSES.Pipe(duplex=False)
        process = PROCESSES.Process(target=_learn, args=(folder, says))
        process.start()
        says.close()
        with suppress(EOFError):  # it has learned all
            while hears.recv() < steps:
                pass
            process.kill()
        process.join()
    assert process.exitcode == 0
    ours, theirs = load_file(folder / "model.safetensors"), load_file(tmp_path / "model.safetensors")
    assert all(np.array_equal(ours[name], theirs[name]) for name in theirs)
