"""A month of the real `blog-gen run`, day for day: one post for each due day, whatever happens to the calls.

Each call is a process of its own whose clock libfaketime sets; without it, BLOG_GEN_NOW. The month has days
without a call, two in a row at most and once six, a change to summer time, calls killed by SIGKILL after any
while, several at once, and a clock that jumps back. `pytest -s tests/site/test_month.py` prints its table.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from calling import call
from tiny_site import write_base, write_site

from blog_gen.site.drafts import drafts_in

LONDON = ZoneInfo("Europe/London")
FIRST, LAST = date(2026, 3, 10), date(2026, 4, 9)
LEAP = date(2026, 3, 29)  # 01:00 becomes 02:00
CATCH_UP = 3
NO_CALL = {date(2026, 3, day) for day in (14, 17, 18, 25)} | {
    date(2026, 4, 1) + timedelta(n) for n in range(6)
}
WRITING = 0.6  # seconds that a call takes which writes a post


@dataclass
class Month:
    """The calls that were made, and what became of them."""

    site: Path
    preload: str | None  # libfaketime
    chance: random.Random = field(default_factory=lambda: random.Random(8))
    told: dict[date, list[str]] = field(default_factory=dict)
    days_called: set[date] = field(default_factory=set)  # in London, by calls that came to their end
    killed: int = 0

    def start(self, now: datetime) -> subprocess.Popen[str]:
        """`blog-gen run` with the clock at `now`, an instant."""
        moment = now.astimezone(UTC)
        if self.preload:
            clock = {"LD_PRELOAD": self.preload, "FAKETIME": f"@{moment:%Y-%m-%d %H:%M:%S}", "TZ": "UTC"}
        else:
            clock = {"BLOG_GEN_NOW": moment.isoformat()}
        return subprocess.Popen(
            [sys.executable, "-m", "blog_gen.cli", "run"],
            cwd=self.site,
            env={**os.environ, **clock},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def call(self, now: datetime, processes: int = 1, kill: bool = False, right: bool = True) -> str:
        """Several calls at the same moment; `kill` ends the first of them after any while.

        Calls by a clock that is not `right` make no day due.
        """
        started = [self.start(now) for _ in range(processes)]
        said = []
        if kill:
            time.sleep(self.chance.uniform(0, WRITING * processes))
            started[0].kill()
        for process in started:
            out, err = process.communicate(timeout=60)
            said.append(out + err)
            if process.returncode == -signal.SIGKILL:
                self.killed += 1
                for left in Path("/dev/shm").glob(f"*faketime_*_{process.pid}"):
                    left.unlink()
                continue
            assert process.returncode == 0, out + err
            if right:
                self.days_called.add(now.astimezone(LONDON).date())
        return "".join(said)

    def day(self, day: date) -> None:
        """What happens on one day of the month."""
        noon = datetime(day.year, day.month, day.day, 12, tzinfo=LONDON)
        any_time = noon + timedelta(minutes=self.chance.randint(-700, 700))
        told = self.told[day] = []
        if day in NO_CALL:
            told.append("no call")
        elif day == LEAP:
            told.append("clocks change: 12 calls around it")
            for minutes in range(-60, 180, 20):  # from 23:00 UTC of the day before
                self.call(datetime(2026, 3, 29, tzinfo=UTC) + timedelta(minutes=minutes))
        elif day.day % 5 == 1:
            told.append("4 calls at once, twice")
            self.call(any_time, processes=4)
            self.call(any_time, processes=4)
        elif day.day % 5 == 2:
            told.append("3 calls killed, then one")
            for _ in range(3):
                self.call(any_time, kill=True)
            self.call(any_time)
        elif day.day % 5 == 3:
            told.append("3 at once, one killed, then one")
            self.call(any_time, processes=3, kill=True)
            self.call(any_time)
        elif day.day % 5 == 4:
            told.append("one call, then the clock 3 days and 10 years back")
            self.call(any_time)
            self.call(any_time - timedelta(days=3), right=False)
            said = self.call(any_time.replace(year=2016), right=False)
            assert "a post is never for a day to come" in said
        else:
            told.append("one call")
            self.call(any_time)

    def due(self) -> set[date]:
        """The days for which a call came in time: on the day itself or at most `CATCH_UP` days later."""
        reach = [timedelta(days=back) for back in range(CATCH_UP + 1)]
        return {called - back for called in self.days_called for back in reach if called - back >= FIRST}

    def posts(self) -> Counter[date]:
        """Posts by the day of their date in London; each must be complete, and named by that day."""
        drafts, broken = drafts_in(self.site / "_generated")
        assert not broken
        days: Counter[date] = Counter()
        for draft in drafts:
            day = draft.date.astimezone(LONDON).date()
            assert draft.path is not None and draft.path.name.startswith(f"{day}-")
            assert draft.provenance["day"] == day
            days[day] += 1
        return days

    def table(self) -> str:
        """The month for a person to read."""
        due, posts = self.due(), self.posts()
        rows = [
            f"{day:%a %d %b}  {'due' if day in due else 'not due':7}  {posts[day]}  {'; '.join(told)}"
            for day, told in self.told.items()
        ]
        clock = "libfaketime" if self.preload else "BLOG_GEN_NOW"
        return "\n".join([f"clock: {clock}; processes killed: {self.killed}", *rows])


def libfaketime() -> str | None:
    """What its wrapper preloads: the wrapper itself would outlive a SIGKILL of its own."""
    if shutil.which("faketime") is None:
        return None
    found = subprocess.run(
        ["faketime", "-f", "+0", "printenv", "LD_PRELOAD"], capture_output=True, text=True, check=True
    )
    return found.stdout.strip()


@pytest.fixture
def month(tmp_path: Path) -> Month:
    base = write_base(tmp_path / "base")
    site = write_site(tmp_path / "site", base, candidates=1, catch_up=CATCH_UP, retrain="never")
    call(site, "train", now=None)
    return Month(site, libfaketime())


def test_each_due_day_of_a_month_gets_exactly_one_post(month: Month) -> None:
    for number in range((LAST - FIRST).days + 1):
        month.day(FIRST + timedelta(days=number))
    print(f"\n{month.table()}")
    lost = {date(2026, 4, day) for day in (1, 2, 3)}  # further back than `catch_up` reaches
    assert month.due() == set(month.told) - lost
    assert month.posts() == Counter(month.due())
    assert month.killed > 3, "the calls were killed too late to prove anything"
