"""Candidates to scorecards, with real posts and the ways in which generated ones go wrong."""

from __future__ import annotations

import importlib.util
import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blog_gen.config.loading import load_settings
from blog_gen.config.settings import Limits
from blog_gen.judge import Candidate, Context, Scorecard, judge, pick
from blog_gen.judge.fluency import word_order
from blog_gen.judge.index import CorpusIndex
from blog_gen.judge.novelty import likeness_of
from blog_gen.judge.trimming import broken_off
from blog_gen.judge.words import forms_of
from blog_gen.site.articles import read_articles

ROOT = Path(__file__).resolve().parents[2]
BODY = """The kettle was new in May. It has not boiled since, which is nobody's fault but the fuse's own.

## What I did

I took it apart on the kitchen table, found *three* screws too many, and wrote the number down.
"""
CANDIDATE = Candidate("A Kettle", BODY, ("tea",), None, True, seed=1, tokens=60, logprob=-3.0)
DOCUMENTS = [
    ("tap.md", "The tap drips. It has dripped since we moved in, and I have counted: nine a minute.")
]
CONTEXT = Context(CorpusIndex.build(DOCUMENTS), [("tap.md", "The Tap")], (30, 60), held_out=-3.2)


def failed(candidate: Candidate, context: Context = CONTEXT) -> set[str]:
    (card,) = judge([candidate], context)
    return {check.name for check in card.failed}


def test_a_sound_candidate_passes_every_check() -> None:
    (card,) = judge([CANDIDATE], CONTEXT)
    assert not card.rejected and card.candidate == CANDIDATE and 0.8 < card.score <= 1
    assert pick([card]) == card


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"title": "the tap!"}, "title_likeness"),
        ({"body": "# Straight away\n\n" + BODY}, "prose_first"),
        ({"body": BODY + "\n```\nopen"}, "markup_faults"),
        ({"body": BODY + "\n```\nopen"}, "left_open"),
        ({"body": BODY + "\nSee [the tap](https://example.org"}, "left_open"),
        ({"body": BODY + "\nAnd *so on, _and on.\n" * 4}, "stray_marks"),
        ({"body": BODY + "\nSee [the tap"}, "left_open"),
        ({"body": BODY + "\n## Nothing\n## At all"}, "heading_faults"),
        ({"body": BODY + "\n## Nothing"}, "left_open"),
        ({"body": "And then the"}, "broken_off"),
        ({"body": "Too short."}, "length"),
        ({"body": BODY * 3}, "length"),
        ({"body": ""}, "length"),
        ({"logprob": -4.5}, "surprise"),
        ({"logprob": -0.3}, "surprise"),
        ({"title": "The Sixing A Sixing Sixing"}, "title_repeats"),
    ],
)
def test_each_fault_is_named(changes: dict[str, object], name: str) -> None:
    assert name in failed(replace(CANDIDATE, **changes))  # type: ignore[arg-type]


def test_a_copy_is_rejected_with_its_source() -> None:
    context = replace(CONTEXT, index=CorpusIndex.build([*DOCUMENTS, ("kettle.md", BODY)]))
    (card,) = judge([CANDIDATE], context)
    assert {"longest_copy", "copied_share"} <= {check.name for check in card.failed}
    assert "words in a row are also in kettle.md, line 1: “The kettle was new" in card.verdict


def test_a_paragraph_of_another_post_is_copied_and_a_quotation_is_not() -> None:
    paragraph = (
        "The kettle came with a sheet of paper that says in nine languages what not to do, and no more."
    )
    context = replace(CONTEXT, index=CorpusIndex.build([*DOCUMENTS, ("sheet.md", f"# Tea\n\n{paragraph}")]))
    body = "Of the rest I know nothing.\n\n{}\n\nSo I tried what was left, and it hummed for a minute."
    assert "copied_paragraph" in failed(replace(CANDIDATE, body=body.format(paragraph)), context)
    assert "copied_paragraph" not in failed(replace(CANDIDATE, body=body.format(f"> {paragraph}")), context)
    joined = f"I tell it as it was: {paragraph}"  # a sentence or two more, and it is a paragraph of its own
    assert "copied_paragraph" not in failed(replace(CANDIDATE, body=body.format(joined)), context)


