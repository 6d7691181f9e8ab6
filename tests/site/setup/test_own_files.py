"""The plugin and the workflow of an earlier version are brought up to date, unless somebody edited them."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from blog_gen.config.loading import load_settings
from blog_gen.errors import BlogGenError
from blog_gen.origin import Origin
from blog_gen.site.scheduling import github
from blog_gen.site.scheduling.daily import DailyJob
from blog_gen.site.setup.changes import apply, undo
from blog_gen.site.setup.scaffold import SetupPlan, plan
from blog_gen.site.setup.stamps import stamped, unedited

EARLIER = sorted((Path(__file__).parent / "earlier").iterdir())
PLUGIN, WORKFLOW = "_plugins/blog_gen.rb", ".github/workflows/blog-gen.yml"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(github, "installed_from", lambda: Origin(url="https://code.example/blog_gen.whl"))
    site = tmp_path / "s_010required"  # the minute of the day depends on the name
    for folder in ("_posts", ".git", "_plugins", ".github/workflows"):
        (site / folder).mkdir(parents=True)
    (site / "_config.yml").write_text("")
    return site


def everything(_: object) -> bool:
    return True


def of(found: SetupPlan) -> set[str]:
    return {change.path.as_posix() for change in found.changes} & {PLUGIN, WORKFLOW}


@pytest.mark.parametrize("version", EARLIER, ids=lambda path: path.name)
@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["lf", "crlf"])
def test_what_an_earlier_version_wrote_becomes_todays_and_can_be_taken_back(
    site: Path, version: Path, newline: str
) -> None:
    for path in (PLUGIN, WORKFLOW):
        (site / path).write_text((version / Path(path).name).read_text(), newline=newline)
    before = (site / PLUGIN).read_bytes()
    found = plan(site)
    assert of(found) == {PLUGIN, WORKFLOW}
    assert not [note for note in found.notes if note.path.name in ("blog_gen.rb", "blog-gen.yml")]
    apply(site, found.changes, everything)
    assert of(plan(site)) == set()
    assert "recursive" in (site / WORKFLOW).read_text()
    undo(site)
    assert (site / PLUGIN).read_bytes() == before


@pytest.mark.parametrize("version", EARLIER, ids=lambda path: path.name)
def test_what_was_edited_stays_and_is_said_to_be_out_of_date(site: Path, version: Path) -> None:
    for path, line in ((PLUGIN, "seconds: 120"), (WORKFLOW, "timeout-minutes: 60")):
        text = (version / Path(path).name).read_text()
        assert line in text
        (site / path).write_text(text.replace(line, "mine: 99"))
    found = plan(site)
    assert of(found) == set()
    said = {note.path.name: note.rule for note in found.notes}
    assert "`submodules: recursive`" in said["blog-gen.yml"]
    assert "home_of" in said["blog_gen.rb"]


def test_todays_files_that_are_edited_stay(site: Path) -> None:
    apply(site, plan(site).changes, everything)
    for path in (PLUGIN, WORKFLOW):
        text = (site / path).read_text()
        (site / path).write_text(text.replace("runs-on", "runs_on").replace("module_function", "# mine"))
    found = plan(site)
    assert of(found) == set()
    assert {note.path.name for note in found.notes if "it lacks" in note.rule} == {
        "blog_gen.rb",
        "blog-gen.yml",
    }


def test_a_workflow_that_nobody_edited_follows_the_settings(site: Path) -> None:
    job = DailyJob(load_settings(site))
    github.install(job)
    (site / "_config.yml").write_text("timezone: Asia/Tokyo\n")
    assert github.text(DailyJob(load_settings(site))) != (site / WORKFLOW).read_text()
    github.install(DailyJob(load_settings(site)))
    assert github.text(DailyJob(load_settings(site))) == (site / WORKFLOW).read_text()


def test_the_package_that_was_given_stays_and_a_bare_name_does_not(site: Path) -> None:
    settings = load_settings(site)
    github.install(DailyJob(settings, package="./w.whl[train]"))
    assert package_in(github.text(DailyJob(settings))) == "./w.whl[train]"
    (site / WORKFLOW).write_text((EARLIER[0] / "blog-gen.yml").read_text())
    assert (
        package_in(github.text(DailyJob(settings))) == "blog_gen[train] @ https://code.example/blog_gen.whl"
    )


def test_a_runner_is_told_only_what_it_can_reach(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load_settings(site)
    for where in (Origin(Path("/home/me/blog_gen")), Origin(url="git+file:///x@1f"), None):
        monkeypatch.setattr(github, "installed_from", lambda where=where: where)
        with pytest.raises(BlogGenError, match="--package"):
            github.text(DailyJob(settings))
        assert of(plan(site, workflow=True)) == {PLUGIN}
        assert [note for note in plan(site, workflow=True).notes if "cannot reach" in note.rule]
    monkeypatch.setattr(github, "installed_from", lambda: Origin(site))
    assert package_in(github.text(DailyJob(settings))) == ".[train]"
    monkeypatch.setattr(github, "installed_from", lambda: Origin(site / "tools" / "b.whl"))
    assert package_in(github.text(DailyJob(settings))) == "./tools/b.whl[train]"


def package_in(text: str) -> str:
    steps = yaml.safe_load(text)["jobs"]["write"]["steps"]
    return next(str(step["env"]["PACKAGE"]) for step in steps if "PACKAGE" in step.get("env", {}))


def test_a_stamp_holds_for_the_very_text_and_any_line_ends() -> None:
    text = stamped("a\nb\n")
    assert unedited(text) and unedited(text.replace("\n", "\r\n"))
    assert not unedited(text.replace("a", "c")) and not unedited(f"{text}more\n") and not unedited("")
