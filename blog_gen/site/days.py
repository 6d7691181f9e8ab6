"""Which days a post is due: the schedule in the settings, the clock, and the files that are there.

Knows calendars, time zones and file names. It has never heard of a model and keeps no state of its own. Only
`moment_now` reads the clock: elsewhere `now` is given.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from pathlib import Path

from blog_gen.config.ranges import time_in, weekdays_in
from blog_gen.config.settings import Settings
from blog_gen.errors import ConfigError, Note
from blog_gen.site import dates
from blog_gen.site.fingerprint import look_at
from blog_gen.site.folder import front_matter_in, provenance_in
from blog_gen.site.jekyll.places import MARKDOWN, posts_folders
from blog_gen.statcache import StatCache

NOW_VARIABLE = "BLOG_GEN_NOW"  # an ISO 8601 moment that stands in for the clock
REJECTED_FOLDER = "rejected"  # in the state folder

_HEAD_BYTES = 16 * 1024  # front matter longer than this is not ours
_DATE = rb"(\d{4})-(\d\d?)-(\d\d?)"
_PROVENANCE_DAY = re.compile(rb"[\s{,][\"']?day[\"']?:[ \t]*[\"']?" + _DATE)
_NAME_DATE = re.compile(_DATE + rb"-")
_FRONT_MATTER_DATE = re.compile(rb"^date:[ \t]*[\"']?" + _DATE, re.M)


@dataclass(frozen=True)
class PostingSchedule:
    """When posts are due, read from the settings and checked."""

    zone: tzinfo | None  # the site's; None: the machine's own
    time: time  # of day: nothing is due on a day before it
    weekdays: frozenset[int]  # 0 is Monday
    posts_per_day: int
    catch_up: int  # days

    def today(self, now: datetime) -> date:
        """The day it is in the site's zone."""
        return now.astimezone(self.zone).date()

    def last_past(self, now: datetime) -> date:
        """The last day whose time has come: today or yesterday."""
        today = self.today(now)
        return today if self.moment(today) <= now else today - timedelta(days=1)

    def moment(self, day: date) -> datetime:
        """The instant at which a post for `day` is due, and its date: aware, with the site's offset.

        A time that the clocks leap over in spring is as much later as they leap; one that comes twice in
        autumn is the first.
        """
        return dates.local(datetime.combine(day, self.time), self.zone)


def schedule_of(settings: Settings) -> PostingSchedule:
    """The schedule that the settings ask for.

    Raises:
        ConfigError: the time zone, the time or a weekday is none.
    """
    return PostingSchedule(
        zone=dates.zone_of(settings),
        time=time_in(settings.time),
        weekdays=weekdays_in(settings.weekdays),
        posts_per_day=settings.posts_per_day,
        catch_up=settings.catch_up,
    )


def due_days(now: datetime, settings: Settings, existing: Counter[date]) -> list[date]:
    """The days that lack a post, oldest first; a day that lacks two is there twice.

    A day is past once its time of day is. Missed days reach back to the newest day that has a post, and at
    most `catch_up` days before the last past one: a new blog begins with that one, and a setting changed
    today asks nothing of last week. Where every post is of a day to come, the clock jumped back, and
    nothing is due.

    Args:
        now: aware.
        existing: how many posts there are for each day, as `existing_days` counts them.
    """
    schedule = schedule_of(settings)
    last = schedule.last_past(now)
    if ahead_of(last, existing):
        return []
    newest = max((day for day, posts in existing.items() if posts and day <= last), default=last)
    due: list[date] = []
    for back in range(min(schedule.catch_up, (last - newest).days), -1, -1):
        day = last - timedelta(days=back)
        if day.weekday() in schedule.weekdays:
            due += [day] * (schedule.posts_per_day - existing[day])
    return due


def ahead_of(day: date, existing: Counter[date]) -> date | None:
    """The oldest day with a post, if that is later than `day`: what is there is all yet to come."""
    oldest = min((each for each, posts in existing.items() if posts), default=None)
    return oldest if oldest is not None and oldest > day else None


