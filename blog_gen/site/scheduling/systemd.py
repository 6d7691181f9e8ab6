"""The daily job as a user's systemd timer, which catches up after the computer was off.

Knows unit files and `systemctl --user`, nothing of blogs.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
from pathlib import Path

from blog_gen.errors import BlogGenError
from blog_gen.files import unwritable, write_text
from blog_gen.site.dates import zone_of
from blog_gen.site.scheduling.daily import DailyJob, start_time
from blog_gen.site.setup.changes import text_of
from blog_gen.site.templates import render


def units(job: DailyJob) -> dict[str, str]:
    """The service and the timer: their texts by file name."""
    site = str(job.settings.site.resolve())
    if re.search(r"[\x00-\x1f]", "".join([site, *job.words])):
        raise BlogGenError("a unit file cannot name a path with control characters", got=repr(site))
    site = site.replace("%", "%%")
    zone = zone_of(job.settings)
    values = {
        "site": site,
        "site_text": site,  # the same, for a site's own template of an earlier version
        "command": " ".join(map(_quoted, job.words)),
        "time": start_time(job.settings, zone).strftime("%H:%M"),
        "zone": job.settings.timezone,
    }
    return {
        f"{_name(job)}.{kind}": render(f"blog-gen.{kind}.j2", job.settings.site, **values)
        for kind in ("service", "timer")
    }


def text(job: DailyJob) -> str:
    """Both units, each under a comment with the path at which `install` puts it."""
    return "\n".join(f"# {_folder() / name}\n{unit}" for name, unit in units(job).items())


def install(job: DailyJob) -> str:
    """Write the units and start the timer; the timer's path.

    Raises:
        BlogGenError: systemd does not answer; the units are written, and the sentence says what to do.
    """
    for name, unit in units(job).items():
        write_text(_folder() / name, unit)
    timer = f"{_name(job)}.timer"
    _systemctl("daemon-reload")
    _systemctl("enable", "--now", timer)
    return str(_folder() / timer)


def explained(job: DailyJob) -> str:
    """When it runs, and where what it says can be read."""
    start = start_time(job.settings, zone_of(job.settings))
    clock = f"in {job.settings.timezone}" if job.settings.timezone else "by this machine's clock"
    return f"every day at {start:%H:%M} {clock}; its output: journalctl --user -u {_name(job)}.service"


def installed(job: DailyJob) -> str | None:
    """The units that are there, or None."""
    texts = [(path, text_of(path)) for path in (_folder() / name for name in units(job))]
    return "\n".join(f"# {path}\n{unit}" for path, unit in texts if unit is not None) or None


def remove(job: DailyJob) -> bool:
    """Stop the timer and remove both units; whether there were any."""
    paths = [path for path in (_folder() / name for name in units(job)) if path.exists()]
    if not paths:
        return False
    _systemctl("disable", "--now", f"{_name(job)}.timer")
    for path in paths:
        try:
            path.unlink()
        except OSError as error:
            raise unwritable(path, error) from error
    _systemctl("daemon-reload")
    return True


def _name(job: DailyJob) -> str:
    """A unit name of the site's own: `blog-gen-notes-1f2e3d4c` for a folder `notes`."""
    site = job.settings.site.resolve()
    readable = re.sub(r"[^A-Za-z0-9]+", "-", site.name).strip("-").lower()
    return f"blog-gen-{readable}-{hashlib.sha256(str(site).encode()).hexdigest()[:8]}".replace("--", "-")


def _folder() -> Path:
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "systemd" / "user"


def _quoted(word: str) -> str:
    r"""One word of an `ExecStart`: quoted, with systemd's specifiers (%) and variables ($) taken literally.

    >>> _quoted('/opt/my "tools"/100%/$x')
    '"/opt/my \\"tools\\"/100%%/$$x"'
    """
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"'


def _systemctl(*words: str) -> None:
    command = ["systemctl", "--user", *words]
    try:
        done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    except FileNotFoundError:
        fix = "Use: blog-gen schedule cron"
        raise BlogGenError("systemd is not on this machine", got="no `systemctl` command", fix=fix) from None
    if done.returncode:
        raise BlogGenError(
            "systemctl failed",
            got=done.stderr.strip() or f"exit code {done.returncode}",
            fix=f"The units are in {_folder()}; in your own session run: {' '.join(command)}",
        )
