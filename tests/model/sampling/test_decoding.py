"""Processors on scripted logits whose answers can be read aloud, and against plain formulas."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from forcing import Ban, Force
from hypothesis import given
from hypothesis import strategies as st

from blog_gen.config.settings import SamplingSettings
from blog_gen.errors import SamplingError
from blog_gen.model.sampling import decoding
from blog_gen.model.sampling.processors import (
    FrequencyPenalty,
    Length,
    MinP,
    NoRepeatNgram,
    PresencePenalty,
    Processor,
    RepetitionPenalty,
    Temperature,
    TopK,
    TopP,
    Typical,
)
from blog_gen.model.sampling.rows import probabilities, sample_tokens

Array = np.ndarray[Any, Any]
# Probabilities 0.5, 0.25, 0.15, 0.1
FOUR = np.log(np.array([0.15, 0.5, 0.1, 0.25], np.float32))
PLAIN = SamplingSettings(temperature=1.0, top_k=0, top_p=1.0, min_p=0.0)
EVERYTHING = SamplingSettings(
    temperature=0.7, top_k=5, top_p=0.9, min_p=0.1, typical_p=0.9, repetition_penalty=1.1,
    frequency_penalty=0.1, presence_penalty=0.1, no_repeat_ngram=3,
)  # fmt: skip
vocabularies = st.lists(st.floats(-30, 30, width=32), min_size=1, max_size=80).map(
    lambda values: np.array(values, np.float32)
)


def one(processor: Processor, logits: Array, history: Sequence[int] = ()) -> Array:
    """What a processor makes of a single row."""
    row: Array = processor(logits[None], [history])[0]
    return row


def drawn(logits: Array, rng: np.random.Generator | None) -> int:
    return sample_tokens(logits[None], [rng] if rng else None)[0]


def kept(processor: Processor, logits: Array = FOUR, history: tuple[int, ...] = ()) -> list[int]:
    """The tokens that remain possible; those that do keep their logits."""
    before = logits.copy()
    shaped = one(processor, logits, history)
    assert (logits == before).all(), "a processor must not change its argument"
    possible = np.flatnonzero(shaped > -np.inf)
    assert (shaped[possible] == logits[possible]).all()
    return possible.tolist()


@pytest.mark.parametrize(
    ("processor", "tokens"),
    [
        (TopK(1), [1]),
        (TopK(3), [0, 1, 3]),
        (TopK(9), [0, 1, 2, 3]),
        (TopP(0.4), [1]),
        (TopP(0.6), [1, 3]),
        (TopP(0.8), [0, 1, 3]),
        (TopP(1.0), [0, 1, 2, 3]),
        (MinP(0.9), [1]),
        (MinP(0.4), [1, 3]),
        (MinP(0.01), [0, 1, 2, 3]),
        (Ban((1, 2)), [0, 3]),
    ],
)
def test_what_remains_of_four_tokens(processor: Processor, tokens: list[int]) -> None:
    assert kept(processor) == tokens


def test_typical_prefers_the_token_of_usual_surprise() -> None:
    # One certain token and many rare ones: neither is typical, the middling one is.
    logits = np.log(np.array([0.6] + [0.2] + [0.01] * 20, np.float32))
    assert kept(Typical(0.1), logits) == [1]
    assert kept(Typical(0.75), logits) == [0, 1]


def test_ties_with_the_last_kept_token_stay_in_top_k_and_leave_by_number_in_top_p() -> None:
    even = np.zeros(4, np.float32)
    assert kept(TopK(2), even) == [0, 1, 2, 3]
    assert kept(TopP(0.5), even) == [0, 1]


def naive(logits: Array, order: Array, p: float) -> set[int]:
    """The definition: sort everything, add up."""
    chances = probabilities(logits)
    ranked = np.argsort(order, kind="stable")
    held = np.cumsum(chances[ranked], dtype=np.float64)
    return set(ranked[: int((held < p * held[-1] * (1 - 1e-6)).sum()) + 1].tolist())


@given(vocabularies, st.floats(0.01, 0.999))
def test_top_p_is_the_smallest_likeliest_set(logits: Array, p: float) -> None:
    found, wanted = set(kept(TopP(p), logits)), naive(logits, -logits, p)
    assert abs(len(found) - len(wanted)) <= 1, "they may differ by rounding at the border only"
    chances = probabilities(logits)
    assert chances[list(found)].sum() >= p * (1 - 1e-5)
    assert min(chances[list(found)]) >= max(
        (chances[i] for i in range(len(logits)) if i not in found), default=0
    )


@given(vocabularies, st.floats(0.01, 0.999))
def test_typical_is_the_smallest_set_of_nearest_surprise(logits: Array, p: float) -> None:
    chances = probabilities(logits)
    surprise = -np.log(np.maximum(chances, np.finfo(np.float32).tiny))
    distance = np.abs(surprise - float(chances @ surprise))
    assert len(set(kept(Typical(p), logits)) ^ naive(logits, distance, p)) <= 1


@given(vocabularies, st.floats(0.05, 0.95), st.floats(0.05, 0.95))
def test_top_p_of_what_is_already_cut_never_empties_it(logits: Array, p: float, q: float) -> None:
    cut = one(TopP(p), logits)
    assert (one(Typical(q), one(MinP(q), one(TopP(q), cut))) > -np.inf).any()


def test_penalties_touch_only_what_was_used() -> None:
    logits = np.array([2.0, -2.0, 1.0, 0.0], np.float32)
    used = (0, 1, 0)
    assert one(RepetitionPenalty(2.0), logits, used).tolist() == [1.0, -4.0, 1.0, 0.0]
    assert one(FrequencyPenalty(0.5), logits, used).tolist() == [1.0, -2.5, 1.0, 0.0]
    assert one(PresencePenalty(0.5), logits, used).tolist() == [1.5, -2.5, 1.0, 0.0]
    for penalty in (RepetitionPenalty(2.0), FrequencyPenalty(0.5), PresencePenalty(0.5)):
        assert one(penalty, logits).tolist() == logits.tolist()


@given(st.lists(st.integers(0, 3), max_size=30), st.integers(1, 4))
def test_no_run_comes_twice(history: list[int], n: int) -> None:
    allowed = set(kept(NoRepeatNgram(n), FOUR, tuple(history)))
    runs = {tuple(history[at : at + n]) for at in range(len(history) - n + 1)}
    for token in range(4):
        run = tuple([*history, token][-n:])
        assert (token in allowed) == (len(run) < n or run not in runs)


def test_a_forced_token_follows_at_its_place_only() -> None:
    force = Force({2: 3})
    assert one(force, FOUR, (0, 0)).argmax() == 3
    assert np.isneginf(one(force, FOUR, (0, 0))[:3]).all()
    assert (one(force, FOUR, (0,)) == FOUR).all()


def test_a_text_ends_neither_early_nor_late() -> None:
    length = Length(end=2, least=3, usual=5, growth=1.0)
    assert kept(length, history=(0, 1)) == [0, 1, 3], "too short to end"
    for size in (3, 5):
        assert (one(length, FOUR, range(size)) == FOUR).all()
    gained = one(length, FOUR, range(9)) - FOUR
    assert gained.tolist() == [0.0, 0.0, 4.0, 0.0]


def test_of_processors_that_together_forbid_everything_the_last_is_passed_over() -> None:
    logits = np.array([[0.0, 1.0, 2.0]] * 2, np.float32)
    shaped = decoding.process_logits(
        logits, [[], [0]], (Ban((0, 1)), Force({1: 0}), Ban((2,)), Temperature(0.5))
    )
    assert shaped.tolist() == [[-np.inf, -np.inf, 4.0], [0.0, -np.inf, -np.inf]]


def test_temperature_sharpens() -> None:
    cold, hot = (probabilities(one(Temperature(t), FOUR)).max() for t in (0.5, 2.0))
    assert hot < 0.5 < cold


def test_choice_follows_the_probabilities_and_never_takes_the_impossible() -> None:
    rng = np.random.default_rng(0)
    logits = one(Ban((3,)), FOUR)
    counts = np.bincount([drawn(logits, rng) for _ in range(4000)], minlength=4) / 4000
    assert counts[3] == 0
    np.testing.assert_allclose(counts[:3], np.array([0.15, 0.5, 0.1]) / 0.75, atol=0.03)
    assert drawn(FOUR, None) == 1


def test_a_draw_takes_one_random_number() -> None:
    """So that a text depends on its seed and not on how its candidates were cut."""
    first, second = np.random.default_rng(5), np.random.default_rng(5)
    drawn(FOUR, first)
    drawn(one(TopK(1), FOUR), second)
    assert first.random() == second.random()


@given(st.integers(0, 2**31), st.integers(2, 9), st.sampled_from([1, 7, 300, 30_000]))
def test_a_row_has_the_same_bits_in_any_company(seed: int, rows: int, vocabulary: int) -> None:
    """Of all processors and of the draw; some rows sharp, some flat, some of tokens that tie."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(rows, vocabulary)) * rng.choice([0.01, 1.0, 20.0], size=(rows, 1))
    logits = np.where(rng.random((rows, 1)) < 0.2, np.round(logits), logits).astype(np.float32)
    histories = [rng.integers(0, vocabulary, rng.integers(0, 40)).tolist() for _ in range(rows)]
    chain: Sequence[Processor] = (Length(0, 3, 20), Force({5: 0}), *decoding.processors(EVERYTHING))
    shaped = decoding.process_logits(logits, histories, chain)
    rngs = [np.random.default_rng(row) for row in range(rows)]
    tokens = decoding.next_tokens(logits, histories, chain, rngs)
    for row, history in enumerate(histories):
        alone = decoding.process_logits(logits[row : row + 1], [history], chain)
        assert alone.tobytes() == shaped[row].tobytes()
        assert sample_tokens(alone, [np.random.default_rng(row)]) == [tokens[row]]


def test_settings_become_processors_and_neutral_ones_vanish() -> None:
    assert decoding.processors(PLAIN) == ()
    assert decoding.processors(EVERYTHING) == (
        RepetitionPenalty(1.1), FrequencyPenalty(0.1), PresencePenalty(0.1), NoRepeatNgram(3),
        Temperature(0.7), TopK(5), TopP(0.9), MinP(0.1), Typical(0.9),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("temperature", -0.1), ("temperature", float("nan")), ("temperature", float("inf")), ("top_k", -1),
        ("top_p", 0.0), ("top_p", 1.1), ("min_p", -0.1), ("min_p", 1.1), ("typical_p", 0.0),
        ("repetition_penalty", 0.0), ("frequency_penalty", float("nan")), ("no_repeat_ngram", -1),
    ],
)  # fmt: skip
def test_a_setting_out_of_range_is_named(name: str, value: float) -> None:
    with pytest.raises(SamplingError, match=f"`{name}`"):
        decoding.processors(dataclasses.replace(PLAIN, **{name: value}))  # type: ignore[arg-type]