CHINESE = "我把水壶拆开放在厨房的桌子上，发现多了三颗螺丝，于是记下"
"""26 characters, as much as 16 words."""
THAI = "เมื่อวานนี้ฉันแกะกาน้ำบนโต๊ะในครัวแล้วพบว่ามีสกรูเกินมาสามตัวจึงจดไว้"
"""About 20 words, and no blank."""
JAPANESE = "台所の机の上でやかんを分解したら、ねじが三本も余ったので数えた。"
ENGLISH = "So I took the kettle apart on the kitchen table and found three screws too many."
AROUND = "昨天下雨，我在家里读了一本旧书，书里没有地图。\n\n{}\n\n傍晚雨停了，我走了一圈，什么也没买。"


@pytest.mark.parametrize("paragraph", [CHINESE, THAI, JAPANESE, ENGLISH])
def test_a_paragraph_is_copied_in_any_script(paragraph: str) -> None:
    others = [("kettle.md", f"甲。\n\n{paragraph}\n\n乙。")]
    # What several posts say in passing is no standing notice: it hides nothing.
    others += [(f"{at}.md", f"{at}，{paragraph[:8]}。") for at in range(4)]
    context = replace(CONTEXT, index=CorpusIndex.build(others))
    assert "copied_paragraph" in failed(replace(CANDIDATE, body=AROUND.format(paragraph)), context)


def test_a_standing_phrase_does_not_hide_a_copied_paragraph() -> None:
    phrase = "As I said when I last wrote of the kettle on this page,"
    rest = "the fuse is older than the house, and nobody who sold us either had ever seen the cellar."
    little = "the fuse is older than the house."
    others = [("cellar.md", f"{phrase} {rest}\n\n{phrase} {little}")]
    others += [(f"{at}.md", f"{phrase} {at}.") for at in range(4)]
    context = replace(CONTEXT, index=CorpusIndex.build(others))
    around = "Of the rest I know nothing.\n\n{}\n\nSo I tried what was left, and it hummed for a minute."
    for said, copied in ((rest, True), (little, True), ("it hums.", False), ("", False)):
        names = failed(replace(CANDIDATE, body=around.format(f"{phrase} {said}")), context)
        assert ("copied_paragraph" in names) == copied


def test_a_line_in_a_script_without_blanks_is_not_copied() -> None:
    line = CHINESE[:16]
    context = replace(CONTEXT, index=CorpusIndex.build([("kettle.md", f"甲。\n\n{line}\n\n乙。")]))
    names = failed(replace(CANDIDATE, body=AROUND.format(line)), context)
    assert not {"copied_paragraph", "longest_copy"} & names


def test_a_link_left_open_is_a_cut_at_the_end_alone() -> None:
    broken = "See [the tap](https://example.org and so on."
    assert "left_open" in failed(replace(CANDIDATE, body=f"{BODY}\n{broken}"))
    names = failed(replace(CANDIDATE, body=f"{broken}\n\n{BODY}"))
    assert "left_open" not in names and "markup_faults" in names


def test_a_limit_is_a_setting() -> None:
    fault = replace(CANDIDATE, body=BODY + "\n## Nothing\n## At all")
    assert "heading_faults" in failed(fault)
    assert "heading_faults" not in failed(fault, replace(CONTEXT, limits=Limits(heading_faults=1)))


def test_a_cut_candidate_is_judged_as_it_is_and_worth_less() -> None:
    whole, cut = judge([CANDIDATE, replace(CANDIDATE, ended=False)], CONTEXT)
    assert cut.candidate == replace(CANDIDATE, ended=False) and not cut.rejected
    assert cut.score < whole.score


@pytest.mark.parametrize(
    ("more", "share"),
    [
        ("A tin", 2 / 3),
        ("Certainly the tin\nand when a tin", 2 / 3),
        ("He said *so.* Why (not)?", 1),
        ("See [it.](https://example.org/tin)", 1),
        ("- A tin\n- A screw\n\n![](tin.png)", 1),
    ],
)
def test_of_two_texts_the_one_whose_paragraphs_end_is_better(more: str, share: float) -> None:
    usual, other = judge([CANDIDATE, replace(CANDIDATE, body=f"{BODY}\n{more}")], CONTEXT)
    assert other.to_dict()["whole_paragraphs"] == pytest.approx(share, abs=0.001)
    assert "whole_paragraphs" not in failed(other.candidate)
    assert share == 1 or other.score < usual.score


def test_without_held_out_posts_the_surprise_is_not_judged() -> None:
    (card,) = judge([replace(CANDIDATE, logprob=-99.0)], replace(CONTEXT, held_out=None))
    assert not card.rejected and "surprise" not in card.to_dict()


