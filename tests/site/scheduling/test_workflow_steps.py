"""The workflow's shell steps, run as they are by bash in a scratch repository, against hostile names.

git and `blog-gen review` are real. `blog-gen run`, `gh`, `gem` and `bundle` are stand-ins on PATH that write
down what they were told.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import mistune
import pytest
import yaml

from blog_gen.config.loading import load_settings
from blog_gen.site.scheduling import github
from blog_gen.site.scheduling.daily import DailyJob

BRANCH = "main-$(touch${IFS}pwned);'x'"  # git allows it

BLOG_GEN = r"""#!/usr/bin/env bash
set -eu
if [ "$1" = review ]; then exec PYTHON -m blog_gen.cli "$@"; fi
[ "$*" = run ] || exit 2
mkdir -p _generated .blog_gen/runs && echo state > .blog_gen/runs/model
ls _generated | grep -q "^$TODAY" && exit 0
cp "$STATE/draft" "_generated/$TODAY-\$(touch pwned); 'x' \"y\"
z.md"
exit "${STATUS-0}"
""".replace("PYTHON", shlex.quote(sys.executable))
DRAFT = r"""---
title: "$(touch pwned) `touch pwned` '; touch pwned # @someone [a](https://b) <b>x</b> | ${{ secrets.X }}"
date: "2026-11-23 00:00:00 +0000"
published: false
blog_gen:
  model: "mini `@someone`"
  scores: {score: 0.8, longest_copy: 12}
---

