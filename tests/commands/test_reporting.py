"""What is said of a run: whose voice its drafts have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from toy_models import write_run

from blog_gen.commands.reporting import summarise
from blog_gen.config.settings import Settings
from blog_gen.report import Report

FELL = [{"step": 0, "held_out": 4.0}, {"step": 4, "held_out": 3.5}]
SLIGHTLY = [{"step": 0, "held_out": 4.0}, {"step": 4, "held_out": 3.98}]
ROSE = [{"step": 0, "held_out": 4.0}, {"step": 4, "held_out": 4.05}]


@pytest.mark.parametrize(
    ("known", "said"),
    [
        ({"best_step": 4, "history": FELL}, None),
        ({"best_step": 0, "history": ROSE}, "drafts will be the base's (`mini`) and not yet the blog's"),
        ({"best_step": 4, "history": ROSE}, "perhaps the base's more than the blog's"),
        ({"best_step": 4, "history": SLIGHTLY}, "perhaps the base's more than the blog's"),
        ({"best_step": 4, "history": []}, None),  # nobody measured
        ({"best_step": 0, "history": ROSE, "continued": 1}, None),  # it has what it had
        ({"best_step": 4, "history": ROSE, "continued": 1}, None),
    ],
)
def test_a_run_that_gained_nothing_says_whose_its_drafts_are(
    known: dict[str, Any], said: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = Settings(tmp_path)
    meta = write_run(settings.run_folder, **known)
    assert summarise(settings, Report(trained=meta)) == 0
    told = capsys.readouterr().out
    assert ("base" in told) == (said is not None) and (said or "") in told


def test_quiet_is_quiet_and_a_run_that_only_writes_reads_what_was_learned(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = Settings(tmp_path)
    meta = write_run(settings.run_folder, best_step=0, history=ROSE)
    summarise(settings, Report(trained=meta), quiet=True)
    summarise(settings, Report())
    assert not capsys.readouterr().out
