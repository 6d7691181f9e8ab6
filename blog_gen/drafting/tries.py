"""How often a post was tried for each day, so that candidates which were rejected are not sampled again.

Seeds come from the site, the day and this number. Without the file, as in a fresh checkout, the posts that
are there are counted: the same checkout gives the same drafts.
"""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path

from blog_gen.files import read_json, write_json

TRIES_FILE = "tries.json"
DAYS_KEPT = 100


class Tries:
    """The numbers of the next tries."""

    def __init__(self, path: Path, existing: Counter[date]) -> None:
        """`existing`: how many posts there are for each day, which were all tried."""
        self._path = path
        self._tried = _read(path) | existing

    def number(self, day: date) -> int:
        """How many tries there were for `day`."""
        return self._tried[day]

    def add(self, day: date) -> None:
        """One more was made, whatever came of it.

        Raises:
            BlogGenError: the file cannot be written; until this object is gone, the try counts all the same.
        """
        self._tried[day] += 1
        newest = sorted(self._tried)[-DAYS_KEPT:]
        write_json(self._path, {each.isoformat(): self._tried[each] for each in newest})


def _read(path: Path) -> Counter[date]:
    """What is in the file; nothing where it is missing or damaged, since it only saves work."""
    try:
        rows = read_json(path)
        return Counter({date.fromisoformat(day): int(count) for day, count in rows.items()})
    except (OSError, ValueError, TypeError, AttributeError):
        return Counter()
