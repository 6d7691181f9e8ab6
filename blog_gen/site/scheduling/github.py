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
from typing import Any

import yaml

from blog_gen.config.settings import Settings
from blog_gen.errors import BlogGenError
from blog_gen.files import unwritable, write_text
from blog_gen.origin import installed_from
from blog_gen.site.scheduling.daily import DailyJob, start_time
from blog_gen.site.scheduling.deploys import WORKFLOWS, Deploy, existing_deploy
from blog_gen.site.setup.changes import text_of
from blog_gen.site.setup.stamps import digest, stamped, unedited
from blog_gen.site.templates import render

WORKFLOW = WORKFLOWS / "blog-gen.yml"
_REACHABLE = (
    "Make a wheel (in your clone: `pip wheel --no-deps .`), add it to the site's repository, in `.github/`, "
    'and give it: --package "./.github/NAME.whl[train]"; or give an address: '
    '--package "blog_gen[train] @ git+https://HOST/PATH"'
)
_HEADER = "# Written by `blog-gen schedule github`"
# Of version 0.1.0, which wrote no stamp: its forms, with what depends on the site taken out.
_EARLIER_PACKAGE = "blog_gen[train]"
_EARLIER = frozenset(
    {
        "1be1895715103d840aaf2ba9aaca022b",
        "2b79ca3b062718b18832995ac7469688",
        "3e9633b7849012adcf40e567347e94f0",
        "4a3e48499104822c22b1686bb546e3f3",
        "5073a3e7eb4bdc6b51b8bfe7254ef669",
        "55067f1e2725bd1ed03bf7862d03d438",
        "5a0150d58100329acbebad307c5562c2",
        "816c12f97c84499e08e7e2be4b285ca9",
        "a42b441a68483a66751c7e182b0aaa2a",
        "c0e1e0df8e37581cebdbc11aace3b427",
        "d7da7bab66bd4e6161f68a7d7e7af0bb",
        "e43bb362ab0735e5a5f58ce23d6627da",
    }
)


def workflow_file(site: Path) -> Path:
    """Where the workflow belongs, relative to the site, which may be a folder of its repository."""
    return Path(os.path.relpath(_repository(site), site.resolve())) / WORKFLOW


def text(job: DailyJob) -> str:
    """The workflow, with its stamp.

    Raises:
        BlogGenError: no runner can install what runs here, or a name cannot stand in a workflow.
    """
    settings, found = job.settings, deployed_by(job)
    asks = job.pull_request or settings.review == "pull-request"
    values = _values(job)
    package, base = _package(job), _pulled(settings)
    stays = None if asks or job.deploy else found
    for name in (package, base, values["folder"], job.config, str(found and found.path)):
        if "${{" in name or "\n" in name:
            raise BlogGenError("a workflow cannot hold this name safely", got=repr(name))
    return stamped(
        render(
            "workflow.yml.j2",
            settings.site,
            **values,
            package=json.dumps(package),
            base=json.dumps(base) if base else "",
            options='--config "$CONFIG" ' if job.config else "",
            expression=_expression,
            pull_request=asks,
            hidden=settings.review != "auto",
            deploy=_deploys(job, found) and not asks,
            found=stays,
            starts=json.dumps(stays.path.name) if stays and stays.is_workflow else "",
        )
    )


def _values(job: DailyJob) -> dict[str, Any]:
    """What the template holds of this site alone."""
    start = start_time(job.settings, UTC)
    folder = PurePosixPath(os.path.relpath(job.settings.site.resolve(), _repository(job.settings.site)))
    kept = [folder / ".blog_gen" / name for name in ("runs", "tries.json")]
    learned = _hash_of(kept[0] / "*/meta.json", kept[0] / "*/training/*", kept[1])
    return {
        "cron": f"{start.minute} {start.hour} * * *",
        "folder": json.dumps(str(folder)),
        "kept": json.dumps("\n".join(["~/.cache/blog_gen", *map(str, kept)])),
        "something_learned": json.dumps(_expression(f"always() && {learned} != ''")),
        "cache_key": json.dumps(f"blog-gen-{_expression(learned)}"),
        "config": json.dumps(job.config) if job.config else "",
    }


