"""`blog-gen schedule`: the schedulers that can run the daily job, by name, all of one form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from blog_gen.site.scheduling import cron, github, systemd
from blog_gen.site.scheduling.daily import DailyJob


class Scheduler(Protocol):
    """A module that knows one scheduler."""

    def text(self, job: DailyJob) -> str:
        """Exactly what `install` would write."""
        ...

    def install(self, job: DailyJob) -> str:
        """Hand the job to the scheduler, in place of an older one; where it is now."""
        ...

    def explained(self, job: DailyJob) -> str:
        """When it runs, and where what it says can be read."""
        ...

    def installed(self, job: DailyJob) -> str | None:
        """What the scheduler holds for this site, or None."""
        ...

    def remove(self, job: DailyJob) -> bool:
        """Take the job from the scheduler; whether there was one."""
        ...


SCHEDULERS: Mapping[str, Scheduler] = {"cron": cron, "systemd": systemd, "github": github}
