"""Final texts to scorecards: is this text new, whole, fluent and unlike a loop? `str` and numbers in.

Nothing is changed here: what is judged is what is written. Knows nothing of files' formats, of Jekyll or of
models; the same candidates and context give the same cards.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from blog_gen.config.settings import Limits
from blog_gen.judge.candidate import Candidate
from blog_gen.judge.completeness import completeness_checks
from blog_gen.judge.fluency import fluency_checks
from blog_gen.judge.novelty import copied, novelty_checks
from blog_gen.judge.repetition import repetition_checks
from blog_gen.judge.scorecard import Check, Scorecard, as_table, pick
from blog_gen.judge.trimming import trimmed

if TYPE_CHECKING:  # importing it costs NumPy, a tenth of a second
    from blog_gen.judge.index import CorpusIndex, Document, Rest

__all__ = ["Candidate", "Check", "Context", "Scorecard", "as_table", "copied", "judge", "pick", "trimmed"]


@dataclass(frozen=True)
class Context:
    """What candidates are judged by."""

    index: CorpusIndex | Rest  # of the site's articles and earlier generated posts
    titles: Sequence[Document]  # (name, title) of these
    words: tuple[int, int]  # the usual length of the site's posts, low and high
    length: tuple[int, int] | None = None  # the least and the most words; None: the usual ones and the slack
    held_out: float | None = None  # mean log-probability of a held-out post's token to the model
    limits: Limits = field(default_factory=Limits)
    own: frozenset[str] = frozenset()  # the checks whose limits are the blog's own


def judge(candidates: Sequence[Candidate], context: Context) -> list[Scorecard]:
    """A scorecard for each candidate, in their order; a pure function of its arguments."""
    return [_scorecard(candidate, context) for candidate in candidates]


def _scorecard(candidate: Candidate, context: Context) -> Scorecard:
    limits = context.limits
    checks = (
        *novelty_checks(candidate, context.index, context.titles, limits),
        *repetition_checks(candidate.title, candidate.body, limits),
        *completeness_checks(candidate, context.words, limits, context.length),
        *fluency_checks(candidate, context.index, context.held_out, limits),
    )
    return Scorecard(candidate, checks, context.own)
