"""What is asked for: a draft of a day, and the seeds that follow from that and from the site."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import date

from blog_gen.config.settings import Settings

SEEDS = 2**31
IDENTITY = ("url", "baseurl", "title", "repository")  # keys of Jekyll's settings


@dataclass(frozen=True)
class DraftRequest:
    """What is wanted: the day, the post's number on it, and a title, category or tags to begin with."""

    day: date
    number: int = 0
    title: str | None = None
    category: str | None = None
    tags: tuple[str, ...] = ()
    seed: int | None = None  # of the first candidate; None: from the site, the day and the number

    def seeds(self, attempt: int, count: int, site: str = "") -> list[int]:
        """The candidates' seeds: the same request on the same `site` always has the same.

        All but the first are hashed from it and their number, so that drafts of seeds 0 and 1 share none.
        """
        first = self.seed
        if first is None:
            first = _seed_of(f"{site}/{self.day}/{self.number}/{self.title}/{self.category}/{self.tags}")
        numbers = range(attempt * count, (attempt + 1) * count)
        return [_seed_of(f"{first}/{number}") if number else first % SEEDS for number in numbers]


def _seed_of(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") % SEEDS


def site_identity(settings: Settings) -> str:
    """What the site calls itself: two sites with the same base are to have different drafts on the same day.

    Its posts do not count, so that a correction changes no seed. A site without a name goes by its folder's.
    """
    named = {key: settings.jekyll[key] for key in IDENTITY if settings.jekyll.get(key)}
    return json.dumps(named, sort_keys=True, default=str) if named else settings.site.resolve().name