PIECES = [
    "tap ",
    "It ",
    "*",
    "`",
    "```\n",
    "[",
    "](",
    ")",
    "# ",
    "- ",
    "|",
    "---\n",
    "\n",
    ". ",
    "é",
    "我",
    "\ud800",
]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join), st.booleans())
def test_no_text_is_too_odd_and_the_same_text_gets_the_same_card(body: str, ended: bool) -> None:
    candidate = replace(CANDIDATE, body=body, ended=ended)
    (one,), (other,) = judge([candidate], CONTEXT), judge([candidate], CONTEXT)
    assert one == other and one.candidate == candidate and 0 <= one.score <= 1
    assert all(check.reason and 0 <= check.merit <= 1 for check in one.checks)


def test_titles_alike() -> None:
    assert likeness_of("Bread, Slowly", "“bread” slowly") == 1.0
    assert likeness_of("A Makefile for Dinner", "A Makefile for Dinners") > Limits().title_likeness
    assert likeness_of("The Tap", "The Same Soup") < 0.5
    assert likeness_of("Release 1.2", "Release 1.3") == 0.0
    assert likeness_of("", "") == likeness_of("!", "?") == 0.0


@pytest.fixture(scope="module")
def study() -> ModuleType:
    """benchmarks/judge_limits.py, which spoils posts in known ways."""
    spec = importlib.util.spec_from_file_location("judge_limits", ROOT / "benchmarks" / "judge_limits.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def cards(study: ModuleType) -> dict[str, list[Scorecard]]:
    """Scorecards of eight sample posts against the seven others, and of what was made of them."""
    articles = read_articles(load_settings(ROOT)).articles[:8]
    found: dict[str, list[Scorecard]] = study.cards_of([(str(a.path), a.title, a.body) for a in articles])
    return found


def test_real_posts_pass(cards: dict[str, list[Scorecard]]) -> None:
    assert [card.verdict for card in cards["real"] if card.rejected] == []


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("copy", "longest_copy"),
        ("copy", "copied_share"),
        ("mosaic", "copied_share"),
        ("one copied paragraph", "copied_paragraph"),
        ("loop of a sentence", "loop_words"),
        ("loop of three words", "distinct_3"),
        ("repeated paragraph", "repeated_paragraphs"),
        ("template", "repeated_phrases"),
        ("shuffled words", "word_order"),
        ("shuffled nearby", "word_order"),
        ("unclosed fence", "left_open"),
        ("unclosed link", "left_open"),
        ("headings only", "heading_faults"),
        ("title of another", "title_likeness"),
        ("paragraph again", "repeated_paragraphs"),
        ("too short", "length"),
    ],
)
def test_known_bad_texts_are_rejected_for_the_right_reason(
    cards: dict[str, list[Scorecard]], kind: str, name: str
) -> None:
    assert cards[kind] and all(name in {check.name for check in card.failed} for card in cards[kind])


def test_a_text_that_is_cut_is_trimmed_as_a_draft_is(cards: dict[str, list[Scorecard]]) -> None:
    ends = [(card.candidate.ended, broken_off(card.candidate.body)) for card in cards["cut"]]
    assert set(ends) == {(False, "")}


def test_word_order_tells_a_text_from_its_words() -> None:
    bodies = [article.body for article in read_articles(load_settings(ROOT)).articles[:8]]
    index = CorpusIndex.build([(str(at), body) for at, body in enumerate(bodies[1:])])
    forms = forms_of(bodies[0])
    assert word_order(forms, index)[0] > 0.75 > 0.65 > word_order(sorted(forms), index)[0]
    assert word_order(["unheard", "of"], index) == (1.0, 0)


@pytest.mark.parametrize("learnt", [3, 27])
def test_a_short_text_in_no_order_is_told_by_few_posts(learnt: int) -> None:
    first, *others = [article.body for article in read_articles(load_settings(ROOT)).articles]
    index = CorpusIndex.build([(str(at), body) for at, body in enumerate(others[:learnt])])
    forms = forms_of(first)
    stretches = [forms[at : at + 120] for at in range(0, len(forms) - 120, 60)]
    rng = random.Random(0)
    mixed = [rng.sample(stretch, len(stretch)) for stretch in stretches for _ in range(5)]
    for texts, is_in_order in ((stretches, True), (mixed, False)):
        told = [(share >= 0.7) == is_in_order for share, _ in (word_order(text, index) for text in texts)]
        assert sum(told) >= 0.9 * len(told)


def test_the_judge_imports_neither_numpy_nor_its_neighbours() -> None:
    code = "import sys, blog_gen.judge; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    rooms = {"blog_gen.site", "blog_gen.text", "blog_gen.model", "numpy"}
    assert "blog_gen.judge" in loaded and not rooms & set(loaded)
