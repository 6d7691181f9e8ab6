"""The daily job that every scheduler runs, and the time of day at which it starts.

Knows clocks; nothing of cron, systemd or GitHub. The job may be early, late or twice: `days` decides what
is due, so a start is only the first good moment to ask.
"""

from __future__ import annotations

import hashlib
import shutil
import sys
from dataclasses import dataclass
from datetime import date, datetime, time, tzinfo
from pathlib import Path

from blog_gen.config.settings import CONFIG_FILES, Settings
from blog_gen.site.days import schedule_of

_ANY_YEAR = 2026  # the later of winter and summer time is the same in all
_DAY = 24 * 60  # minutes


@dataclass(frozen=True)
class DailyJob:
    """What is to be run every day, and what only GitHub needs to know about it."""

    settings: Settings
    command: str = "blog-gen"  # the executable; a path for cron and systemd, which know no PATH
    package: str | None = None  # what pip installs on GitHub; None: as before, or from where this one came
    pull_request: bool = False  # drafts wait in a pull request, not hidden on the branch
    deploy: bool | None = None  # build the site and hand it to GitHub Pages; None: unless something does
    config_files: tuple[str, ...] = CONFIG_FILES  # as seen from the site, as for Jekyll's own --config

    @property
    def config(self) -> str:
        """The settings files as `--config` wants them; empty where they are the usual one."""
        return "" if self.config_files == CONFIG_FILES else ",".join(self.config_files)

    @property
    def words(self) -> list[str]:
        """The command and its options, to which the sub-command is to be added."""
        return [self.command, *(["--config", self.config] if self.config else [])]


def own_command() -> str:
    """The path of the `blog-gen` that is running, or of the one on the PATH."""
    beside = Path(sys.executable).with_name("blog-gen")
    return str(beside) if beside.is_file() else shutil.which("blog-gen") or "blog-gen"


def odd_minute(name: str) -> int:
    """A minute of the hour, always the same for `name`: odd, and not near the full hour, when all others run.

    >>> odd_minute("Slow Repairs") in range(7, 54, 2)
    True
    """
    return 7 + 2 * (hashlib.sha256(name.encode()).digest()[0] % 24)


def start_time(settings: Settings, clock: tzinfo | None) -> time:
    """When to start on a scheduler that keeps the time of `clock` (None: the machine's).

    It is after the settings' `time` on the site's own clock in winter and in summer, by less than an hour
    in one of them, at an odd minute.
    """
    schedule = schedule_of(settings)
    starts = []
    for month in range(1, 13):
        day = date(_ANY_YEAR, month, 1)
        there = schedule.moment(day).astimezone(clock).replace(tzinfo=None)
        starts.append(int((there - datetime.combine(day, time())).total_seconds()) // 60)
    hour, minute = divmod(max(starts), 60)
    odd = odd_minute(str(settings.jekyll.get("title") or settings.site.resolve().name))
    start = ((hour + (minute > odd)) * 60 + odd) % _DAY
    return time(start // 60, start % 60)
