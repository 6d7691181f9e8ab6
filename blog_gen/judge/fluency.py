"""Does it read like language? The model's own opinion of a candidate, and the order of its words.

Knows numbers and the corpus index, nothing of models. The model's opinion is compared with its opinion of
the site's held-out posts. The order of words needs no model: of two words side by side, the order in which
the documents have them more often should be the order they are in. In a shuffled text half of them are,
whatever the number of documents.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from blog_gen.config.settings import Limits
from blog_gen.judge.blocks import prose_of
from blog_gen.judge.candidate import Candidate
from blog_gen.judge.scorecard import Check, at_least

if TYPE_CHECKING:
    from blog_gen.judge.index import CorpusIndex, Rest

LEAST_PAIRS = 20  # of words whose order the documents settle; from fewer nothing follows


def fluency_checks(
    candidate: Candidate, index: CorpusIndex | Rest, held_out: float | None, limits: Limits
) -> list[Check]:
    """The order of words; and, if the `held_out` posts' mean log-probability is known, the surprise."""
    order, settled = word_order([form for paragraph in prose_of(candidate.body) for form in paragraph], index)
    enough = settled >= LEAST_PAIRS
    reason = f"{order:.0%} of {settled} word pairs are in their usual order"
    checks = [at_least("word_order", order if enough else 1.0, limits.word_order, reason)]
    if held_out is not None:
        checks.append(_surprise_check(candidate.logprob, held_out, limits))
    return checks


def word_order(forms: Sequence[str], index: CorpusIndex | Rest) -> tuple[float, int]:
    """The share of word pairs that stand in the order in which the documents have them more often.

    And the number of pairs: those whose order the documents settle.
    """
    right, wrong = index.orders(forms)
    settled = right + wrong
    return (right / settled if settled else 1.0), settled


def _surprise_check(logprob: float, held_out: float, limits: Limits) -> Check:
    """How surprised the model is by what it wrote, where it is 1 by posts that a person wrote.

    Text sampled as the model believes, at temperature 1, has 1 by itself; lower temperatures have less, and
    loops, of which each round is expected, least.
    """
    surprise = logprob / held_out if held_out else 1.0
    least, most = limits.surprise_least, limits.surprise_most
    reason = f"it surprises the model {surprise:.2f} times as much as your held-out posts"
    reason += ": a loop" if surprise < least else ": incoherent" if surprise > most else ""
    check = at_least("surprise", surprise, least, reason)
    return replace(check, limit=f"{least:g} … {most:g}", passed=check.passed and surprise <= most)
