"""What the autopilot chooses, what it says, and what it refuses."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from blog_gen.config.settings import TrainingSettings
from blog_gen.errors import ConfigError, ModelError
from blog_gen.model.distributed.team import together
from blog_gen.model.hparams import HParams
from blog_gen.model.training.autopilot import Advice, choose
from blog_gen.model.training.dataset import Rows, pack
from blog_gen.model.training.machine import Machine, free_memory
from blog_gen.model.training.strategies import MemoryLimit, step_seconds
from blog_gen.model.zoo.bases import SMOLLM2
from blog_gen.model.zoo.zoo import EMBEDDED, SIZES

MINI = HParams.load(EMBEDDED["mini"])
PLENTY = Machine(64 << 30, True, 4e11)
UNKNOWN = Machine(64 << 30, True, None)


def _rows(hparams: HParams, texts: int = 30, tokens: int = 900) -> Rows:
    ids = np.random.default_rng(0).integers(0, hparams.n_vocab - 1, (texts, tokens)).tolist()
    return pack(ids, hparams.n_vocab - 1, hparams.n_ctx)


def _advice(hparams: HParams, machine: Machine = PLENTY, **settings: object) -> Advice:
    return choose(TrainingSettings(**settings), hparams, _rows(hparams), machine)  # type: ignore[arg-type]


def test_it_says_in_two_sentences_what_it_chose_and_what_to_expect() -> None:
    sentence = _advice(MINI).sentence
    assert sentence.count(". ") == 1 and sentence.startswith("Training all 10.3 million weights")
    assert "minute" in sentence and "GiB of memory" in sentence


def test_the_time_that_it_names_is_no_more_than_is_allowed() -> None:
    slow = Machine(64 << 30, True, 1e10)
    assert "about 34 minutes at most and" in _advice(MINI, slow).sentence
    assert "about a minute at most (`max_minutes`) and" in _advice(MINI, slow, max_minutes=1.0).sentence
    assert "about a minute at most (`max_minutes`) and" in _advice(MINI, UNKNOWN, max_minutes=1.0).sentence
    assert "at most and" not in _advice(MINI, UNKNOWN).sentence


def test_an_end_before_the_last_step_is_promised_only_where_posts_are_kept_back() -> None:
    sentences = [
        choose(TrainingSettings(epochs=40.0), MINI, _rows(MINI), PLENTY, held_out=n).sentence for n in (0, 3)
    ]
    assert ["held-out posts" in sentence for sentence in sentences] == [False, True]


@pytest.mark.parametrize("texts", [2, 3, 5, 7, 10, 30, 200])
def test_a_run_of_the_usual_length_never_stops_early(texts: int) -> None:
    for short in (False, True):
        recipe = choose(TrainingSettings(), MINI, _rows(MINI, texts, 400), PLENTY, short).recipe
        evaluations = -(-recipe.steps // recipe.evaluate_every)
        assert evaluations <= recipe.patience + 1  # one is better, the rest worse: that is the end anyway


def test_few_held_out_posts_are_believed_less() -> None:
    doubts = [
        choose(TrainingSettings(), MINI, _rows(MINI), PLENTY, held_out=n).recipe.doubt for n in (1, 2, 3, 9)
    ]
    assert doubts[0] == doubts[1] > doubts[2] == doubts[3] == 0


def test_what_a_person_set_is_kept() -> None:
    recipe = _advice(MINI, steps=7, learning_rate=0.01, lora=3, schedule="cosine", precision="float32").recipe
    assert (recipe.steps, recipe.rate, recipe.lora) == (7, 0.01, 3)
    assert (recipe.schedule, recipe.precision) == ("cosine", "float32")


@pytest.mark.parametrize(("hparams", "seconds"), [(SIZES["124M"], 9.05), (SMOLLM2, 10.0)])
def test_a_step_takes_as_long_as_was_measured(hparams: HParams, seconds: float) -> None:
    """Of 1 x 1,024 tokens, on a machine of fast products and slow memory (docs/experiments.md, 38)."""
    machine = Machine(None, True, 5.1e11, bandwidth=2.6e9)
    recipe = choose(TrainingSettings(batch_tokens=1024), hparams, _rows(hparams), machine).recipe
    found = step_seconds(recipe, MemoryLimit(hparams, 1024, None), machine)
    assert found == pytest.approx(seconds, rel=0.1)


@pytest.mark.parametrize("size", ["124M", "774M"])
@pytest.mark.parametrize("short", [False, True])
def test_of_the_ways_that_fit_the_fastest_is_taken_and_that_is_said(size: str, short: bool) -> None:
    hparams = SIZES[size]
    rows = _rows(hparams)
    ways = _all_ways(hparams, rows, short)
    for free in (gib << 28 for gib in (*range(160, 20, -8), *range(20, 2, -1))):
        fitting = [way for way in ways if way.bytes <= 0.9 * free]
        if not fitting:
            break
        advice = choose(TrainingSettings(), hparams, rows, Machine(free, True, 4e11), short)
        best = min(fitting, key=lambda way: (way.recipe.lora is not None, way.seconds))
        assert advice.recipe == best.recipe and advice.bytes <= 0.9 * free
        assert (best.recipe != ways[0].recipe) == ("the fastest way that fits" in advice.sentence)
    else:
        pytest.fail("less than a GiB cannot do")


def _all_ways(hparams: HParams, rows: Rows, short: bool) -> list[Advice]:
    """Every way, asked for by name."""
    asked = [
        TrainingSettings(lora=lora, activation_checkpointing=again, gradient_accumulation=parts)
        for lora in (None, 8)
        for again in (False, True)
        for parts in (1, 2, 4, 8)
    ]
    return [choose(each, hparams, rows, PLENTY, short) for each in asked]


@pytest.mark.parametrize("size", ["124M", "355M", "774M", "1558M"])
def test_a_refusal_never_contradicts_itself(size: str) -> None:
    fits = True
    for tenths in (*range(400, 50, -50), *range(50, 2, -1)):
        try:
            _advice(SIZES[size], Machine((tenths << 30) // 10 + 12345, True))
            assert fits, "more memory than what was refused"
        except ModelError as error:
            fits = False
            needs, free, room = map(float, re.findall(r"(\d+\.\d) ", str(error)))
            assert needs > room and free >= room
    assert not fits


def test_a_refusal_advises_what_was_not_tried() -> None:
    with pytest.raises(ModelError, match=r"0\.5 GiB free.*--model") as nothing_left:
        _advice(SIZES["1558M"], Machine(1 << 29, True))
    assert "--lora" not in str(nothing_left.value) and "checkpointing" not in str(nothing_left.value)
    with pytest.raises(ModelError, match="activation-checkpointing or take --lora 8 in place of --freeze"):
        _advice(SIZES["355M"], Machine(3 << 30, True), freeze=1, activation_checkpointing=False)


def test_without_bfloat16_in_hardware_products_are_in_float32() -> None:
    assert _advice(MINI, Machine(None, False)).recipe.precision == "float32"
    assert _advice(MINI).recipe.precision == "bfloat16"


@pytest.mark.parametrize(
    "name", ["steps", "epochs", "learning_rate", "batch_tokens", "gradient_accumulation", "lora"]
)
def test_numbers_out_of_range_are_named(name: str) -> None:
    with pytest.raises(ConfigError, match=rf"training\.{name}"):
        _advice(MINI, PLENTY, **{name: 0})


def test_free_memory_is_some_and_no_more_than_the_machine_has() -> None:
    free = free_memory()
    assert free is None or 1 << 26 < free < 1 << 46


@pytest.mark.parametrize(
    "settings", [{}, {"learning_rate": 3e-4}, {"lora": 4}, {"lora": 4, "learning_rate": 0.02}]
)
@pytest.mark.parametrize("gib", [64, 7, 4])
def test_going_on_takes_half_the_rate_of_beginning_whatever_is_trained(
    settings: dict[str, float], gib: int
) -> None:
    large, machine = SIZES["355M"], Machine(gib << 30, True)
    rows, asked = _rows(large), TrainingSettings(**settings)  # type: ignore[arg-type]
    whole = choose(asked, large, rows, machine).recipe
    short = choose(asked, large, rows, machine, short=True).recipe
    assert short.lora == whole.lora
    assert short.rate == pytest.approx(0.5 * whole.rate) and short.steps < whole.steps


def test_what_was_begun_goes_on_as_it_was_whatever_memory_is_free_now() -> None:
    large = SIZES["355M"]
    rows = _rows(large)
    recipes = {
        gib: choose(TrainingSettings(), large, rows, Machine(gib << 30, True)).recipe for gib in (64, 4)
    }
    assert recipes[64].lora is None and recipes[4].lora is not None
    for before, now in ((4, 64), (64, 64), (64, 13), (64, 12)):
        machine = Machine(now << 30, True)
        again = choose(TrainingSettings(), large, rows, machine, resumed=recipes[before])
        assert replace(again.recipe, gradient_accumulation=1, activation_checkpointing=False) == replace(
            recipes[before], gradient_accumulation=1, activation_checkpointing=False
        )
        assert again.bytes < now << 30
    with pytest.raises(ModelError, match="GiB of memory at least"):
        choose(TrainingSettings(), large, rows, Machine(4 << 30, True), resumed=recipes[64])


def test_what_was_begun_is_computed_in_another_way_on_request() -> None:
    recipe = _advice(MINI).recipe
    asked = TrainingSettings(gradient_accumulation=2, activation_checkpointing=True)
    again = choose(asked, MINI, _rows(MINI), PLENTY, resumed=recipe).recipe
    assert again == replace(recipe, gradient_accumulation=2, activation_checkpointing=True)


def test_several_machines_are_planned_as_the_smallest_and_as_fast_as_all() -> None:
    each = Machine(64 << 30, True, 3e11, bandwidth=9e9), Machine(3 << 30, False, 1e11, bandwidth=3e9)
    team = replace(together(each), replicas=2)
    found = _advice(SIZES["124M"], team)
    assert found.bytes <= 0.9 * (3 << 30) < _advice(SIZES["124M"]).bytes
    assert found.recipe.precision == "float32" and found.recipe.gradient_accumulation % 2 == 0
    as_fast = MemoryLimit(SIZES["124M"], 1024, None), Machine(None, False, 4e11, bandwidth=12e9)
    assert step_seconds(found.recipe, as_fast[0], team) == step_seconds(found.recipe, *as_fast)
