"""Does it read like language? The model's own opinion of a candidate, and the order of its words.

Knows numbers and the corpus index, nothing of models. The model's opinion is compared with its opinion of
the site's held-out posts. The order of words needs no model: of two words side by side, the order in which
the documents have them more often should be the order they are in. In a shuffled text half of them are,
whatever the number of documents.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from blog_gen.config import Limits
from blog_gen.judge.candidate import Candidate
from blog_gen.judge.scorecard import Check, at_least
from blog_gen.judge.words import forms_of

if TYPE_CHECKING:
    from blog_gen.judge.index import CorpusIndex

LEAST_SPREAD = 0.1  # nats per token; a handful of held-out posts may agree by chance
LEAST_PAIRS = 20  # of words whose order the documents settle; from fewer nothing follows


def fluency_checks(
    candidate: Candidate, index: CorpusIndex, held_out: tuple[float, float] | None, limits: Limits
) -> list[Check]:
    """The order of words; and, if the `held_out` mean and spread are known, the log-probability."""
    order, settled = word_order(forms_of(candidate.body), index)
    enough = settled >= LEAST_PAIRS
    reason = f"{order:.0%} of {settled} word pairs are in their usual order"
    checks = [at_least("word_order", order if enough else 1.0, limits.word_order, reason)]
    if held_out is not None:
        checks.append(_logprob_check(candidate.logprob, held_out, limits))
    return checks


def word_order(forms: Sequence[str], index: CorpusIndex) -> tuple[float, int]:
    """The share of word pairs that stand in the order in which the documents have them more often.

    And the number of pairs: those whose order the documents settle.
    """
    right = wrong = 0
    for pair in pairwise(forms):
        there, back = index.count(pair), index.count(pair[::-1])
        right += there > back
        wrong += back > there
    settled = right + wrong
    return (right / settled if settled else 1.0), settled


def _logprob_check(logprob: float, held_out: tuple[float, float], limits: Limits) -> Check:
    mean, spread = held_out[0], max(held_out[1], LEAST_SPREAD)
    away = (logprob - mean) / spread
    allowed = limits.logprob_below if away < 0 else limits.logprob_above
    word = "incoherent" if away < 0 else "memorised or a loop"
    reason = f"the model gives it {logprob:.2f} nats a token, held-out posts {mean:.2f} ± {spread:.2f}"
    reason += f": {word}" if abs(away) > allowed else ""
    limit = f"-{limits.logprob_below:g} … {limits.logprob_above:g}"
    merit = max(1 - abs(away) / allowed, 0.0) if allowed else 0.0
    return Check("logprob", away, limit, abs(away) <= allowed, reason, merit)
