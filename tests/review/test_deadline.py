"""The process that works within a time limit: it answers, it explains, it is ended and comes again."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from blog_gen.errors import DraftError
from blog_gen.review.deadline import Worker
from blog_gen.site.drafts import read_draft

EXPONENTIAL = re.compile("(a+)+b")


@pytest.fixture
def worker() -> Iterator[Worker]:
    worker = Worker()
    yield worker
    worker.end()


def test_one_process_does_all(worker: Worker) -> None:
    first = worker.run(60, os.getpid)
    assert first == worker.run(60, os.getpid) != os.getpid()


def test_what_takes_too_long_is_ended(worker: Worker) -> None:
    slow = worker.run(60, os.getpid)
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        worker.run(0.5, EXPONENTIAL.match, "a" * 60)
    assert time.monotonic() - began < 30
    with pytest.raises(ProcessLookupError):
        os.kill(slow, 0)
    assert worker.run(60, re.escape, ".") == r"\."


def test_a_process_that_dies_is_started_again(worker: Worker) -> None:
    with pytest.raises(TimeoutError):
        worker.run(60, os._exit, 1)
    assert worker.run(60, re.escape, ".") == r"\."


def test_an_error_is_told(worker: Worker, tmp_path: Path) -> None:
    with pytest.raises(DraftError, match="nothing-there"):
        worker.run(60, read_draft, tmp_path / "nothing-there.md", None)


def test_a_fault_of_ours_does_not_look_like_slowness(worker: Worker) -> None:
    with pytest.raises(DraftError, match="ValueError: invalid literal"):
        worker.run(60, int, "twelve")
    assert worker.run(60, re.escape, ".") == r"\."