def clock_note(now: datetime, settings: Settings, existing: Counter[date]) -> Note | None:
    """What to tell a person when the posts that are there are all of later days than `now`."""
    later = ahead_of(schedule_of(settings).today(now), existing)
    if later is None:
        return None
    return Note(
        settings.output_folder,
        f"a post is never for a day to come, and the oldest here is for {later}",
        "nothing is due until then; set the clock right, or rename or remove that post",
    )


def existing_days(settings: Settings, look: StatCache | None = None) -> Counter[date]:
    """How many posts of ours there are for each day, wherever review has moved them, rejected ones too.

    Only the head of each file is read, where any changed since the last time, and no YAML is parsed.

    Args:
        look: None for a new one.
    """

    def find() -> dict[str, int]:
        return {day.isoformat(): posts for day, posts in Counter(_our_files(settings).values()).items()}

    look = look or look_at(settings)
    days: dict[str, int] = look.kept("days", draft_folders(settings), None, find)
    return Counter({date.fromisoformat(day): posts for day, posts in days.items()})


def our_files(settings: Settings) -> list[Path]:
    """The posts of ours, wherever review has moved them, rejected ones too."""
    return list(_our_files(settings))


def _our_files(settings: Settings) -> dict[Path, date]:
    paths = sorted({path for folder in draft_folders(settings) for path in _markdown_in(folder)})
    return {path: day for path in paths if (day := _day_of(path)) is not None}


def draft_folders(settings: Settings) -> Iterator[Path]:
    """Where drafts are written, and where a review moves them; each may have folders in it."""
    yield settings.output_folder
    yield settings.articles_folder
    yield settings.collections_folder / "_posts"
    yield settings.collections_folder / "_drafts"
    if settings.publish == "_posts":
        yield from posts_folders(settings)
    yield settings.state_folder / REJECTED_FOLDER


def _markdown_in(folder: Path) -> Iterator[Path]:
    for parent, _, names in os.walk(folder):
        for name in names:
            if name.lower().endswith(MARKDOWN):
                yield Path(os.path.abspath(os.path.join(parent, name)))


def _day_of(path: Path) -> date | None:
    """The day for which `path` was written, or None if it is not ours.

    That is `day` in the provenance, which survives a change of date on publishing; else the file name's;
    else, for `_drafts` and undated names, the front matter's `date`.
    """
    try:
        with path.open("rb") as file:
            head = front_matter_in(file.read(_HEAD_BYTES))
    except OSError:
        return None
    provenance = provenance_in(head) if head is not None else None
    if head is None or provenance is None:
        return None
    found = (
        _PROVENANCE_DAY.search(provenance)
        or _NAME_DATE.match(os.fsencode(path.name))
        or _FRONT_MATTER_DATE.search(head)
    )
    try:
        return date(*(int(number) for number in found.groups())) if found else None
    except ValueError:
        return None


def moment_now(settings: Settings) -> datetime:
    """The time, in the site's zone; the environment may set it.

    Raises:
        ConfigError: the environment gives no moment.
    """
    given = os.environ.get(NOW_VARIABLE)
    try:
        moment = datetime.fromisoformat(given) if given else datetime.now().astimezone()
    except ValueError:
        raise ConfigError(f"{NOW_VARIABLE} must be an ISO 8601 moment", got=repr(given)) from None
    return moment.astimezone(schedule_of(settings).zone)


def moment_on(settings: Settings, day: date, now: datetime) -> datetime:
    """The date of a post of `day`: when it was due on that day, and never later than now."""
    return min(schedule_of(settings).moment(day), now)


def check_day(settings: Settings, day: date, now: datetime) -> None:
    """Refuse a day that has not come.

    Raises:
        ConfigError: it is after today.
    """
    if day > schedule_of(settings).today(now):
        raise ConfigError("a post is never dated later than now", got=day, fix="Give today or an earlier day")


def next_due(settings: Settings, now: datetime) -> date | None:
    """The first day from now on that will want a post, within a fortnight."""
    existing = existing_days(settings)
    for ahead in range(15):
        due = due_days(now + timedelta(days=ahead), settings, existing)
        if due:
            return due[0]
    return None