@someone wrote <img src=x onerror=alert(1)> and [this](https://evil.example).

````
```
$(touch pwned)
````
"""
GH = r"""#!/usr/bin/env bash
set -eu
echo "$2" >> "$STATE/gh.log"
body=$(printf '%s\n' "$@" | grep -A1 -x -- --body-file | tail -1) || true
case "$2" in
  list) [ -f "$STATE/open" ] && echo 1 || echo 0 ;;
  create) touch "$STATE/open" && cp "$body" "$STATE/body" ;;
  run) [ "$1" = workflow ] && echo "$3 $5" >> "$STATE/started" ;;
  comment) cp "$body" "$STATE/comment" ;;
esac
"""


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


class Runner:
    """A GitHub runner as far as the steps can see one: a fresh checkout, an environment, bash."""

    def __init__(self, home: Path, config: str = "title: A\n") -> None:
        self.home, self.origin, self.runs = home, home / "origin.git", 0
        for name, script in {"blog-gen": BLOG_GEN, "gh": GH}.items():
            self.executable(name, script)
        (home / "draft").write_text(DRAFT)
        seed = home / "seed"
        (seed / "_articles").mkdir(parents=True)
        (seed / "_config.yml").write_text(config)
        (seed / "_articles" / "one.md").write_text("---\ntitle: One\n---\nHello.\n")
        git(home, "init", "--quiet", "--bare", str(self.origin))
        git(seed, "init", "--quiet", "--initial-branch", BRANCH)
        self.identify(seed)
        git(seed, "add", "--all")
        git(seed, "commit", "--quiet", "--message", "first")
        git(seed, "push", "--quiet", str(self.origin), BRANCH)

    def executable(self, name: str, script: str) -> None:
        (self.home / "bin").mkdir(exist_ok=True)
        (self.home / "bin" / name).write_text(script)
        (self.home / "bin" / name).chmod(0o755)

    @staticmethod
    def identify(folder: Path) -> None:
        git(folder, "config", "user.name", "a blogger")
        git(folder, "config", "user.email", "a@example.org")

    def clone(self, name: str, branch: str = BRANCH, depth: int = 0) -> Path:
        limit = [f"--depth={depth}"] if depth else []
        url = self.origin.as_uri()
        git(self.home, "clone", "--quiet", "--branch", branch, *limit, url, name)
        return self.home / name

    def job(self, name: str, today: str, fails: bool = False, **values: Any) -> Path:
        """Run the shell steps of one job, of the workflow that the site in the checkout would get.

        If it `fails`, that is in `blog-gen run`, and only the steps that want it run after that.
        """
        self.runs += 1
        site = self.clone(f"checkout-{self.runs}", depth=0 if values.get("pull_request") else 1)
        text = github.text(DailyJob(load_settings(site), package="./w.whl[train]", **values))
        workflow, failed = yaml.safe_load(text), False
        for step in workflow["jobs"][name]["steps"]:
            if "run" not in step or "PACKAGE" in step.get("env", {}):
                continue
            if fails and step["run"] == "blog-gen run":
                with pytest.raises(subprocess.CalledProcessError):
                    self.step(step, site, today, STATUS="1")
                failed = True
            elif (not failed or "!cancelled()" in step.get("if", "")) and self.asked_for(step):
                self.step(step, site, today)
        assert not list(self.home.rglob("pwned"))
        return site

    def asked_for(self, step: dict[str, Any]) -> bool:
        """Whether the step wants no output of an earlier one, or that is there."""
        wanted = re.search(r"steps\.commit\.outputs\.(\w+) == '(\w+)'", step.get("if", ""))
        written = self.output.read_text().splitlines() if self.output.exists() else []
        return wanted is None or f"{wanted[1]}={wanted[2]}" in written

    @property
    def output(self) -> Path:
        return self.home / f"output-{self.runs}"

    def step(self, step: dict[str, Any], site: Path, today: str, **more: str) -> None:
        given = {"github.ref_name": BRANCH, "github.token": "token", "steps.pages.outputs.base_path": "/a b"}
        names = {
            key: re.sub(r"\$\{\{ (.*?) \}\}", lambda m: given[m[1]], v)
            for key, v in step.get("env", {}).items()
        }
        runner = {
            "RUNNER_TEMP": str(self.home / f"temp-{self.runs}"),
            "GITHUB_OUTPUT": str(self.output),
            "STATE": str(self.home),
            "TODAY": today,
            **more,
        }
        Path(runner["RUNNER_TEMP"]).mkdir(exist_ok=True)
        path = f"{self.home / 'bin'}:{os.environ['PATH']}"
        environment = {**os.environ, **names, **runner, "PATH": path, "HOME": str(self.home)}
        script = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
        subprocess.run(script, cwd=site, env=environment, check=True, capture_output=True, text=True)

    def drafts(self, branch: str = BRANCH) -> list[str]:
        names = git(self.origin, "ls-tree", "-r", "-z", "--name-only", branch).split("\0")
        return sorted(name[11:21] for name in names if name.startswith("_generated/"))

    def commits(self, branch: str = BRANCH) -> int:
        return int(git(self.origin, "rev-list", "--count", branch))


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    return Runner(tmp_path)


def test_a_draft_is_committed_once_a_day_and_nothing_else_is(runner: Runner) -> None:
    runner.job("write", "2026-11-23")
    assert runner.drafts() == ["2026-11-23"]
    runner.job("write", "2026-11-23")
    assert runner.commits() == 2
    runner.job("write", "2026-11-24")
    assert runner.drafts() == ["2026-11-23", "2026-11-24"]
    assert ".blog_gen" not in git(runner.origin, "ls-tree", "-r", "--name-only", BRANCH)


DEPLOY = """on: {push: {branches: [main]}, workflow_dispatch: null}
jobs: {pages: {steps: [{uses: actions/deploy-pages@v4}]}}
"""


def test_the_deploy_that_is_there_is_started_after_a_commit_and_only_then(runner: Runner) -> None:
    seed = runner.home / "seed"
    (seed / ".github" / "workflows").mkdir(parents=True)
    (seed / ".github" / "workflows" / "it's $(touch pwned).yml").write_text(DEPLOY)
    git(seed, "add", ".github")
    git(seed, "commit", "--quiet", "--message", "a deploy")
    git(seed, "push", "--quiet", str(runner.origin), BRANCH)
    for today in ("2026-11-23", "2026-11-23"):
        runner.job("write", today)
    assert (runner.home / "started").read_text() == f"it's $(touch pwned).yml {BRANCH}\n"


def test_a_branch_that_moved_on_meanwhile_keeps_both(runner: Runner) -> None:
    """Someone pushes between the checkout and the commit."""
    script = (runner.home / "bin" / "blog-gen").read_text()
    other = runner.clone("other")
    Runner.identify(other)
    push = f'cd "{other}"; date > note; git add note; git commit -qm note; git push -q; cd "$OLDPWD"\n'
    runner.executable("blog-gen", script.replace("set -eu\n", f"set -eu\n{push}"))
    runner.job("write", "2026-11-23")
    assert runner.drafts() == ["2026-11-23"]
    assert "note" in git(runner.origin, "ls-tree", "--name-only", BRANCH)


def test_a_pull_request_gathers_drafts_until_it_is_merged(runner: Runner) -> None:
    for today in ("2026-11-23", "2026-11-23", "2026-11-24"):
        runner.job("write", today, pull_request=True)
    assert runner.drafts() == []
    assert runner.drafts("blog-gen/drafts") == ["2026-11-23", "2026-11-24"]
    assert (runner.home / "gh.log").read_text().split().count("create") == 1
    drafts = git(runner.origin, "grep", "title:", "blog-gen/drafts", "--", "_generated")
    assert drafts and "published: false" not in git(runner.origin, "show", "blog-gen/drafts")

    human = runner.clone("human", branch="blog-gen/drafts")
    Runner.identify(human)
    (human / "edited").write_text("by the reviewer")
    git(human, "add", "edited")
    git(human, "commit", "--quiet", "--message", "an edit in review")
    git(human, "push", "--quiet")
    runner.job("write", "2026-11-25", pull_request=True)
    assert "edited" in git(runner.origin, "ls-tree", "--name-only", "blog-gen/drafts")

    git(runner.origin, "update-ref", f"refs/heads/{BRANCH}", "blog-gen/drafts")
    (runner.home / "open").unlink()
    runner.job("write", "2026-11-25", pull_request=True)
    assert (runner.home / "gh.log").read_text().split().count("create") == 1
    runner.job("write", "2026-11-26", pull_request=True)
    assert (runner.home / "gh.log").read_text().split().count("create") == 2
    assert len(runner.drafts("blog-gen/drafts")) == 4


def test_a_pull_request_carries_the_draft_and_its_scorecard(runner: Runner) -> None:
    runner.job("write", "2026-11-23", pull_request=True)
    runner.job("write", "2026-11-24", pull_request=True)
    for name in ("body", "comment"):
        text = (runner.home / name).read_text()
        assert text.startswith("## `$(touch pwned) 'touch pwned' '; touch pwned # @someone")
        assert re.search(
            r"^\| measured \|.*^\| [^|\n]+ \| `12` \| [^|\n]*20[^|\n]* \|$", text, re.MULTILINE | re.DOTALL
        )
        assert "@someone wrote <img src=x onerror=alert(1)>" in text


def test_nothing_of_a_draft_is_more_than_code_to_github(runner: Runner) -> None:
    runner.job("write", "2026-11-23", pull_request=True)
    page = str(
        mistune.create_markdown(escape=False, plugins=["table", "url"])((runner.home / "body").read_text())
    )
    outside = re.sub(r"<pre>.*?</pre>|<code>.*?</code>", "", page, flags=re.DOTALL)
    assert page.count("@someone") > 2
    assert not re.findall(r"@someone|pwned|evil|<a |<img|<b>|secrets", outside)


def test_the_text_of_a_pull_request_is_no_longer_than_github_takes(runner: Runner) -> None:
    long = "A line of it all. " * 9 + "\n"
    (runner.home / "draft").write_text(f"{DRAFT}{long * 600}@someone")
    runner.job("write", "2026-11-23", pull_request=True)
    body = (runner.home / "body").read_text()
    assert 50_000 < len(body) < 65_536
    assert body.endswith("A line of it all. \n")


@pytest.mark.parametrize("pull_request", [True, False])
def test_what_was_written_is_not_lost_where_another_day_failed(runner: Runner, pull_request: bool) -> None:
    runner.job("write", "2026-11-23", fails=True, pull_request=pull_request)
    assert runner.drafts("blog-gen/drafts" if pull_request else BRANCH) == ["2026-11-23"]


def test_a_pull_request_that_was_closed_is_started_afresh(runner: Runner) -> None:
    runner.job("write", "2026-11-23", pull_request=True)
    (runner.home / "open").unlink()
    runner.job("write", "2026-11-24", pull_request=True)
    assert runner.drafts("blog-gen/drafts") == ["2026-11-24"]


def test_posts_that_review_themselves_are_not_approved_twice(tmp_path: Path) -> None:
    runner = Runner(tmp_path, "blog_gen: {review: auto}\n")
    runner.job("write", "2026-11-23", pull_request=True)
    assert "published: false" in git(runner.origin, "grep", "published", "blog-gen/drafts")


@pytest.mark.parametrize("gemfile", [True, False])
def test_the_site_is_built_with_its_gems_or_with_jekyll_alone(tmp_path: Path, gemfile: bool) -> None:
    runner = Runner(tmp_path)
    told = f'printf "%s|" "$BLOG_GEN" "$@" > "{tmp_path}/told"'
    runner.executable("bundle", f'#!/bin/sh\n[ "$1" = exec ] || exit 0\nshift\n{told}\n')
    install = (
        f"#!/bin/sh\nmkdir -p \"$GEM_HOME/bin\" && printf '#!/bin/sh\\nset -- jekyll \"$@\"\\n%s' '{told}'"
    )
    runner.executable("gem", f'{install} > "$GEM_HOME/bin/jekyll" && chmod +x "$GEM_HOME/bin/jekyll"\n')
    if gemfile:
        seed = tmp_path / "seed"
        (seed / "Gemfile").write_text("gem 'jekyll'\n")
        git(seed, "add", "Gemfile")
        git(seed, "commit", "--quiet", "--message", "gems")
        git(seed, "push", "--quiet", str(runner.origin), BRANCH)
    runner.job("publish", "2026-11-23")
    expected = f"off|jekyll|build|--destination|{tmp_path}/temp-1/site|--baseurl|/a b|"
    assert (tmp_path / "told").read_text() == expected


@pytest.mark.parametrize("there", [True, False])
@pytest.mark.parametrize("model", ["124M", "smollm2", "owner/base"])
def test_the_base_that_is_set_is_pulled_unless_it_is_there(model: str, there: bool, tmp_path: Path) -> None:
    (tmp_path / "_config.yml").write_text(f"blog_gen: {{model: {model}}}\n")
    steps = _steps(tmp_path)
    [step] = [each for each in steps if "base model, unless" in each.get("name", "")]
    log, command = tmp_path / "log", tmp_path / "blog-gen"
    command.write_text(f'#!/bin/sh\necho "$@" >> {log}\n[ "$2" != show ] || exit {0 if there else 1}\n')
    command.chmod(0o755)
    environment = {**os.environ, **step["env"], "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    subprocess.run(["bash", "-euo", "pipefail", "-c", step["run"]], env=environment, check=True)
    assert log.read_text().splitlines() == [f"models show {model}", f"models pull {model}"][: 2 - there]


@pytest.mark.parametrize("model", ["mini", "./bases/own", "bases"])
def test_the_embedded_base_and_a_folder_are_not_pulled(model: str, tmp_path: Path) -> None:
    (tmp_path / "bases").mkdir()
    (tmp_path / "_config.yml").write_text(f"blog_gen: {{model: {model}}}\n")
    assert not any("base model, unless" in step.get("name", "") for step in _steps(tmp_path))


def _steps(site: Path) -> list[dict[str, Any]]:
    job = DailyJob(load_settings(site), package="blog_gen @ git+https://host.example/x")
    steps: list[dict[str, Any]] = yaml.safe_load(github.text(job))["jobs"]["write"]["steps"]
    return steps
