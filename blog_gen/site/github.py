"""The daily job as a GitHub Actions workflow in the repository that holds the site.

Knows where workflows are kept and what the template asks for. Names and titles reach the workflow's shell
only through its environment, never as part of a script.
"""

from __future__ import annotations

import contextlib
import json
import os
from datetime import UTC
from pathlib import Path, PurePosixPath

from blog_gen.errors import BlogGenError
from blog_gen.files import unwritable, write_text
from blog_gen.site.changes import text_of
from blog_gen.site.daily import Job, start_time
from blog_gen.site.templates import render

WORKFLOW = PurePosixPath(".github/workflows/blog-gen.yml")
_HEADER = "# Written by `blog-gen schedule github`"


def workflow_file(site: Path) -> Path:
    """Where the workflow belongs, relative to the site, which may be a folder of its repository."""
    return Path(os.path.relpath(_repository(site), site.resolve())) / WORKFLOW


def text(job: Job) -> str:
    """The workflow."""
    settings = job.settings
    start = start_time(settings, UTC)
    asks = job.pull_request or settings.review == "pull-request"
    folder = PurePosixPath(os.path.relpath(settings.site.resolve(), _repository(settings.site)))
    for name in (job.package, str(folder), job.config):
        if "${{" in name or "\n" in name:
            raise BlogGenError("a workflow cannot hold this name safely", got=repr(name))
    kept = [folder / ".blog_gen" / name for name in ("runs", "tries.json")]
    learned = _hash_of(kept[0] / "*/meta.json", kept[0] / "*/training/*", kept[1])
    return render(
        "workflow.yml.j2",
        settings.site,
        minute=start.minute,
        hour=start.hour,
        folder=json.dumps(str(folder)),
        kept=json.dumps("\n".join(["~/.cache/blog_gen", *map(str, kept)])),
        something_learned=json.dumps(_expression(f"always() && {learned} != ''")),
        cache_key=json.dumps(f"blog-gen-{_expression(learned)}"),
        package=json.dumps(job.package),
        config=json.dumps(job.config) if job.config else "",
        options='--config "$CONFIG" ' if job.config else "",
        expression=_expression,
        pull_request=asks,
        hidden=settings.review != "auto",
        deploy=job.deploy and not asks,
    )


def install(job: Job) -> str:
    """Write the workflow; its path.

    Raises:
        BlogGenError: another file is there; it is never overwritten.
    """
    path = _path(job)
    before = text_of(path)
    if before is None:
        write_text(path, text(job))
    elif before != text(job):
        fix = "Keep it, or run `blog-gen schedule github --remove` first"
        raise BlogGenError("a workflow that differs is never overwritten", fix=fix, path=path)
    return str(path)


def explained(job: Job) -> str:
    """When it runs, and where what it says can be read."""
    start = start_time(job.settings, UTC)
    return f"once pushed, every day at {start:%H:%M} UTC; what it says: under Actions on GitHub"


def installed(job: Job) -> str | None:
    """The workflow that is there, or None."""
    return text_of(_path(job))


def remove(job: Job) -> bool:
    """Remove the workflow, if `blog-gen` wrote it, and folders left empty; whether there was one."""
    path = _path(job)
    before = text_of(path)
    if before is None:
        return False
    if not before.startswith(_HEADER):
        raise BlogGenError("only a workflow written by blog-gen is removed", got="another", path=path)
    try:
        path.unlink()
    except OSError as error:
        raise unwritable(path, error) from error
    with contextlib.suppress(OSError):  # folders that hold something else stay
        path.parent.rmdir()
        path.parent.parent.rmdir()
    return True


def _expression(source: str) -> str:
    """A GitHub expression. Only our own words go in: what it yields must not be part of a script."""
    return f"${{{{ {source} }}}}"


def _hash_of(*globs: PurePosixPath) -> str:
    """A GitHub expression that is another text whenever the files are others, and empty without any."""
    quoted = ", ".join("'" + str(glob).replace("'", "''") + "'" for glob in globs)
    return f"hashFiles({quoted})"


def _path(job: Job) -> Path:
    return _repository(job.settings.site) / WORKFLOW


def _repository(site: Path) -> Path:
    """The folder with `.git` at or above the site; the site itself where there is none."""
    folders = [site.resolve(), *site.resolve().parents]
    return next((folder for folder in folders if (folder / ".git").exists()), folders[0])
