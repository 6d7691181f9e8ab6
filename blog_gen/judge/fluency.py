"""Does it read like language? The model's own opinion of a candidate, and the order of its words.

Knows numbers and the corpus index, nothing of models. The model's opinion is compared with its opinion of
the site's held-out posts. The order of words needs no model: words that stand side by side in the documents
should do so in the candidate more often than its words in no order would. In a shuffled text they do not,
whatever its length and the number of documents.
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

LEAST_PAIRS = 4  # that the documents know, in order or by chance; from fewer nothing follows


def fluency_checks(
    candidate: Candidate, index: CorpusIndex | Rest, held_out: float | None, limits: Limits
) -> list[Check]:
    """The order of words; and, where `held_out` is known, the surprise.

    `held_out` is the mean log-probability a token of the held-out posts: nats, ≤ 0.
    """
    order, pairs = word_order([form for paragraph in prose_of(candidate.body) for form in paragraph], index)
    reason = f"{order:.0%} of the word pairs known from other posts stand there by order, not by chance"
    checks = [at_least("word_order", order if pairs >= LEAST_PAIRS else 1.0, limits.word_order, reason)]
    if held_out is not None:
        checks.append(_surprise_check(candidate.logprob, held_out, limits))
    return checks


def word_order(forms: Sequence[str], index: CorpusIndex | Rest) -> tuple[float, float]:
    """How many pairs of neighbours the documents know, as a share of these and of those known by chance.

    About 0.5 in a text whose words are in no order, and 1 in one where all are. And the number of pairs.
    """
    found, by_chance = index.in_order(forms)
    pairs = found + by_chance
    return (found / pairs if pairs else 1.0), pairs


def _surprise_check(logprob: float, held_out: float, limits: Limits) -> Check:
    """How surprised the model is by what it wrote, ≥ 0, where it is 1 by posts that a person wrote.

    Both arguments are mean log-probabilities a token: nats, ≤ 0; the surprise is their ratio.

    Text sampled as the model believes, at temperature 1, has 1 by itself; lower temperatures have less, and
    loops, of which each round is expected, least.
    """
    surprise = logprob / held_out if held_out else 1.0
    least, most = limits.surprise_least, limits.surprise_most
    reason = f"it surprises the model {surprise:.2f} times as much as your held-out posts"
    reason += ": a loop" if surprise < least else ": incoherent" if surprise > most else ""
    check = at_least("surprise", surprise, least, reason)
    return replace(check, limit=f"{least:g} … {most:g}", passed=check.passed and surprise <= most)