def _pulled(settings: Settings) -> str:
    """The name of the base that a runner must get first; empty for the embedded one and for a folder."""
    name = settings.model
    is_folder = name.startswith((".", "/", "~")) or (settings.site / name).is_dir()
    return "" if name == Settings.model or is_folder else name


def deployed_by(job: DailyJob) -> Deploy | None:
    """What deploys the site already, if anything does."""
    return existing_deploy(_repository(job.settings.site), WORKFLOW)


def _deploys(job: DailyJob, found: Deploy | None) -> bool:
    return found is None if job.deploy is None else job.deploy


def _package(job: DailyJob) -> str:
    """What the runner installs: what was asked for, what the workflow has, or what runs here.

    Raises:
        BlogGenError: what runs here came from a folder of this machine, or nobody knows from where.
    """
    package = job.package or _package_in(installed(job) or "")
    if package:
        return package
    origin, repository = installed_from(), _repository(job.settings.site)
    if origin is not None and not origin.is_local:
        return origin.requirement("train")
    path = origin.path.resolve() if origin is not None and origin.path else None
    if path and path.is_relative_to(repository):
        seen = PurePosixPath(os.path.relpath(path, job.settings.site.resolve())).as_posix()
        return f"{seen if seen.startswith('.') else f'./{seen}'}[train]"
    raise BlogGenError(
        "a runner of GitHub cannot reach what blog_gen was installed from here",
        got=(path or origin.url) if origin else "an unknown origin",
        fix=_REACHABLE,
    )


def _package_in(workflow: str) -> str | None:
    """What a workflow of ours installs; not the bare name that version 0.1.0 wrote, which no index has."""
    try:
        steps = yaml.safe_load(workflow)["jobs"]["write"]["steps"]
        package = next(step["env"]["PACKAGE"] for step in steps if "PACKAGE" in step.get("env", {}))
    except (yaml.YAMLError, LookupError, TypeError, AttributeError, StopIteration):
        return None
    return None if package == _EARLIER_PACKAGE else str(package)


def is_unedited(job: DailyJob, workflow: str) -> bool:
    """Whether a workflow is as a version of blog-gen wrote it for this site."""
    return unedited(workflow) or digest(_skeleton(job, workflow)) in _EARLIER


def _skeleton(job: DailyJob, workflow: str) -> str:
    """A workflow without what version 0.1.0 took from the site; where that was edited, it stays."""
    values = _values(job)
    keys = {"folder": "working-directory", "kept": "path", "cache_key": "key", "config": "CONFIG"}
    lines = [f'- cron: "{values["cron"]}"', f"if: {values['something_learned']}"]
    lines += [f"{key}: {values[name]}" for name, key in keys.items() if values[name]]
    for line in lines:
        workflow = workflow.replace(f" {line}", "")
    return workflow


def install(job: DailyJob) -> str:
    """Write the workflow; its path.

    Raises:
        BlogGenError: another file is there; it is never overwritten.
    """
    path, new = _path(job), text(job)
    before = text_of(path)
    if before is None or (before != new and is_unedited(job, before)):
        write_text(path, new)
    elif before != new:
        fix = "Keep it, or run `blog-gen schedule github --remove` first"
        raise BlogGenError("a workflow that was edited is never overwritten", fix=fix, path=path)
    return str(path)


def explained(job: DailyJob) -> str:
    """When it runs, where what it says can be read, and what deploys the site."""
    start, found = start_time(job.settings, UTC), deployed_by(job)
    when = f"once pushed, every day at {start:%H:%M} UTC; its output: under Actions on GitHub"
    if found is None or job.deploy:
        return when
    return f"{when}; the site is deployed by {found.path}, as before: {found.started_by}"


def installed(job: DailyJob) -> str | None:
    """The workflow that is there, or None."""
    return text_of(_path(job))


def remove(job: DailyJob) -> bool:
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


def _path(job: DailyJob) -> Path:
    return _repository(job.settings.site) / WORKFLOW


def repository_of(site: Path) -> Path | None:
    """The folder with `.git` at or above the site."""
    folders = (site.resolve(), *site.resolve().parents)
    return next((folder for folder in folders if (folder / ".git").exists()), None)


def _repository(site: Path) -> Path:
    return repository_of(site) or site.resolve()
