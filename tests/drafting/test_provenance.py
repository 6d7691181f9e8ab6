"""How a draft was made: on one line, enough to make it again, and read in its old form, too."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blog_gen.config.loading import load_settings
from blog_gen.config.settings import SamplingSettings
from blog_gen.drafting.provenance import Provenance
from blog_gen.errors import BlogGenError
from blog_gen.site import front_matter
from blog_gen.site.composing import on_one_line
from blog_gen.site.scores import save_scores, scores_of

WEIGHTS = "0123456789abcdef" * 4
PLAIN = Provenance("mini", WEIGHTS, 70, date(2026, 3, 5), SamplingSettings(), (9, 31, 56))
# As version 0.1.0 wrote it.
OLD = """\
version: 0.1.0
day: '2026-03-05'
model: mini
weights: 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
articles: 89ab
seed: 70
temperature: 0.8
top_k: 0
top_p: 0.95
max_tokens: null
known_words: false
length: {least: 9, usual: 31, most: 56}
asked: {title: 'Why: Vim?', tags: [vim]}
scores: {score: 0.5, longest_copy: 3}
"""


def _written(values: dict[str, Any]) -> str:
    return front_matter.dump({"blog_gen": on_one_line(values)})


def test_it_is_one_line_of_a_few_words() -> None:
    text = _written(PLAIN.to_mapping())
    assert text.count("\n") == 1 and len(text) < 140
    assert [*front_matter.parse(text)["blog_gen"]] == ["version", "model", "weights", "seed", "day", "length"]


@given(
    st.builds(
        Provenance,
        model=st.sampled_from(["mini", "124M", "../a: b", "no"]),
        weights=st.text("0123456789abcdef", min_size=12, max_size=12),
        seed=st.integers(0, 2**31),
        day=st.dates(),
        sampling=st.builds(
            SamplingSettings, temperature=st.floats(0, 2), max_tokens=st.none() | st.integers(1, 99)
        ),
        length=st.tuples(st.integers(0, 99), st.integers(0, 99), st.integers(1, 99)),
        title=st.none() | st.sampled_from(["Why: Vim?", "no", "{a}, [b]"]),
        tags=st.lists(st.sampled_from(["a, b", "2020"]), max_size=2).map(tuple),
    )
)
def test_it_comes_back_as_it_was(made: Provenance) -> None:
    text = _written(made.to_mapping())
    assert text.count("\n") == 1
    assert Provenance.of(front_matter.parse(text)["blog_gen"]) == made


def test_the_long_form_of_earlier_versions_is_read() -> None:
    made = Provenance.of(front_matter.parse(OLD))
    assert made.sampling == SamplingSettings(temperature=0.8, vocabulary_constraint=False)
    assert (made.length, made.title, made.tags) == ((9, 31, 56), "Why: Vim?", ("vim",))
    assert (made.seed, made.version, made.weights) == (70, "0.1.0", WEIGHTS)


@pytest.mark.parametrize(
    "changes",
    [
        {"seed": "many"},
        {"seed": None},
        {"length": [1, 2]},
        {"length": 3},
        {"asked": "a title"},
        {"settings": {"temperature": "hot"}},
        {"settings": {"temperature": -1}},
        {"settings": {"warmth": 1}},
        {"day": "some day"},
    ],
)
def test_what_somebody_broke_is_one_clear_error(changes: dict[str, Any]) -> None:
    with pytest.raises((ValueError, BlogGenError)):
        Provenance.of(PLAIN.to_mapping() | changes)
    missing = {key: value for key, value in PLAIN.to_mapping().items() if key not in changes}
    if (
        missing.keys() & {"settings", "asked"} == set()
        and "settings" not in changes
        and "asked" not in changes
    ):
        with pytest.raises(ValueError):
            Provenance.of(missing)


def test_scores_are_found_by_day_and_seed_and_their_absence_costs_only_them(tmp_path: Path) -> None:
    settings, values = load_settings(tmp_path), PLAIN.to_mapping()
    assert scores_of(values, settings) == {}
    save_scores(values, {"articles": "89ab", "scores": {"score": 0.5}}, settings)
    read_back = front_matter.parse(_written(values))["blog_gen"]
    assert (
        scores_of(read_back, settings)
        == scores_of(read_back | {"rejected": "dull"}, settings)
        == {"score": 0.5}
    )
    assert scores_of(read_back | {"weights": "ffff"}, settings) == {}, "another draft of this day and seed"
    assert scores_of(front_matter.parse(OLD), settings) == {"score": 0.5, "longest_copy": 3}


@pytest.mark.parametrize("damaged", ["", "[]", "{}", '{"draft": 3}', '{"draft": {}, "scores": 3}'])
def test_damaged_scores_are_none(tmp_path: Path, damaged: str) -> None:
    settings, values = load_settings(tmp_path), PLAIN.to_mapping()
    save_scores(values, {"scores": {"score": 0.5}}, settings)
    (kept,) = (tmp_path / ".blog_gen" / "scores").iterdir()
    kept.write_text(damaged)
    assert scores_of(values, settings) == {}


@pytest.mark.parametrize("day", ["../../../x", "2026/03/05", {"a": 1}, None, "9" * 999])
def test_no_day_leads_out_of_the_folder(tmp_path: Path, day: object) -> None:
    settings = load_settings(tmp_path)
    save_scores(PLAIN.to_mapping() | {"day": day}, {"scores": {}}, settings)
    assert len([*(tmp_path / ".blog_gen" / "scores").iterdir()]) == 1
