"""One post for each due day: laws of the schedule over a simulated year, and what counts as existing."""

from __future__ import annotations

import random
import re
import time as clock
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blog_gen.config.settings import Settings
from blog_gen.errors import ConfigError
from blog_gen.site.days import clock_note, due_days, existing_days, schedule_of

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)


def in_zone(zone: str | None = "Europe/London", **values: Any) -> Settings:
    return Settings(jekyll={"timezone": zone} if zone else {}, **values)


def simulate(site: Settings, calls: list[datetime]) -> tuple[Counter[date], list[datetime]]:
    """Call at each moment and write all that is due; the days that then have posts, and the posts' dates."""
    existing: Counter[date] = Counter()
    dates = []
    for now in calls:
        for day in due_days(now, site, existing):
            existing[day] += 1
            moment = schedule_of(site).moment(day)
            assert moment <= now, "a post is never dated later than now"
            assert moment.date() == day
            dates.append(moment)
    return existing, dates


@pytest.mark.parametrize(
    "zone", ["Europe/London", "America/New_York", "Pacific/Auckland", "Asia/Kolkata", "UTC"]
)
@pytest.mark.parametrize("time", ["00:00", "01:30", "02:30", "23:59"])
def test_an_hourly_job_writes_exactly_one_post_for_each_day_of_a_year(zone: str, time: str) -> None:
    calls = [NEW_YEAR + timedelta(hours=hour) for hour in range(365 * 24)]
    existing, dates = simulate(in_zone(zone, time=time), calls)
    days = {moment.astimezone(ZoneInfo(zone)).date() for moment in calls[48:-48]}
    assert days <= set(existing)
    assert set(existing.values()) == {1}
    assert dates == sorted(dates)


@given(
    st.lists(st.integers(min_value=0, max_value=90 * 24 * 60), max_size=60),
    st.integers(min_value=0, max_value=3),
    st.integers(min_value=0, max_value=9),
)
@settings(max_examples=60, deadline=None)
def test_however_it_is_called_no_day_gets_more_than_its_share(
    minutes: list[int], per_day: int, catch_up: int
) -> None:
    """Any order of calls, so with a clock that jumps back and forth; around the change to summer time."""
    site = in_zone(posts_per_day=per_day, catch_up=catch_up, time="01:30")
    existing, _ = simulate(site, [datetime(2026, 2, 15, tzinfo=UTC) + timedelta(minutes=m) for m in minutes])
    assert all(posts == per_day for posts in existing.values())


def test_a_month_with_gaps_kills_and_parallel_calls_is_made_up_for() -> None:
    """A call is killed after any number of its posts; a later one goes on. Gaps are within the limit."""
    chance = random.Random(8)
    site = in_zone(posts_per_day=2, catch_up=4)
    existing: Counter[date] = Counter()
    now = datetime(2026, 3, 10, 9, tzinfo=UTC)
    while now < datetime(2026, 4, 10, tzinfo=UTC):
        due = due_days(now, site, existing)
        existing.update(due[: chance.randint(0, len(due))])
        existing.update(due_days(now, site, existing))
        now += timedelta(hours=chance.choice([1, 5, 24, 70]))
    assert len(existing) >= 29
    assert set(existing.values()) == {2}
    assert max(existing) - min(existing) == timedelta(days=len(existing) - 1)


def test_missed_days_are_made_up_for_oldest_first_and_to_the_limit() -> None:
    site = in_zone(catch_up=3)
    existing = Counter({date(2026, 5, 1): 1})
    assert due_days(datetime(2026, 5, 3, 9, tzinfo=UTC), site, existing) == [
        date(2026, 5, 2),
        date(2026, 5, 3),
    ]
    late = due_days(datetime(2026, 5, 20, 9, tzinfo=UTC), site, existing)
    assert late == [date(2026, 5, day) for day in (17, 18, 19, 20)]
    assert due_days(datetime(2026, 5, 20, 9, tzinfo=UTC), in_zone(catch_up=0), existing) == [
        date(2026, 5, 20)
    ]


def test_a_new_blog_begins_today() -> None:
    assert due_days(datetime(2026, 5, 3, 9, tzinfo=UTC), in_zone(), Counter()) == [date(2026, 5, 3)]


def test_only_the_weekdays_asked_for() -> None:
    site = in_zone(weekdays="Mon, thursday", catch_up=9)
    existing = Counter({date(2026, 5, 4): 1})
    assert due_days(datetime(2026, 5, 13, 9, tzinfo=UTC), site, existing) == [
        date(2026, 5, 7),
        date(2026, 5, 11),
    ]


def test_nothing_is_due_before_the_time_of_day() -> None:
    site = in_zone(time="18:00")
    existing = Counter({date(2026, 6, 30): 1})
    assert due_days(datetime(2026, 7, 1, 16, 59, tzinfo=UTC), site, existing) == []
    assert due_days(datetime(2026, 7, 1, 17, 0, tzinfo=UTC), site, existing) == [date(2026, 7, 1)]


def test_a_job_that_runs_before_the_time_of_day_writes_yesterdays() -> None:
    site = in_zone(time="18:00", catch_up=0)
    assert due_days(datetime(2026, 7, 1, 9, tzinfo=UTC), site, Counter()) == [date(2026, 6, 30)]


def test_a_post_made_by_hand_before_its_time_asks_for_none_of_yesterday() -> None:
    existing = Counter({date(2026, 7, 1): 1})
    assert due_days(datetime(2026, 7, 1, 9, tzinfo=UTC), in_zone(time="18:00"), existing) == []


