"""A deploy that a site has is found, whatever it is made with; what only tests or releases is none."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest
import yaml

from blog_gen.config.loading import load_settings
from blog_gen.origin import Origin
from blog_gen.site.scheduling import github
from blog_gen.site.scheduling.daily import DailyJob
from blog_gen.site.scheduling.deploys import WORKFLOWS, existing_deploy
from blog_gen.site.setup.scaffold import plan

BUILD = "{run: bundle exec jekyll build}"
PAGES = "jobs: {a: {steps: [{uses: actions/deploy-pages@v4}]}}"
DEPLOYS = {
    "pages": f"{{on: {{push: null, workflow_dispatch: null}}, {PAGES}}}",
    "branch": f"{{on: push, jobs: {{a: {{steps: [{BUILD}, {{uses: someone/gh-pages-action@v3}}]}}}}}}",
    "rsync": f"{{on: [push, workflow_dispatch], jobs: {{a: {{steps: [{BUILD}, {{run: rsync _site to}}]}}}}}}",
    "script": "{on: push, jobs: {a: {steps: [{run: make site}, {name: Publish it, run: ./p.sh}]}}}",
    "reused": "{on: push, jobs: {a: {uses: someone/all/.github/workflows/deploy-site.yml@v1}}}",
}
NO_DEPLOYS = {
    "test": f"{{on: push, jobs: {{a: {{steps: [{BUILD}, {{run: htmlproofer _site}}]}}}}}}",
    "pull": f"{{on: pull_request, jobs: {{a: {{steps: [{BUILD}, {{name: Deploy a preview}}]}}}}}}",
    "image": "{on: {push: {tags: [v1]}}, jobs: {a: {steps: [{name: Publish, run: make image}]}}}",
    "broken": "{on: push, jobs: [",
    "odd": "{on: push, jobs: {a: null, b: {steps: null}, c: [1]}}",
    "list": "[]",
}


def site_with(folder: Path, files: dict[str, str]) -> Path:
    for name, text in {
        "_config.yml": "",
        "_posts/2020-01-01-a.md": "---\ntitle: A\n---\nB.\n",
        **files,
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (folder / ".git").mkdir(exist_ok=True)
    return folder


@pytest.fixture(autouse=True)
def reachable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(github, "installed_from", lambda: Origin(url="https://code.example/blog_gen.whl"))


@pytest.mark.parametrize("kind", DEPLOYS)
def test_what_deploys_is_found_and_ours_does_not_deploy_again(kind: str, tmp_path: Path) -> None:
    site = site_with(tmp_path, {f".github/workflows/{kind}.yml": DEPLOYS[kind]})
    found = existing_deploy(site, github.WORKFLOW)
    assert found is not None and found.path == WORKFLOWS / f"{kind}.yml"
    assert found.startable == ("workflow_dispatch" in DEPLOYS[kind])
    made = plan(site)
    text = next(change.after for change in made.changes if change.path.name == "blog-gen.yml")
    jobs = yaml.safe_load(text)["jobs"]
    assert list(jobs) == ["write"] and jobs["write"]["permissions"]["actions"] == "write"
    assert jobs["write"]["steps"][-1]["env"]["WORKFLOW"] == f"{kind}.yml"
    assert [step["name"] for step in jobs["write"]["steps"] if step.get("id") == "commit"]
    said = next(note for note in made.notes if note.path.name == f"{kind}.yml")
    assert found.startable or "workflow_dispatch:" in said.action


@pytest.mark.parametrize("kind", NO_DEPLOYS)
def test_what_does_not_deploy_is_left_alone(kind: str, tmp_path: Path) -> None:
    site = site_with(tmp_path, {f".github/workflows/{kind}.yaml": NO_DEPLOYS[kind]})
    assert existing_deploy(site, github.WORKFLOW) is None


def test_our_own_workflow_is_not_the_one_that_is_there(tmp_path: Path) -> None:
    site = site_with(tmp_path, {})
    job = DailyJob(load_settings(site))
    github.install(job)
    assert "publish" in yaml.safe_load(github.text(job))["jobs"]
    assert existing_deploy(site, PurePosixPath("x")) is not None


def test_a_host_that_builds_at_each_push_needs_no_start(tmp_path: Path) -> None:
    site = site_with(tmp_path, {"netlify.toml": ""})
    jobs = yaml.safe_load(github.text(DailyJob(load_settings(site))))["jobs"]
    assert list(jobs) == ["write"] and "actions" not in jobs["write"]["permissions"]
    assert "builds the site at each push" in github.explained(DailyJob(load_settings(site)))


def test_who_asks_for_our_deploy_gets_it(tmp_path: Path) -> None:
    site = site_with(tmp_path, {".github/workflows/a.yml": DEPLOYS["pages"]})
    jobs = yaml.safe_load(github.text(DailyJob(load_settings(site), deploy=True)))["jobs"]
    assert list(jobs) == ["write", "publish"] and "actions" not in jobs["write"]["permissions"]


def test_a_workflow_that_asks_for_values_is_not_started_without(tmp_path: Path) -> None:
    inputs = "{workflow_dispatch: {inputs: {to: {required: true}}}}"
    site = site_with(tmp_path, {".github/workflows/a.yml": f"{{on: {inputs}, {PAGES}}}"})
    found = existing_deploy(site, github.WORKFLOW)
    assert found is not None and not found.startable
