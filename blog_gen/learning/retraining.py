"""When `blog-gen run` may learn again: the posts, the setting `retrain`, and the day of the last time.

The last time is said by the finished run's own `meta.json`; nothing else is kept. Never reads the clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from blog_gen import runs
from blog_gen.config.settings import Settings
from blog_gen.learning.staleness import up_to_date, withdrawn
from blog_gen.site.days import schedule_of
from blog_gen.statcache import StatCache

if TYPE_CHECKING:
    from blog_gen.corpus import Corpus

DAYS = {"changed": 0, "daily": 1, "weekly": 7, "monthly": 30}  # at least so many from one time to the next


@dataclass(frozen=True)
class RetrainingDecision:
    """How what was learned stands to what there is to learn."""

    stale: bool  # the posts or the settings are not those that were learned, or nothing was learned yet
    learned: date | None  # in the site's zone; None: never, or by a version that did not write it down
    allowed: date | None  # from this day on `run` may learn; None: only `blog-gen train` does
    due: bool  # `run` is to learn now

    @property
    def waits(self) -> str:
        """Until when there is no learning though there is something to learn; empty where there is not."""
        if not self.stale or self.due:
            return ""
        until = f"on {self.allowed} at the earliest" if self.allowed else "by `blog-gen train` only"
        return f"what changed since {self.learned or 'the last time'} is learned {until}"


def retraining_decision(
    settings: Settings, now: datetime, look: StatCache | None = None
) -> RetrainingDecision:
    """Whether `run` is to learn at `now`, which is aware.

    Days are those of the site's zone. An unfinished run counts as none: it is resumed.

    Args:
        look: at the files; None for a new one.

    Raises:
        ArticleError: there is no articles folder.
    """
    meta = runs.read_meta(settings.run_folder)
    stale = not up_to_date(meta, settings, now, look)
    schedule = schedule_of(settings)
    moment = _moment(meta.learned if meta else None)
    learned = schedule.today(moment) if moment else None
    if settings.retrain == "never":
        return RetrainingDecision(stale, learned, None, due=False)
    today = schedule.today(now)
    days = DAYS[settings.retrain]
    allowed = learned + timedelta(days) if learned and days else today
    return RetrainingDecision(stale, learned, allowed, due=stale and today >= allowed)


def must_learn(settings: Settings, corpus: Corpus, retraining: RetrainingDecision) -> bool:
    """Whether `run` learns now: it is due, or a post was withdrawn that the weights must forget."""
    return retraining.due or (settings.retrain != "never" and bool(withdrawn(settings, corpus)))


def _moment(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
