"""Checks, scorecards and the pick: what was found of a candidate, in numbers and in plain words.

Knows nothing of how anything is measured. A check bears the name of the setting that limits it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from blog_gen.judge.candidate import Candidate

# What a check's merit (0 at its limit, 1 at best) weighs in the score. A text that ended by itself and is
# new is worth most; the rest mostly tells sound texts from broken ones and little among the sound ones.
WEIGHTS = {
    "ended": 4.0,
    "whole_paragraphs": 3.0,
    "copied_share": 3.0,
    "longest_copy": 2.0,
    "surprise": 2.0,
    "word_order": 1.0,
    "length": 2.0,
    "repeated_phrases": 1.0,
    "distinct_1": 1.0,
    "distinct_2": 1.0,
    "distinct_3": 1.0,
    "title_likeness": 1.0,
    "prose_first": 1.0,
}


@dataclass(frozen=True)
class Check:
    """One thing looked at: what was found, what is allowed, and why that is so, for a person."""

    name: str
    value: float
    limit: str
    passed: bool
    reason: str
    merit: float  # 0 at the limit or beyond it, 1 at best


@dataclass(frozen=True)
class Scorecard:
    """A candidate, as it would be written, and everything that was checked of it."""

    candidate: Candidate
    checks: tuple[Check, ...]
    own: frozenset[str] = frozenset()  # the checks whose limits are the blog's own

    @property
    def failed(self) -> tuple[Check, ...]:
        return tuple(check for check in self.checks if not check.passed)

    @property
    def rejected(self) -> bool:
        return bool(self.failed)

    @property
    def score(self) -> float:
        """Σ weight · merit / Σ weight over the checks that have a weight: 0 to 1."""
        weighed = [(WEIGHTS[check.name], check.merit) for check in self.checks if check.name in WEIGHTS]
        total = sum(weight for weight, _ in weighed)
        return sum(weight * merit for weight, merit in weighed) / total if total else 0.0

    @property
    def verdict(self) -> str:
        """One line: the score, or every reason against it."""
        if self.rejected:
            return "rejected: " + "; ".join(check.reason for check in self.failed)
        return f"score {self.score:.3f}"

    def to_dict(self) -> dict[str, float]:
        """The score and each check's value, to be kept beside the post."""
        return {"score": round(self.score, 3)} | {check.name: _rounded(check.value) for check in self.checks}


def at_most(name: str, value: float, limit: float, reason: str) -> Check:
    """A check of something that is best at 0 and must not be over `limit`."""
    merit = _within(1 - value / limit) if limit else float(value <= 0)
    return Check(name, value, f"≤ {limit:g}", value <= limit, reason, merit)


def at_least(name: str, value: float, limit: float, reason: str) -> Check:
    """A check of a share that is best at 1 and must not be under `limit`."""
    merit = _within((value - limit) / (1 - limit)) if limit < 1 else float(value >= limit)
    return Check(name, value, f"≥ {limit:g}", value >= limit, reason, merit)


def pick(scorecards: Sequence[Scorecard]) -> Scorecard | None:
    """The best that passes every check; of two with the same score the one with the lower seed."""
    passing = [card for card in scorecards if not card.rejected]
    return min(passing, key=lambda card: (-card.score, card.candidate.seed), default=None)


def as_table(scorecards: Sequence[Scorecard], first: int = 1) -> list[list[str]]:
    """Rows of text, the heads first: one column a candidate, numbered from `first`, one row a check; ✗ marks
    what failed, * the limits that are the blog's own."""
    rows = [["check", "limit", *(f"#{number}" for number, _ in enumerate(scorecards, first))]]
    rows.append(["score", "", *("✗" if card.rejected else f"{card.score:.3f}" for card in scorecards)])
    for checks in zip(*(card.checks for card in scorecards), strict=True):
        cells = (f"{_rounded(check.value):g}" + ("" if check.passed else " ✗") for check in checks)
        limit = checks[0].limit + (" *" if checks[0].name in scorecards[0].own else "")
        rows.append([checks[0].name, limit, *cells])
    return rows


def _within(merit: float) -> float:
    return min(max(merit, 0.0), 1.0)


def _rounded(value: float) -> float:
    return value if isinstance(value, int) else round(value, 3)
