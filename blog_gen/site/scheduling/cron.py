"""The daily job as lines of a user's crontab, between markers that name the site.

Knows crontab's syntax and command; other lines in the crontab are left as they are.
"""

from __future__ import annotations

import re
import shlex
import subprocess

from blog_gen.errors import BlogGenError
from blog_gen.files import make_folder
from blog_gen.site.scheduling.daily import DailyJob, start_time
from blog_gen.site.templates import render


def text(job: DailyJob) -> str:
    """The lines for the crontab: the markers, and the job at a time of this machine's clock.

    Raises:
        BlogGenError: the site's path has a line break, which a crontab cannot hold.
    """
    site = str(job.settings.site.resolve())
    if {"\n", "\r"} & set(f"{site}{job.config}"):
        raise BlogGenError(
            "a crontab cannot name a folder with a line break", got=repr(f"{site}{job.config}")
        )
    start = start_time(job.settings, None)
    begin, end = _markers(job)
    return render(
        "crontab.j2",
        job.settings.site,
        begin=begin,
        end=end,
        hour=start.hour,
        minute=start.minute,
        site=_quoted(site),
        command=" ".join(map(_quoted, job.words)),
    )


def install(job: DailyJob) -> str:
    """Put the lines into the user's crontab, in place of older ones; where they are now."""
    make_folder(job.settings.state_folder)  # cron opens the log before blog-gen runs
    rest = _without(job, _read())
    gap = "" if not rest or rest.endswith("\n") else "\n"
    _write(rest + gap + text(job))
    return "your crontab"


def explained(job: DailyJob) -> str:
    """When it runs, and where what it says can be read."""
    start = start_time(job.settings, None)
    log = (job.settings.state_folder / "schedule.log").resolve()
    return f"every day at {start:%H:%M} by this machine's clock; its output goes to {log}"


def installed(job: DailyJob) -> str | None:
    """The lines between the markers in the user's crontab, or None."""
    found = _block(job).search(_read())
    return found[0] if found else None


def remove(job: DailyJob) -> bool:
    """Take the lines out of the user's crontab; whether there were any."""
    before = _read()
    after = _without(job, before)
    if after != before:
        _write(after)
    return after != before


def _quoted(words: str) -> str:
    """For the shell, and then for cron, which makes a line break of every bare `%`.

    >>> _quoted("/home/a b/100%")
    "'/home/a b/100\\\\%'"
    """
    return shlex.quote(words).replace("%", "\\%")


def _markers(job: DailyJob) -> tuple[str, str]:
    site = job.settings.site.resolve()
    return f"# >>> blog-gen: {site}", f"# <<< blog-gen: {site}"


def _block(job: DailyJob) -> re.Pattern[str]:
    begin, end = (re.escape(marker) for marker in _markers(job))
    return re.compile(rf"^{begin}\n(?:.*\n)*?{end}(?:\n|\Z)", re.M)


def _without(job: DailyJob, crontab: str) -> str:
    rest = _block(job).sub("", crontab)
    for marker in _markers(job):
        if re.search(rf"^{re.escape(marker)}$", rest, re.M):
            raise BlogGenError(
                "the markers in your crontab come in pairs",
                got=f"only {marker!r}",
                fix="Repair the crontab by hand: crontab -e",
            )
    return rest


def _read() -> str:
    """The user's crontab; to have none is to have an empty one."""
    done = _crontab("-l")
    if done.returncode and "no crontab" not in done.stderr.lower():
        raise BlogGenError("the crontab could not be read", got=done.stderr.strip())
    return "" if done.returncode else done.stdout


def _write(crontab: str) -> None:
    done = _crontab("-", crontab)
    if done.returncode:
        raise BlogGenError("the crontab could not be written", got=done.stderr.strip())


def _crontab(argument: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            ["crontab", argument], input=given, capture_output=True, encoding="utf-8", check=False
        )
    except FileNotFoundError:
        fix = "Install cron, or use: blog-gen schedule systemd"
        raise BlogGenError("cron is not installed", got="no `crontab` command", fix=fix) from None
