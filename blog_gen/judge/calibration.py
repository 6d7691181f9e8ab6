"""A blog's own limits: what its own posts keep to, each judged as a candidate against all the others.

Knows checks, limits and posts as (name, title, body), nothing of files or models. A limit that the blog's
posts need looser than the default becomes looser, never stricter, and no looser than `LOOSEST`, under which
copies, loops and shuffled words are still stopped (docs/judging.md).
"""

from __future__ import annotations

import math
import statistics
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
    "copied_paragraph": 80,
    "title_likeness": 1,
    "title_repeats": 4,
    "loop_words": 40,
    "repeated_phrases": 0.5,
    "repeated_lines": 0.8,
    "repeated_paragraphs": 15,
    "distinct_1": 0.1,
    "distinct_2": 0.3,
    "distinct_3": 0.35,
    "prose_first": 0,
    "heading_faults": 20,
    "markup_faults": 20,
    "stray_marks": 40,
    "broken_off": 200,
    "left_open": 1,
    "word_order": 0.65,
}
AT_LEAST = ("distinct_1", "distinct_2", "distinct_3", "word_order", "prose_first")  # all else: at most
# What two posts have is no habit, nor what this share of all has: the limit is what the next one reaches. An
# author may reuse a paragraph now and then; a model may not. And most posts must end with a heading.
RARE = {
    "copied_paragraph": 0.04,
    "title_likeness": 0.01,
    "repeated_paragraphs": 0.01,
    "broken_off": 0.01,
    "left_open": 0.5,
}
PAIR = 2
# Few posts do not show what the next one has. In these checks, by which known-bad texts are told from real
# ones from afar, the default gets the room that the blog's own values get.
ROOMY = frozenset(LOOSEST) - {*RARE, "prose_first"}
# These get half of it: few posts are the soonest learned by heart.
COPIES = ("longest_copy", "copied_share")
STEADY = 0.02  # the room for `word_order`, which hardly differs between the posts of a blog
FEW, ENOUGH = 40, 200  # posts; so many show little, or well, what the next one has
# What says little but what an earlier post says is that post again, and what has less than a phrase is a note
# that a text is to come. Both come once, and would open a limit for all.
REPOST = 0.7  # of the words, copied
STUB = 6  # words
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
        posts: the oldest first. A draft is new, so what counts as copied is what an earlier post has.
        index: of `posts`, in this order.
    """
    if len(posts) < 2:
        return OwnLimits()  # there is nothing to compare with
    return limits_of(list(measured(posts, index)))


def limits_of(rows: Sequence[Measurements]) -> OwnLimits:
    """The limits by what was `measured` of the posts."""
    rows = _without_outliers([row for row in rows if not _tells_nothing(row)] or rows)
    limits = {name: _own(name, _extreme(name, [row[name] for row in rows]), len(rows)) for name in LOOSEST}
    lengths = [int(row["length"]) for row in rows if row["length"]]
    return OwnLimits(
        {name: value for name, value in limits.items() if value != _default(name)},
        _lengths(lengths, len(rows)) if lengths else None,
    )


def _tells_nothing(row: Measurements) -> bool:
    """Is it a post that no limit is made for?"""
    return row["copied_share"] >= REPOST or row["length"] < STUB


def _without_outliers(rows: Sequence[Measurements]) -> list[Measurements]:
    """All rows but the few that alone would make the limits looser."""
    outliers = int(OUTLIERS * len(rows))
    severity = [0.0] * len(rows)
    for name, loosest in LOOSEST.items():
        if RARE.get(name, 0.0) >= 0.5:
            continue  # what most posts do
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
        context = Context(index.rest(number), named[:number], (0, 0))
        candidate = Candidate(title, body, (), None, True, seed=0, tokens=0, logprob=0.0)
        (card,) = judge([candidate], context)
        yield {check.name: float(check.value) for check in card.checks}


def _room(posts: int) -> float:
    """How much further than its posts a blog may go: the fewer there are, the less they tell."""
    return 1.25 if posts >= ENOUGH else 1.75 if posts >= FEW else 2.0


def _lengths(words: Sequence[int], posts: int) -> tuple[int, int]:
    """The least and the most words: lengths differ by factors, and below all others stands the odd note."""
    logs = [math.log(count) for count in words]
    far = math.exp(statistics.mean(logs) - 4 * statistics.pstdev(logs))  # of lengths that differ much
    most = 2 if posts >= ENOUGH else 4
    return math.ceil(min(min(words) / 5, far)), math.ceil(max(words) * most)


def _default(name: str) -> float:
    return float(getattr(Limits(), name))


def _extreme(name: str, values: Sequence[float]) -> float:
    """What the blog's posts reach."""
    if name in AT_LEAST:
        return min(values)
    rare = max(PAIR, math.ceil(RARE[name] * len(values))) if name in RARE else 0
    return sorted(values, reverse=True)[min(rare, len(values) - 1)]


def _own(name: str, extreme: float, posts: int) -> float:
    """The limit for a check of which the blog's posts reach `extreme`."""
    default, room = _default(name), _room(posts)
    allowed = room if name in ROOMY and posts < ENOUGH else 1.0
    allowed = (1 + allowed) / 2 if name in COPIES else allowed
    whole = not isinstance(getattr(Limits(), name), float)
    if name in AT_LEAST:
        if whole:
            return min(extreme, default) if posts >= FEW else LOOSEST[name]
        step = 0.05 if name == "word_order" else 0.1
        below = STEADY if name == "word_order" else step * (room - 1)
        limit = min(extreme - below, default - step * (allowed - 1))
        return max(math.floor(limit * 100) / 100, LOOSEST[name])
    limit = _above(name, extreme, room)
    limit = max(limit, default * allowed, default + round(2 * (allowed - 1)) if whole else 0)
    limit = math.ceil(limit) if whole else math.ceil(limit * 100) / 100
    return max(min(limit, LOOSEST[name]), default)


def _above(name: str, extreme: float, room: float) -> float:
    """What the next post may reach, where those before it reach `extreme`."""
    if name == "title_likeness":  # parts of a series are alike, and the same title is still too much
        return extreme + (1 - extreme) / 4
    return extreme * (1.25 if name in RARE else room)


def _looser(name: str, one: float, other: float) -> float:
    return min(one, other) if name in AT_LEAST else max(one, other)
