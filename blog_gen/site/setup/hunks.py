"""Taking back an edit of a text that was edited since: only its own lines go, and only as it left them.

Knows lines, and nothing of what they say.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Sequence

SHOWN = 2  # lines in a sentence


def taken_back(before: str, after: str, current: str) -> tuple[str, list[str]]:
    r"""`current` without the edit that made `after` of `before`, and the lines of it that must stay.

    A run of lines that the edit made goes if it stands in `current` whole. If it stands there in part, or
    somewhere else, somebody made it theirs.

    >>> taken_back("a\nz\n", "a\nb\nc\nz\n", "x\na\nb\nc\nz\n")
    ('x\na\nz\n', [])
    >>> taken_back("a\nz\n", "a\nb\nc\nz\n", "a\nb\nmine\nz\n")
    ('a\nb\nmine\nz\n', ['b'])
    """
    old, ours, now = (text.splitlines(keepends=True) for text in (before, after, current))
    places = _places(ours, now)
    moved = set(now).difference(ours[line] for line in places)
    kept: list[str] = []
    for start, end, lines in reversed(list(_hunks(old, ours))):
        found = [places[line] for line in range(start, end) if line in places]
        at = found[0] if found else places.get(start - 1, -1) + 1
        behind = places.get(end, len(now))
        if not found and lines in (now[at : at + len(lines)], now[max(0, behind - len(lines)) : behind]):
            continue  # taken back before, or by hand
        if found == list(range(at, at + end - start)):
            now[at : at + end - start] = lines
        else:
            kept[:0] = _left_of(ours[start:end], [now[place] for place in found], bool(lines), moved)
    return "".join(now), kept


def _left_of(ours: Sequence[str], found: Sequence[str], replaced: bool, moved: Collection[str]) -> list[str]:
    """The lines of a run that stay: those still there, moved ones, and what took another line's place."""
    left = found or [line for line in ours if replaced or line in moved]
    return [line.strip() for line in left if line.strip()]


def shown(lines: Sequence[str]) -> str:
    """The first of some lines, and how many more there are."""
    more = len(lines) - SHOWN
    named = ", ".join(f"`{line}`" for line in lines[:SHOWN])
    return f"{named} and {more} more" if more > 0 else named


def _hunks(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[int, int, Sequence[str]]]:
    """What differs: the lines of `new`, from and to, and those of `old` in their place."""
    for kind, low, high, start, end in difflib.SequenceMatcher(None, old, new).get_opcodes():
        if kind != "equal":
            yield start, end, old[low:high]


def _places(ours: Sequence[str], now: Sequence[str]) -> dict[int, int]:
    """Where the lines of `ours` are in `now`, of those that are there still."""
    blocks = difflib.SequenceMatcher(None, ours, now).get_matching_blocks()
    return {block.a + step: block.b + step for block in blocks for step in range(block.size)}
