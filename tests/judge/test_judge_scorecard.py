"""The score, the pick, and how scorecards are shown and kept."""

from __future__ import annotations

import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from blog_gen.config.settings import Limits
from blog_gen.judge import Candidate, Check, Scorecard, as_table, pick
from blog_gen.judge.scorecard import WEIGHTS, at_least, at_most

CANDIDATE = Candidate("A title", "A body.", (), None, True, seed=1, tokens=3, logprob=-2.0)


def card(seed: int, merit: float, passed: bool = True) -> Scorecard:
    check = Check("copied_share", 0.01234, "≤ 0.1", passed, "some of it is copied", merit)
    return Scorecard(replace(CANDIDATE, seed=seed), (check,))


CARDS = st.lists(
    st.builds(card, st.integers(0, 9), st.sampled_from([0.0, 0.5, 1.0]), st.booleans()), max_size=8
)


@given(CARDS)
def test_the_pick_is_the_best_that_passes(cards: list[Scorecard]) -> None:
    best = pick(cards)
    passing = [each for each in cards if not each.rejected]
    if best is None:
        assert not passing
    else:
        assert best in passing
        assert all(
            (each.score, -each.candidate.seed) <= (best.score, -best.candidate.seed) for each in passing
        )
        assert pick(cards[::-1]) == best


def test_the_score_is_the_weighted_mean_of_the_merits() -> None:
    checks = (
        Check("ended", 1, "", True, "", 1.0),
        Check("length", 9, "", True, "", 0.5),
        Check("markup_faults", 0, "", True, "weighs nothing", 0.0),
    )
    wanted = (WEIGHTS["ended"] + WEIGHTS["length"] / 2) / (WEIGHTS["ended"] + WEIGHTS["length"])
    assert Scorecard(CANDIDATE, checks).score == wanted


def test_limits_are_kept_at_the_edge() -> None:
    assert at_most("n", 20, 20, "").passed and not at_most("n", 21, 20, "").passed
    assert at_most("n", 0, 0, "").passed and not at_most("n", 1, 0, "").passed
    assert at_least("n", 0.5, 0.5, "").passed and not at_least("n", 0.49, 0.5, "").passed
    assert at_least("n", 1.0, 1.0, "").passed and at_least("n", 1.0, 0.5, "").merit == 1.0


def test_a_table_has_a_column_for_each_candidate() -> None:
    assert as_table([card(7, 0.5), card(8, 1.0, passed=False)]) == [
        ["check", "limit", "#1", "#2"],
        ["score", "", "0.500", "✗"],
        ["copied_share", "≤ 0.1", "0.012", "0.012 ✗"],
    ]
    assert as_table([]) == [["check", "limit"], ["score", ""]]
    assert as_table([card(7, 0.5)], first=5)[0][2] == "#5"


def test_provenance_is_small_and_plain() -> None:
    assert json.loads(json.dumps(card(1, 0.5).to_dict())) == {"score": 0.5, "copied_share": 0.012}


def test_the_verdict_gives_every_reason() -> None:
    assert card(1, 0.5).verdict == "score 0.500"
    assert card(1, 0.5, passed=False).verdict == "rejected: some of it is copied"


def test_limits_are_settings() -> None:
    assert set(WEIGHTS) - {"ended", "length", "surprise", "whole_paragraphs"} <= set(vars(Limits()))
