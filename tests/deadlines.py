"""Waiting for other processes, never longer than a given time; and folders that all of them share."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import filelock
import pytest


def wait_until(there: Callable[[], object], what: str, seconds: float = 60) -> None:
    """Return as soon as `there()` is true; the test fails where it is not within `seconds`."""
    ends = time.monotonic() + seconds
    while not there():
        if time.monotonic() > ends:
            pytest.fail(f"not within {seconds:g} seconds: {what}")
        time.sleep(0.05)


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """The folder that `make` fills, once for all of pytest-xdist's workers; nobody may change it."""
    root = factory.getbasetemp()
    folder = (root.parent if os.environ.get("PYTEST_XDIST_WORKER") else root) / name
    with filelock.FileLock(f"{folder}.lock", timeout=300):
        if not (folder / "made").exists():
            folder.mkdir()
            make(folder)
            (folder / "made").touch()
    return folder
