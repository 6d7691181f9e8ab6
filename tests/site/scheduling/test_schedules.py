"""The daily job as cron, systemd and GitHub take it: checked by their own parsers, and by stand-ins on PATH.

`crontab` and `systemctl` are stand-ins where they would install; the texts are read by croniter, cron's dry
run and `systemd-analyze`, the workflow by GitHub's own schema and by zizmor.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml
from croniter import croniter  # type: ignore[import-untyped]

from blog_gen.config.settings import Settings
from blog_gen.errors import BlogGenError
from blog_gen.site.scheduling import cron, github, systemd
from blog_gen.site.scheduling.daily import DailyJob, odd_minute, start_time
from blog_gen.site.scheduling.schedules import SCHEDULERS

PACKAGE = "blog_gen[train] @ https://code.example/blog_gen.whl"
HOSTILE = 'it\'s 100% "mine"; $(touch pwned) `x`'


def job(site: Path, zone: str | None = "Europe/London", **values: Any) -> DailyJob:
    site.mkdir(exist_ok=True)
    settings = Settings(site=site, jekyll={"timezone": zone, "title": "Slow Repairs"}, **values)
    return DailyJob(settings, command="/opt/blog gen/bin/blog-gen", package=PACKAGE)


def executable(folder: Path, name: str, script: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(script)
    (folder / name).chmod(0o755)


@pytest.fixture
def bin_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return folder


# The start


@pytest.mark.parametrize("zone", ["Europe/London", "America/New_York", "Pacific/Auckland", "Asia/Kolkata"])
@pytest.mark.parametrize("at", ["00:00", "09:30", "18:59", "23:50"])
def test_the_job_starts_soon_after_the_time_in_winter_and_in_summer(zone: str, at: str) -> None:
    settings = Settings(jekyll={"timezone": zone, "title": "x"}, time=at)
    start = start_time(settings, UTC)
    due = time.fromisoformat(at)
    waits = []
    for month in (1, 7):
        there = datetime(2026, month, 10, start.hour, start.minute, tzinfo=UTC).astimezone(ZoneInfo(zone))
        waits.append(((there.hour - due.hour) * 60 + there.minute - due.minute) % (24 * 60))
    assert min(waits) <= 60
    assert max(waits) <= 120


def test_the_minute_is_odd_away_from_the_hour_and_the_sites_own() -> None:
    minutes = {odd_minute(f"site {number}") for number in range(300)}
    assert len(minutes) > 15
    assert all(minute % 2 and 5 < minute < 55 for minute in minutes)
    assert odd_minute("a") == odd_minute("a")


def test_what_is_said_of_the_start_is_what_is_written(tmp_path: Path) -> None:
    mine = job(tmp_path / "site", time="09:30")
    cron_line, timer = cron.text(mine).splitlines()[1], systemd.text(mine)
    minute, hour = map(int, cron_line.split()[:2])
    assert f"every day at {hour:02}:{minute:02} by this machine's clock" in cron.explained(mine)
    assert cron.explained(mine).endswith(str(tmp_path / "site" / ".blog_gen" / "schedule.log"))
    found = re.search(r"at (\d\d:\d\d) in Europe/London; .*-u (\S+\.service)", systemd.explained(mine))
    assert found and f"OnCalendar=*-*-* {found[1]}:00 Europe/London" in timer
    assert found[2] in systemd.units(mine)
    cron_of_github = yaml.safe_load(github.text(mine))[True]["schedule"][0]["cron"]
    minute, hour = map(int, cron_of_github.split()[:2])
    assert f"every day at {hour:02}:{minute:02} UTC" in github.explained(mine)


# cron


def test_the_cron_line_is_one_a_day(tmp_path: Path) -> None:
    line = cron.text(job(tmp_path / "site")).splitlines()[1]
    when = croniter(" ".join(line.split()[:5]), datetime(2026, 1, 1))
    first, second = when.get_next(datetime), when.get_next(datetime)
    assert second - first == timedelta(days=1)
    assert first.minute == odd_minute("Slow Repairs")


def test_the_cron_line_runs_as_it_is_written_in_a_folder_of_any_name(tmp_path: Path) -> None:
    site = tmp_path / HOSTILE
    executable(tmp_path / "it's %h", "blog-gen", '#!/bin/sh\npwd > "$0.ran"; echo "$@" >> "$0.ran"\n')
    work = DailyJob(job(site).settings, command=str(tmp_path / "it's %h" / "blog-gen"))
    (site / ".blog_gen").mkdir()
    command = cron.text(work).splitlines()[1].split(maxsplit=5)[5]
    assert not re.search(r"(?<!\\)%", command), "cron would end the line there"
    subprocess.run(["sh", "-c", command.replace("\\%", "%")], check=True, cwd="/")
    assert (tmp_path / "it's %h" / "blog-gen.ran").read_text() == f"{site}\nrun\n"
    assert not list(tmp_path.rglob("pwned"))


@pytest.mark.cron
@pytest.mark.parametrize("name", ["site", HOSTILE])
def test_cron_itself_finds_no_fault_in_the_line(name: str, tmp_path: Path) -> None:
    """Only by the option that its own help calls a dry run: elsewhere `-n` means another thing."""
    help_text = subprocess.run(["crontab", "-h"], capture_output=True, text=True, check=False).stderr
    options = [
        option
        for option, word in (("-n", "dry run"), ("-T", "test"))
        if re.search(f"{option}.*{word}", help_text)
    ]
    if not options:
        pytest.skip("this crontab cannot check without installing")
    text, table = cron.text(job(tmp_path / name)), tmp_path / "table"
    for given, code in ((text, 0), (re.sub(r"^\d+ ", "61 ", text, flags=re.M), 1)):
        table.write_text(given)
        done = subprocess.run(
            ["crontab", options[0], str(table)], capture_output=True, text=True, check=False
        )
        assert done.returncode == code, done.stderr


@pytest.fixture
def crontab(bin_folder: Path, tmp_path: Path) -> Path:
    table = tmp_path / "crontab"
    script = (
        f'#!/bin/sh\nif [ "$1" = - ]; then cat > "{table}"; exit; fi\n'
        f'if [ ! -f "{table}" ]; then echo "no crontab for someone" >&2; exit 1; fi\ncat "{table}"\n'
    )
    executable(bin_folder, "crontab", script)
    return table


def test_cron_is_installed_shown_and_removed_among_other_lines(crontab: Path, tmp_path: Path) -> None:
    mine = job(tmp_path / "site")
    other = job(tmp_path / "site two")
    assert cron.installed(mine) is None
    cron.install(mine)
    assert crontab.read_text() == cron.text(mine)

    crontab.write_text("0 1 * * * backup")
    for _ in range(2):
        cron.install(mine)
        cron.install(other)
    assert crontab.read_text() == "0 1 * * * backup\n" + cron.text(mine) + cron.text(other)
    assert cron.installed(mine) == cron.text(mine)
    assert cron.remove(mine)
    assert not cron.remove(mine)
    assert crontab.read_text() == "0 1 * * * backup\n" + cron.text(other)


def test_a_crontab_with_half_of_our_markers_is_not_touched(crontab: Path, tmp_path: Path) -> None:
    mine = job(tmp_path / "site")
    broken = cron.text(mine).splitlines()[0] + "\n0 1 * * * backup\n"
    crontab.write_text(broken)
    with pytest.raises(BlogGenError, match="pairs"):
        cron.remove(mine)
    assert crontab.read_text() == broken


@pytest.mark.parametrize("kind", ["cron", "systemd"])
def test_a_scheduler_that_is_not_there_is_explained(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    with pytest.raises(BlogGenError, match="blog-gen schedule"):
        SCHEDULERS[kind].install(job(tmp_path / "site"))


def test_a_line_break_in_the_folder_is_refused(tmp_path: Path) -> None:
    site = tmp_path / "a\n* * * * * rm -rf ~"
    for scheduler in (cron, systemd):
        with pytest.raises(BlogGenError):
            scheduler.text(job(site))


# systemd


def verify(units: dict[str, str], folder: Path) -> str:
    for name, text in units.items():
        (folder / name).write_text(text)
    command = ["systemd-analyze", "verify", "--user", *(str(folder / name) for name in units)]
    (folder / "runtime").mkdir(mode=0o700, exist_ok=True)
    session = {**os.environ, "XDG_RUNTIME_DIR": str(folder / "runtime")}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=session).stderr


@pytest.mark.systemd
@pytest.mark.parametrize("name", ["site", "with space and %h"])
def test_systemd_finds_no_fault_in_the_units(name: str, tmp_path: Path) -> None:
    executable(tmp_path / "%h b", "blog-gen", "#!/bin/sh\n")
    work = DailyJob(job(tmp_path / name).settings, command=str(tmp_path / "%h b" / "blog-gen"))
    units = systemd.units(work)
    complaints = [line for line in verify(units, tmp_path).splitlines() if "blog-gen" in line]
    assert complaints == []
    broken = {name: text.replace("OnCalendar=*-*-*", "OnCalendar=*-*-32") for name, text in units.items()}
    assert "blog-gen" in verify(broken, tmp_path), "the check must be able to fail"


@pytest.mark.systemd
def test_the_timer_keeps_the_sites_own_time_all_year(tmp_path: Path) -> None:
    timer = next(
        text for name, text in systemd.units(job(tmp_path / "site", time="09:00")).items() if "timer" in name
    )
    calendar = re.findall(r"^OnCalendar=(.*)$", timer, re.M)[0]
    command = ["systemd-analyze", "calendar", "--iterations=400", "--base-time=2026-01-01", calendar]
    told = subprocess.run(
        command, capture_output=True, text=True, check=True, env={**os.environ, "TZ": "UTC"}
    )
    moments = re.findall(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?= UTC)", told.stdout)
    london = [datetime.fromisoformat(f"{m}+00:00").astimezone(ZoneInfo("Europe/London")) for m in moments]
    assert len({moment.date() for moment in london}) >= 365
    assert {(moment.hour, moment.minute) for moment in london} == {(9, odd_minute("Slow Repairs"))}
    assert "Persistent=true" in timer


def test_systemd_is_installed_shown_and_removed(
    bin_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    log = tmp_path / "log"
    executable(bin_folder, "systemctl", f'#!/bin/sh\necho "$@" >> "{log}"\n')
    mine = job(tmp_path / "site")
    assert systemd.installed(mine) is None
    assert not systemd.remove(mine)
    timer = Path(systemd.install(mine))
    assert timer.read_text() == systemd.units(mine)[timer.name]
    assert systemd.installed(mine) == systemd.text(mine)
    assert systemd.remove(mine)
    assert list(timer.parent.iterdir()) == []
    assert log.read_text().splitlines() == [
        "--user daemon-reload",
        f"--user enable --now {timer.name}",
        f"--user disable --now {timer.name}",
        "--user daemon-reload",
    ]


def test_a_systemd_without_a_session_is_explained(
    bin_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    executable(bin_folder, "systemctl", "#!/bin/sh\necho 'Failed to connect to bus' >&2; exit 1\n")
    with pytest.raises(BlogGenError, match=r"Failed to connect to bus.*systemctl --user daemon-reload"):
        systemd.install(job(tmp_path / "site"))


# GitHub


def workflow(folder: Path, **values: Any) -> dict[Any, Any]:
    loaded: dict[Any, Any] = yaml.safe_load(
        github.text(DailyJob(job(folder).settings, package=PACKAGE, **values))
    )
    return loaded


@pytest.mark.parametrize("values", [{}, {"pull_request": True}, {"deploy": False}, {"deploy": None}], ids=str)
def test_the_workflow_holds_against_githubs_schema_and_a_security_linter(
    values: dict[str, Any], tmp_path: Path
) -> None:
    if "deploy" in values:
        (tmp_path / "site" / ".github" / "workflows").mkdir(parents=True)
        (tmp_path / "site" / ".github" / "workflows" / "own.yml").write_text(
            "{on: push, jobs: {a: {steps: [{uses: actions/deploy-pages@v4}]}}}"
        )
    path = tmp_path / "workflow.yml"
    path.write_text(github.text(DailyJob(job(tmp_path / "site").settings, package=PACKAGE, **values)))
    schema = ["check-jsonschema", "--builtin-schema", "vendor.github-workflows", str(path)]
    subprocess.run(
        [sys.executable, "-m", schema[0].replace("-", "_"), *schema[1:]], check=True, capture_output=True
    )
    linter = [
        str(Path(sys.executable).with_name("zizmor")),
        "--offline",
        "--no-exit-codes",
        "--format",
        "json",
    ]
    told = subprocess.run([*linter, str(path)], check=True, capture_output=True, text=True)
    found = {finding["ident"] for finding in json.loads(told.stdout)}
    # By major version as GitHub's own examples have it; what is installed is the user's to pin; a job that
    # pushes must keep its token.
    assert found <= {"unpinned-uses", "adhoc-packages", "artipacked"}
    assert "couldn't parse" not in told.stderr


def test_no_expression_is_part_of_a_script(tmp_path: Path) -> None:
    for values in ({}, {"pull_request": True}):
        for one in workflow(tmp_path, **values)["jobs"].values():
            assert not [step for step in one["steps"] if "${{" in step.get("run", "")]


def test_names_cannot_break_out_of_the_workflow(tmp_path: Path) -> None:
    folder = 'it\'s "mine": $(x) #'
    (tmp_path / ".git").mkdir()
    settings = Settings(site=tmp_path / folder, jekyll={"title": "${{ secrets.X }}\n- run: pwned"})
    text = github.text(DailyJob(settings, package='blog_gen[train] @ file:///a "b"'))
    loaded = yaml.safe_load(text)
    assert "pwned" not in text
    steps = loaded["jobs"]["write"]["steps"]
    assert next(step for step in steps if "PACKAGE" in step.get("env", {}))["env"]["PACKAGE"].endswith('"b"')
    save = next(step for step in steps if "cache/save" in step.get("uses", ""))
    learned = "hashFiles('it''s \"mine\": $(x) #/.blog_gen/runs/*/meta.json', "
    assert learned in save["with"]["key"] and learned in save["if"]
    assert loaded["defaults"]["run"]["working-directory"] == folder
    with pytest.raises(BlogGenError):
        github.text(DailyJob(Settings(site=tmp_path / "${{ secrets.X }}"), package=PACKAGE))


def test_the_workflow_runs_once_a_day_at_the_odd_minute(tmp_path: Path) -> None:
    when = workflow(tmp_path)[True]  # YAML 1.1 reads `on` as true
    minute, _, *days = when["schedule"][0]["cron"].split()
    assert int(minute) == odd_minute("Slow Repairs")
    assert days == ["*", "*", "*"]
    assert "workflow_dispatch" in when


def test_what_was_learned_is_kept_under_a_name_that_changes_with_it(tmp_path: Path) -> None:
    """By the posts' names alone, a run that waits to learn again would be kept for good as theirs."""
    steps = workflow(tmp_path)["jobs"]["write"]["steps"]
    restore, save = (step for step in steps if "cache" in step.get("uses", ""))
    assert restore["with"]["path"] == save["with"]["path"]
    assert ".blog_gen/runs" in save["with"]["path"]
    assert save["with"]["key"].startswith(restore["with"]["restore-keys"])
    assert "runs/*/meta.json" in save["with"]["key"]
    names = [step.get("name") for step in steps]
    assert names.index(save["name"]) == names.index("Write the posts that are due") + 1
    assert "always()" in save["if"], "kept though every draft was rejected"


def test_a_site_may_ask_for_pull_requests_by_its_settings(tmp_path: Path) -> None:
    asked = DailyJob(job(tmp_path).settings, package=PACKAGE, pull_request=True)
    assert github.text(job(tmp_path, review="pull-request")) == github.text(asked)
    assert github.text(job(tmp_path)) != github.text(asked)


def test_the_workflow_is_installed_shown_removed_and_never_overwritten(tmp_path: Path) -> None:
    mine = job(tmp_path)
    path = Path(github.install(mine))
    assert path == tmp_path.resolve() / ".github" / "workflows" / "blog-gen.yml"
    assert github.installed(mine) == github.text(mine)
    github.install(mine)
    path.write_text(path.read_text() + "# mine\n")
    with pytest.raises(BlogGenError, match="never overwritten"):
        github.install(mine)
    assert github.remove(mine)
    assert not github.remove(mine)
    assert not (tmp_path / ".github").exists()
    github.install(mine)
    other = path.with_name("tests.yml")
    other.write_text("name: tests\n")
    assert github.remove(mine) and other.exists()
    path.write_text("name: mine\n")
    with pytest.raises(BlogGenError, match="only a workflow written by blog-gen"):
        github.remove(mine)
