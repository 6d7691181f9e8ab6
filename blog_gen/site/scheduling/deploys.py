"""What deploys the site already: a workflow of its own, or a host that builds at each push.

Knows GitHub's workflow files and a few hosts' settings, nothing of blog-gen.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

WORKFLOWS = PurePosixPath(".github/workflows")
# Each of them tells a host to build the site at each push, of which its own app on GitHub hears.
_HOSTS = ("netlify.toml", "vercel.json", "amplify.yml", "render.yaml")
_PAGES = "actions/deploy-pages"
_DEPLOYS = re.compile(r"deploy|publish|gh-pages|rsync|rclone|wrangler|\bs3 sync\b|\bsftp\b|\blftp\b", re.I)
_BUILDS = re.compile(r"jekyll|build-site|make\b|rake\b|npm run|_site\b|\.github/workflows/", re.I)
_STARTS = frozenset({"push", "workflow_dispatch", "schedule", "workflow_run"})


@dataclass(frozen=True)
class Deploy:
    """What deploys the site already."""

    path: PurePosixPath  # as seen from the repository
    is_workflow: bool  # else a host's settings: a host needs no start
    startable: bool  # by name, without values to be given

    @property
    def started_by(self) -> str:
        """How it comes to run after a commit by another workflow, as one clause."""
        if not self.is_workflow:
            return "its host builds the site at each push"
        if self.startable:
            return "ours starts it by name after each commit"
        return "for ours to start it, add the line `workflow_dispatch:` under its `on:`"


def existing_deploy(repository: Path, but: PurePosixPath) -> Deploy | None:
    """What deploys the site of a repository, leaving the workflow `but` out; None where nothing does.

    A workflow does if a step's action, name or script says so and something in it builds. Where there are
    several, the one that deploys to GitHub Pages wins.
    """
    found = [
        (not _deploys_to_pages(workflow), path, _is_startable(workflow))
        for path, workflow in _workflows(repository)
        if path != but and _is_deploy(workflow)
    ]
    if found:
        _, path, startable = min(found)
        return Deploy(path, is_workflow=True, startable=startable)
    hosts = (name for name in _HOSTS if (repository / name).is_file())
    return next((Deploy(PurePosixPath(name), False, False) for name in hosts), None)


def _workflows(repository: Path) -> Iterator[tuple[PurePosixPath, Mapping[Any, Any]]]:
    for file in sorted((repository / WORKFLOWS).glob("*.y*ml")):
        try:
            loaded = yaml.safe_load(file.read_text(encoding="utf-8"))
        except (yaml.YAMLError, UnicodeDecodeError, OSError):
            continue  # GitHub would not run it either
        if isinstance(loaded, Mapping):
            yield WORKFLOWS / file.name, loaded


def _is_deploy(workflow: Mapping[Any, Any]) -> bool:
    if _deploys_to_pages(workflow):
        return True
    steps = list(_steps(workflow))
    words = [" ".join(str(step.get(key, "")) for key in ("name", "uses", "run")) for step in steps]
    return (
        not _STARTS.isdisjoint(_triggers(workflow))
        and not _only_for_tags(workflow)
        and any(map(_DEPLOYS.search, words))
        and any(map(_BUILDS.search, words))
    )


def _deploys_to_pages(workflow: Mapping[Any, Any]) -> bool:
    return any(str(step.get("uses", "")).startswith(_PAGES) for step in _steps(workflow))


def _steps(workflow: Mapping[Any, Any]) -> Iterator[Mapping[str, Any]]:
    jobs = workflow.get("jobs")
    for job in jobs.values() if isinstance(jobs, Mapping) else ():
        if isinstance(job, Mapping):
            yield job  # which may use a whole workflow of another repository
            yield from (step for step in job.get("steps") or () if isinstance(step, Mapping))


def _triggers(workflow: Mapping[Any, Any]) -> Mapping[str, Any]:
    """Under `on:`, which YAML 1.1 reads as true: a name, a list or a mapping."""
    on = workflow.get(True, workflow.get("on"))
    if isinstance(on, Mapping):
        return on
    return dict.fromkeys(on if isinstance(on, list) else [str(on)])


def _only_for_tags(workflow: Mapping[Any, Any]) -> bool:
    triggers = _triggers(workflow)
    push = triggers.get("push")
    return (
        set(triggers) == {"push"} and isinstance(push, Mapping) and "tags" in push and "branches" not in push
    )


def _is_startable(workflow: Mapping[Any, Any]) -> bool:
    triggers = _triggers(workflow)
    asked = triggers.get("workflow_dispatch")
    inputs = (asked.get("inputs") or {}).values() if isinstance(asked, Mapping) else ()
    needed = (value for value in inputs if isinstance(value, Mapping) and value.get("required"))
    return "workflow_dispatch" in triggers and all("default" in value for value in needed)