def test_the_day_is_the_day_in_the_sites_zone() -> None:
    now = datetime(2026, 7, 1, 23, 30, tzinfo=UTC)
    assert due_days(now, in_zone("Europe/London"), Counter()) == [date(2026, 7, 2)]
    assert due_days(now, in_zone("America/New_York"), Counter()) == [date(2026, 7, 1)]


@pytest.fixture
def machine_zone() -> Iterator[Callable[[str], None]]:
    with pytest.MonkeyPatch.context() as patch:

        def become(zone: str) -> None:
            patch.setenv("TZ", zone)
            clock.tzset()

        yield become
    clock.tzset()


def test_without_a_zone_the_machines_is_taken_summer_and_winter(machine_zone: Callable[[str], None]) -> None:
    machine_zone("Europe/Berlin")
    schedule = schedule_of(in_zone(None, time="08:00"))
    offsets = [schedule.moment(date(2026, month, 1)).utcoffset() for month in (1, 7)]
    assert offsets == [timedelta(hours=1), timedelta(hours=2)]
    assert schedule.today(datetime(2026, 7, 1, 22, 30, tzinfo=UTC)) == date(2026, 7, 2)


def test_a_time_that_the_clocks_leap_over_is_one_that_exists() -> None:
    moment = schedule_of(in_zone(time="01:30")).moment(date(2026, 3, 29))
    assert moment.isoformat() == "2026-03-29T02:30:00+01:00"
    assert (
        schedule_of(in_zone(time="01:30")).moment(date(2026, 10, 25)).isoformat()
        == "2026-10-25T01:30:00+01:00"
    )


def test_a_clock_that_jumped_back_writes_nothing_and_says_so() -> None:
    existing = Counter({date(2026, 5, 3): 1})
    now = datetime(2016, 1, 1, 9, tzinfo=UTC)
    assert due_days(now, in_zone(), existing) == []
    assert "2026-05-03" in str(clock_note(now, in_zone(), existing))
    assert clock_note(datetime(2026, 5, 3, 9, tzinfo=UTC), in_zone(), existing) is None


def test_one_post_from_the_future_does_not_stop_the_rest() -> None:
    existing = Counter({date(2026, 5, 2): 1, date(2031, 1, 1): 1})
    assert due_days(datetime(2026, 5, 3, 9, tzinfo=UTC), in_zone(), existing) == [date(2026, 5, 3)]


@pytest.mark.parametrize(
    ("text", "hour", "minute"), [("09:30", 9, 30), ("570", 9, 30), ("7:05", 7, 5), ("0", 0, 0)]
)
def test_a_time_is_understood_as_yaml_hands_it_over(text: str, hour: int, minute: int) -> None:
    moment = schedule_of(in_zone(time=text)).moment(date(2026, 1, 1))
    assert (moment.hour, moment.minute) == (hour, minute)


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({"time": "25:00"}, "time"),
        ({"time": "noon"}, "time"),
        ({"time": "37800"}, "time"),
        ({"weekdays": "mon blursday"}, "blursday"),
        ({"weekdays": "t"}, "'t'"),
        ({"zone": "Mars/Olympus"}, "Mars/Olympus"),
        ({"zone": "../../etc/passwd"}, "timezone"),
    ],
)
def test_a_schedule_that_makes_no_sense_is_explained(values: dict[str, Any], word: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(word)):
        schedule_of(in_zone(**values))


OURS = "---\ntitle: A\ndate: 2026-02-03 00:00:00 +0000\nblog_gen:\n  seed: 1\n---\nText.\n"


def put(site: Path, name: str, text: str) -> None:
    path = site / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())


def test_posts_of_ours_count_wherever_they_were_moved(tmp_path: Path) -> None:
    put(tmp_path, "_generated/2026-02-01-a.md", OURS)
    put(tmp_path, "_articles/deep/2026-02-02-b.markdown", OURS)
    put(tmp_path, "_drafts/c.md", OURS)
    put(tmp_path, "_posts/2026-02-04-d.md", OURS.replace("\n", "\r\n"))
    put(tmp_path, ".blog_gen/rejected/2026-02-05-e.md", "\ufeff" + OURS)
    put(tmp_path, "_posts/2026-02-28-f.md", OURS.replace("seed: 1", "day: 2026-02-06"))
    put(tmp_path, "_posts/2026-02-27-g.md", "---\n'blog_gen': {seed: 1, day: '2026-02-07'}\ntitle: G\n---\n")
    assert existing_days(Settings(site=tmp_path)) == Counter(date(2026, 2, day) for day in range(1, 8))


def test_what_is_not_ours_does_not_count(tmp_path: Path) -> None:
    put(tmp_path, "_articles/2026-02-01-a.md", "---\ntitle: A\n---\nblog_gen: in the text\n")
    put(tmp_path, "_articles/2026-02-02-b.md", "no front matter\n---\nblog_gen: {}\n---\n")
    put(tmp_path, "_articles/2026-02-03-c.md", "---\nabout:\n  blog_gen: nested\n---\n")
    put(tmp_path, "_generated/2026-02-31-d.md", OURS)
    put(tmp_path, "_generated/2026-02-04-e.txt", OURS)
    put(tmp_path, "_generated/2026-02-05-f.md", "")
    assert existing_days(Settings(site=tmp_path)) == Counter()


def test_a_folder_that_is_two_things_is_counted_once(tmp_path: Path) -> None:
    put(tmp_path, "blog/_posts/2026-02-01-a.md", OURS)
    site = Settings(
        site=tmp_path, jekyll={"collections_dir": "blog"}, articles="blog/_posts", output="blog/_posts"
    )
    assert existing_days(site) == Counter([date(2026, 2, 1)])
