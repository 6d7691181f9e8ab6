"""The one table of bases, and what learning from one of them is said to cost."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from blog_gen.config.settings import TrainingSettings
from blog_gen.model.hparams import HParams
from blog_gen.model.training.machine import Machine, remember, remembered
from blog_gen.model.zoo import zoo
from blog_gen.model.zoo.bases import BASES, offered
from blog_gen.model.zoo.costs import cost_of
from blog_gen.model.zoo.languages import NAMES, what_to_do

FAST = Machine(memory=16 << 30, has_bfloat16=True, flops=4e11, bandwidth=1e10)
_cost = partial(cost_of, settings=TrainingSettings())


def test_every_base_has_a_name_that_can_be_pulled_and_a_language_with_a_name() -> None:
    for base in BASES:
        assert base.embedded or base.name in (*zoo.SIZES, *zoo.PACKAGED) or zoo.is_hub_name(base.name)
        assert base.language in NAMES
    assert len({base.name for base in BASES}) == len(BASES)


def test_the_embedded_base_is_as_the_table_says() -> None:
    mini = BASES[0]
    assert mini.hparams == HParams.load(zoo.EMBEDDED["mini"])
    assert mini.download == 0


@pytest.mark.parametrize(
    ("language", "name"), [("en", "smollm2"), ("fr", "asi/gpt-fr-cased-small"), ("zh", None)]
)
def test_what_is_offered_is_of_the_blogs_language(language: str, name: str | None) -> None:
    base = offered(language)
    assert (base.name if base else None) == name


def test_a_base_of_the_blogs_language_is_offered() -> None:
    assert "models pull DeepESP/gpt2-spanish" in what_to_do("es")


def test_a_larger_base_costs_more_and_a_faster_machine_less_time() -> None:
    small, large = (_cost(base.hparams, 50_000, FAST) for base in BASES[:2])
    assert small.bytes and large.bytes and small.seconds and large.seconds
    assert small.bytes < large.bytes
    assert small.seconds < large.seconds
    slow = _cost(BASES[1].hparams, 50_000, replace(FAST, flops=1e11))
    assert slow.seconds and 2 * large.seconds < slow.seconds < 4 * large.seconds  # to start takes as long
    bound = _cost(BASES[1].hparams, 50_000, replace(FAST, bandwidth=2.6e9))
    assert bound.seconds and bound.seconds > large.seconds
    assert _cost(BASES[1].hparams, 100_000, FAST).seconds > large.seconds  # type: ignore[operator]
    assert _cost(BASES[1].hparams, 50_000, replace(FAST, memory=1 << 20)).bytes is None


def test_how_fast_the_machine_is_is_remembered(tmp_path: Path) -> None:
    path = tmp_path / "cache" / "machine.json"
    assert remembered(path).flops is None
    remember(FAST, path)
    known = remembered(path)
    assert (known.flops, known.bandwidth, known.has_bfloat16) == (FAST.flops, FAST.bandwidth, True)
    assert known.memory != FAST.memory  # what is free now
    path.write_text("[]")
    assert remembered(path).flops is None
