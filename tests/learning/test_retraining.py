"""How often `run` learns: laws over a year, in the site's zone, from what the run's own `meta.json` says."""

from __future__ import annotations

import dataclasses
import itertools
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from toy_models import write_run

from blog_gen import runs
from blog_gen.config.settings import Settings
from blog_gen.corpus import read_corpus
from blog_gen.learning.retraining import DAYS, retraining_decision
from blog_gen.learning.staleness import depends_on
from blog_gen.pipeline import run
from blog_gen.report import Hooks
from blog_gen.site.fingerprint import fingerprint

TODAY = datetime(2026, 3, 20, 12, tzinfo=UTC)


def site_with(folder: Path, zone: str = "UTC", **values: Any) -> Settings:
    (folder / "_articles").mkdir(exist_ok=True)
    (folder / "_articles" / "one.md").write_text("---\ntitle: One\n---\nA letter.\n")
    return Settings(site=folder, jekyll={"timezone": zone}, **values)


def learned(settings: Settings, at: datetime | None) -> runs.Meta:
    """A finished run of the site as it stands."""
    return write_run(
        settings.run_folder,
        base=settings.model,
        articles=read_corpus(settings).sha256,
        fingerprint=fingerprint(settings),
        settings=depends_on(settings),
        learned=at.isoformat() if at else None,
    )


def write_an_article(settings: Settings) -> None:
    (settings.articles_folder / "new.md").write_text("---\ntitle: New\n---\nAnother letter.\n")


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Auckland", "America/New_York"])
@pytest.mark.parametrize(("retrain", "days"), DAYS.items())
def test_a_blog_that_changes_all_day_is_learned_as_often_as_is_asked(
    retrain: str, days: int, zone: str, tmp_path: Path
) -> None:
    settings = site_with(tmp_path, zone, retrain=retrain)
    now, ends = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 6, tzinfo=UTC)
    meta = learned(settings, now)
    write_an_article(settings)
    times = [now]
    while now < ends:
        now += timedelta(hours=8)
        if retraining_decision(settings, now).due:
            times.append(now)
            runs.write_meta(settings.run_folder, dataclasses.replace(meta, learned=now.isoformat()))
    dates = [moment.astimezone(ZoneInfo(zone)).date() for moment in times]
    gaps = {(later - earlier).days for earlier, later in itertools.pairwise(dates)}
    assert gaps == ({0, 1} if retrain == "changed" else {days})


def test_without_a_change_nothing_is_learned_however_long_ago_it_was(tmp_path: Path) -> None:
    settings = site_with(tmp_path, retrain="daily")
    learned(settings, TODAY - timedelta(days=400))
    found = retraining_decision(settings, TODAY)
    assert (found.stale, found.due, found.waits) == (False, False, "")


def test_the_setting_itself_is_no_reason_to_learn_again(tmp_path: Path) -> None:
    learned(site_with(tmp_path), TODAY - timedelta(days=400))
    for retrain in (*DAYS, "never"):
        assert not retraining_decision(site_with(tmp_path, retrain=retrain), TODAY).stale


def test_what_was_never_learned_is_learned_at_once_but_not_under_never(tmp_path: Path) -> None:
    assert retraining_decision(site_with(tmp_path, retrain="monthly"), TODAY).due
    assert not retraining_decision(site_with(tmp_path, retrain="never"), TODAY).due
    learned(site_with(tmp_path), TODAY)
    (tmp_path / ".blog_gen/runs/default/meta.json").unlink()  # killed just before it was finished
    assert retraining_decision(site_with(tmp_path, retrain="monthly"), TODAY).due


def test_a_run_that_does_not_say_when_it_learned_counts_as_old(tmp_path: Path) -> None:
    settings = site_with(tmp_path, retrain="monthly")
    meta = learned(settings, None)
    write_an_article(settings)
    assert retraining_decision(settings, TODAY).due
    runs.write_meta(settings.run_folder, dataclasses.replace(meta, learned="last Tuesday"))
    assert retraining_decision(settings, TODAY).due


def test_a_clock_that_jumped_back_learns_no_more_often(tmp_path: Path) -> None:
    settings = site_with(tmp_path, retrain="daily")
    learned(settings, TODAY)
    write_an_article(settings)
    assert not retraining_decision(settings, TODAY - timedelta(hours=30)).due
    assert retraining_decision(settings, TODAY + timedelta(hours=13)).due


def test_why_it_waits_is_said(tmp_path: Path) -> None:
    settings = site_with(tmp_path, retrain="weekly")
    learned(settings, TODAY)
    write_an_article(settings)
    assert retraining_decision(settings, TODAY).waits == (
        "what changed since 2026-03-20 is learned on 2026-03-27 at the earliest"
    )
    never = dataclasses.replace(settings, retrain="never")
    assert retraining_decision(never, TODAY).waits.endswith("is learned by `blog-gen train` only")


def test_a_dry_run_says_what_would_be_and_does_nothing(tmp_path: Path) -> None:
    settings = site_with(tmp_path, retrain="weekly", posts_per_day=0)
    learned(settings, TODAY)
    write_an_article(settings)
    before = (settings.run_folder / "meta.json").read_bytes()
    for days, due in ((6, False), (7, True)):
        report = run(settings, TODAY + timedelta(days), Hooks(), dry=True)
        assert report.retraining is not None and report.retraining.due == due
        assert report.retraining.allowed == date(2026, 3, 27)
    assert run(settings, TODAY + timedelta(6), Hooks()).trained is None
    assert (settings.run_folder / "meta.json").read_bytes() == before
