"""A blog's own limits: what its own posts keep to, each judged as a candidate against all the others.

Knows checks, limits and posts as (name, title, body), nothing of files or models. A limit that the blog's
posts need looser than the default becomes looser, never stricter, and no looser than `LOOSEST`, under which
copies, loops and shuffled words are still stopped (docs/judging.md).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from blog_gen.config.settings import Limits
from blog_gen.judge.candidate import Candidate

if TYPE_CHECKING:
    from blog_gen.judge.index import CorpusIndex

Post = tuple[str, str, str]
"""Name, title, body."""
Measurements = dict[str, float]
"""What each check found of a post."""

# How far a blog's own limit may go. `surprise` is not among them: it is measured on held-out posts alone.
LOOSEST: Mapping[str, float] = {
    "longest_copy": 250,
    "copied_share": 0.9,
    "title_likeness": 1,
    "title_repeats": 4,
    "loop_words": 40,
    "repeated_phrases": 0.5,
    "repeated_lines": 0.8,
    "repeated_paragraphs": 15,
    "distinct_1": 0.2,
    "distinct_2": 0.3,
    "distinct_3": 0.35,
    "prose_first": 0,
    "heading_faults": 10,
    "stray_marks": 20,
    "word_order": 0.68,
}
AT_LEAST = ("distinct_1", "distinct_2", "distinct_3", "word_order", "prose_first")  # all else: at most
STEADY = 0.02  # the room for `word_order`, which hardly differs between the posts of a blog
SAMPLE = 400  # posts that are judged, evenly spread: more change no limit, and take their time
OUTLIERS = 0.01  # the share of posts that no limit is made for; none in a blog of few


@dataclass(frozen=True)
class OwnLimits:
    """Those of a blog's limits that are looser than the defaults, and the lengths it has."""

    limits: Mapping[str, float] = field(default_factory=dict)
    length: tuple[int, int] | None = None  # words, least and most; None: the usual ones and `length_slack`

    def to_dict(self) -> dict[str, Any]:
        """As `meta.json` keeps it."""
        return {**self.limits, **({"length": list(self.length)} if self.length else {})}

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> OwnLimits:
        """From what `to_dict` gave; what is missing or no number is as by default."""
        limits = {name: float(value) for name, value in kept.items() if isinstance(value, int | float)}
        length = kept.get("length")
        return cls(limits, (length[0], length[1]) if length else None)

    def over(self, limits: Limits, chosen: Collection[str] = ()) -> Limits:
        """`limits` with the blog's own where looser, but for the names that a person has `chosen`."""
        own: dict[str, float] = {}
        for name, value in self.limits.items():
            if name in LOOSEST and name not in chosen:
                kind = type(getattr(limits, name))
                own[name] = kind(_looser(name, value, float(getattr(limits, name))))
        return replace(limits, **own)  # type: ignore[arg-type]

    def names(self, limits: Limits, chosen: Collection[str] = ()) -> frozenset[str]:
        """The checks for which the blog's own limit holds."""
        own = self.over(limits, chosen)
        loosened = {name for name in LOOSEST if getattr(own, name) != getattr(limits, name)}
        return frozenset(loosened | ({"length"} if self.length and "length_slack" not in chosen else set()))


def own_limits(posts: Sequence[Post], index: CorpusIndex) -> OwnLimits:
    """The limits that all but `OUTLIERS` of `posts` keep to, and with room: the next post is none of them.

    Args:
        index: of `posts`, in this order.
    """
    if len(posts) < 2:
        return OwnLimits()  # there is nothing to compare with
    rows = _without_outliers(list(measured(posts, index)))
    room = _room(len(rows))
    limits = {name: _own(name, _extreme(name, [row[name] for row in rows]), room) for name in LOOSEST}
    lengths = [row["length"] for row in rows]
    return OwnLimits(
        {name: value for name, value in limits.items() if value != _default(name)},
        (math.floor(min(lengths) / room), math.ceil(max(lengths) * room)),
    )


def _without_outliers(rows: list[Measurements]) -> list[Measurements]:
    """All rows but the few that alone would make the limits looser."""
    outliers = int(OUTLIERS * len(rows))
    severity = [0.0] * len(rows)
    for name, loosest in LOOSEST.items():
        values = [row[name] if name not in AT_LEAST else -row[name] for row in rows]
        default, scale = _default(name), abs(loosest - _default(name))
        # what is left when all outliers are those of this check
        bound = max(sorted(values, reverse=True)[outliers], default if name not in AT_LEAST else -default)
        severity = [
            sum_ + max(value - bound, 0.0) / scale for sum_, value in zip(severity, values, strict=True)
        ]
    kept = sorted(range(len(rows)), key=severity.__getitem__)[: len(rows) - outliers]
    return [rows[at] for at in sorted(kept)]


def measured(posts: Sequence[Post], index: CorpusIndex) -> Iterator[Measurements]:
    """For each of at most `SAMPLE` posts, what the checks found of it against all the others."""
    from blog_gen.judge import Context, judge

    named = [(name, title) for name, title, _ in posts]
    step = max(len(posts) / SAMPLE, 1.0)
    for at in range(min(len(posts), SAMPLE)):
        number = int(at * step)
        _, title, body = posts[number]
        titles = [*named[:number], *named[number + 1 :]]
        context = Context(index.rest(number), titles, (0, 0))
        candidate = Candidate(title, body, (), None, True, seed=0, tokens=0, logprob=0.0)
        (card,) = judge([candidate], context)
        yield {check.name: float(check.value) for check in card.checks}


def _room(posts: int) -> float:
    """How much further than its posts a blog may go: the fewer there are, the less they tell."""
    return 1.25 if posts >= 200 else 1.75 if posts >= 40 else 2.0


def _default(name: str) -> float:
    return float(getattr(Limits(), name))


def _extreme(name: str, values: Sequence[float]) -> float:
    """What the blog's posts reach. Two posts of one title are like one another alone: that is no habit."""
    if name == "title_likeness":
        return sorted(values)[-3:][0]
    return min(values) if name in AT_LEAST else max(values)


def _own(name: str, extreme: float, room: float) -> float:
    """The limit for a check of which the blog's posts reach `extreme`."""
    whole = not isinstance(getattr(Limits(), name), float)
    if name in AT_LEAST:
        below = STEADY if name == "word_order" else 0.1 * (room - 1)
        limit = extreme if whole else math.floor((extreme - below) * 100) / 100
        return min(max(limit, LOOSEST[name]), _default(name))
    limit = math.ceil(extreme * room) if whole else math.ceil(extreme * room * 100) / 100
    return max(min(limit, LOOSEST[name]), _default(name))


def _looser(name: str, one: float, other: float) -> float:
    return min(one, other) if name in AT_LEAST else max(one, other)
