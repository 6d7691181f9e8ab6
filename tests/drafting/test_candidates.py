"""From a sample to a final text, with a sampler whose tokens are bytes and whose texts are written here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from blog_gen.config.loading import load_settings
from blog_gen.config.settings import SamplingSettings
from blog_gen.corpus import read_corpus
from blog_gen.drafting import disclosure
from blog_gen.drafting.candidates import CandidateWriter, FinalText, Lengths
from blog_gen.drafting.drafter import Drafter
from blog_gen.judge import judge
from blog_gen.site.composing import Draft
from blog_gen.text.post import Post
from blog_gen.text.safety.facts import SiteFacts

HEAD = "title: Rain\n---\n"
AS_SAMPLED, ANEW = -1.0, -3.0  # log-probabilities of every token


class _Bytes:
    end_of_text = 0

    def encode(self, text: str) -> list[int]:
        return list(text.encode())


class _Sampler:
    """Yields the texts it was made with, one for each request."""

    tokenizer = _Bytes()

    def __init__(self, texts: Sequence[tuple[str, bool]]) -> None:
        self.texts = texts
        self.growing = False  # what grows keeps its state in the network

    def generate(self, requests: Sequence[Any], *_: Any, **__: Any) -> Iterator[Any]:
        self.growing = True
        for request, (text, ended) in zip(requests, self.texts, strict=True):
            logprobs = (AS_SAMPLED,) * len(text.encode())
            yield SimpleNamespace(request=request, text=text, ended=ended, logprobs=logprobs)
        self.growing = False

    def log_probabilities(self, tokens: Sequence[int]) -> Any:
        assert not self.growing
        return np.full(len(tokens), ANEW)


def _written(
    *texts: tuple[str, bool],
    unparsed: dict[int, str] | None = None,
    whole_ends: bool = False,
    title_first: bool = False,
) -> list[FinalText]:
    heads: Any = SimpleNamespace(
        beginnings=lambda request, seeds: dict.fromkeys(seeds, HEAD),
        habit=SimpleNamespace(tags=(), categories=()),
    )
    sampler: Any = _Sampler(texts)
    writer = CandidateWriter(
        sampler, SamplingSettings(), heads, Lengths(1, 9, 99), SiteFacts(), whole_ends, title_first
    )
    return writer.write(Post("", ""), range(len(texts)), unparsed if unparsed is not None else {}, _no_news)


def _no_news(done: int, total: int) -> None:
    pass


def test_what_ended_by_itself_and_is_safe_stays_as_it_was_sampled() -> None:
    (text,) = _written(("It rained. So we read.", True))
    assert text.candidate.body == "It rained. So we read." and text.findings == ()
    assert text.candidate.logprob == AS_SAMPLED


@pytest.mark.parametrize(
    ("sampled", "ended", "final", "kinds"),
    [
        ("It rained. So we", False, "It rained.", []),
        ("It <b>rained</b>.", True, "It rained.", ["html", "html"]),
        ("It rained {{ page }}. So {{", False, 'It rained {{ "{{" }} page }}.', ["liquid"]),
    ],
)
def test_a_text_is_trimmed_then_made_safe_and_then_scored_anew(
    sampled: str, ended: bool, final: str, kinds: list[str]
) -> None:
    (text,) = _written((sampled, ended))
    assert text.candidate.body == final and text.candidate.logprob == ANEW
    assert text.candidate.tokens == len(final.encode())
    assert [finding.kind for finding in text.findings] == kinds


@pytest.mark.parametrize(
    ("sampled", "final"),
    [
        ("It rained.\n\nSee [here](/a)", "It rained."),
        ("See [here](/a)", "See [here](/a)"),
        ("- One\n- Two", "- One\n- Two"),
    ],
)
def test_where_posts_end_with_a_sentence_so_do_drafts(sampled: str, final: str) -> None:
    (text,) = _written((sampled, True), whole_ends=True)
    assert text.candidate.body == final and text.candidate.ended
    (text,) = _written((sampled, True))
    assert text.candidate.body == sampled


@pytest.mark.parametrize("whole_ends", [False, True])
@pytest.mark.parametrize(
    ("sampled", "final"),
    [
        ("It rained. And we", "It rained."),
        ("It rained.\n\n> So we", "It rained."),
        ("It rained. And see https://evil.example/a", "It rained."),
        ("It rained and we", "It rained and we"),
    ],
)
def test_no_draft_breaks_off_that_has_a_whole_sentence(sampled: str, final: str, whole_ends: bool) -> None:
    (text,) = _written((sampled, True), whole_ends=whole_ends)
    assert text.candidate.body == final


@pytest.mark.parametrize("sampled", ["It rained.", "# Of buses\n\nIt rained.", "Buses\n=====\nIt rained."])
def test_where_posts_open_with_their_title_so_do_drafts(sampled: str) -> None:
    (text,) = _written((sampled, True), title_first=True)
    assert text.candidate.body == f"# {text.candidate.title}\n\nIt rained." and text.candidate.title


def test_of_what_nothing_is_left_there_is_no_candidate() -> None:
    unparsed: dict[int, str] = {}
    kept = _written(("<script>", True), ("It rained.", True), ("no end", False), unparsed=unparsed)
    assert [text.candidate.seed for text in kept] == [1]
    assert list(unparsed) == [0, 2]


def test_the_line_under_every_draft_is_no_text_that_could_be_copied(tmp_path: Path) -> None:
    (tmp_path / "_articles").mkdir()
    (tmp_path / "_articles" / "a.md").write_text("---\ntitle: Snow\n---\n\nNothing but snow, again.\n")
    settings = load_settings(tmp_path)
    (text,) = _written(("It rained on the bus and on the bread for nine days.", True))
    body = disclosure.added_to(text.candidate.body, "mini", settings)
    assert body != text.candidate.body
    drafter = Drafter(settings, read_corpus(settings))
    draft: Any = Draft("Bread", body, None, provenance={"model": "mini"})  # type: ignore[arg-type]
    drafter.remember(tmp_path / "bread.md", draft)
    assert disclosure.without(draft, settings) == text.candidate.body
    (line,) = _written((body.removeprefix(text.candidate.body), True))
    (card,) = judge([line.candidate], drafter.context)
    copied = {check.name: check.value for check in card.checks}
    assert copied["longest_copy"] <= 2 and copied["copied_share"] == 0


@pytest.mark.parametrize("long", [1, 9, 90, 900])
def test_a_base_that_cannot_carry_long_posts_makes_short_ones_and_short_ones_no_longer(long: int) -> None:
    tokenizer: Any = _Bytes()
    texts = ["wet " * long] * 20  # four tokens a word
    usual, short = (Lengths.of(texts, tokenizer, None, words) for words in (None, 90))
    assert usual == Lengths(4 * long, 4 * long, 5 * long)
    assert short == usual.within(360)
    assert short.most <= min(usual.most, 360) and short.usual <= min(usual.usual, 240)
    assert short.least <= short.usual <= short.most
    assert (short == usual) == (long <= 9)
    assert Lengths.of(texts, tokenizer, 500, 90) == Lengths(0, 4 * long, 500), "a person's word counts more"
