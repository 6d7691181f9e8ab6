"""What a bar says of rate and time left is true: after a resume, and where time is limited."""

from __future__ import annotations

import re

import pytest

from blog_gen.commands.progress import Progress


def said(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, limit: float | None) -> str:
    """The last line after a run resumed at step 200 of 300 has done 10 steps in 100 seconds."""
    clock = iter([0.0, 0.0, 0.0, 100.0, 100.0, 100.0])
    monkeypatch.setattr("blog_gen.commands.progress.time.monotonic", lambda: next(clock))
    bar = Progress()
    bar.start("learning", 300, limit)
    bar.update(200, 300)
    bar.update(210, 300)
    return capsys.readouterr().err.splitlines()[-1]


def test_steps_done_before_cost_no_time_now(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    line = said(capsys, monkeypatch, None)
    assert re.search(r"210/300 steps, 0\.1 steps/s, 900 s left", line), line


def test_no_more_time_is_left_than_is_allowed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "160 s left" in said(capsys, monkeypatch, 260.0)
    assert "steps/s, ending" in said(capsys, monkeypatch, 90.0), "what it found is still to be measured"


@pytest.fixture
def bar(monkeypatch: pytest.MonkeyPatch) -> Progress:
    """One that says every update: whenever it looks at the clock, 20 seconds have passed."""
    clock = (20.0 * second for second in range(20))
    monkeypatch.setattr("blog_gen.commands.progress.time.monotonic", lambda: next(clock))
    return Progress()


def test_of_what_is_made_side_by_side_no_time_is_foretold(
    bar: Progress, capsys: pytest.CaptureFixture[str]
) -> None:
    bar.start("writing candidates", 8)
    bar.update(1, 8, unit="candidates", in_turn=False)
    assert capsys.readouterr().err.splitlines()[-1] == "  1/8 candidates"


def test_a_loss_is_said_once_and_until_it_is_measured_again(
    bar: Progress, capsys: pytest.CaptureFixture[str]
) -> None:
    bar.start("learning", 9)
    for row in ({"step": 1, "loss": 4.0, "held_out": 3.5}, {"step": 2, "loss": 3.9}):
        bar.row(row, 9)
    first, second = capsys.readouterr().err.splitlines()[-2:]
    assert first.endswith("  loss 4.00, held-out 3.50") and second.endswith("  loss 3.90, held-out 3.50")
