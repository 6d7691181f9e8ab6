"""`blog-gen schedule`: the schedulers that can run the daily job, by name, all of one form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from blog_gen.site.scheduling import cron, github, systemd
from blog_gen.site.scheduling.daily import Job


class Scheduler(Protocol):
    """A module that knows one scheduler."""

    def text(self, job: Job) -> str:
        """Exactly what `install` would write."""
        ...

    def install(self, job: Job) -> str:
        """Hand the job to the scheduler, in place of an older one; where it is now."""
        ...

    def explained(self, job: Job) -> str:
        """When it runs, and where what it says can be read."""
        ...

    def installed(self, job: Job) -> str | None:
        """What the scheduler holds for this site, or None."""
        ...

    def remove(self, job: Job) -> bool:
        """Take the job from the scheduler; whether there was one."""
        ...


SCHEDULERS: Mapping[str, Scheduler] = {"cron": cron, "systemd": systemd, "github": github}
