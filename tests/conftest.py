"""Tools that some tests need and a machine may lack: said in one line at the end, or a failure under CI."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable

import hypothesis
import pytest

# Marker, and the commands of which one must be there for the tests that bear it.
TOOLS = {
    "jekyll": ("jekyll",),
    "systemd": ("systemd-analyze",),
    "cron": ("crontab",),
    "browser": ("chromium", "chromium-browser", "google-chrome"),
}

# How long an example takes depends on what else the machine does.
hypothesis.settings.register_profile("blog_gen", deadline=None)
hypothesis.settings.load_profile("blog_gen")

_left_out: dict[str, list[str]] = {}


def pytest_collection_modifyitems(items: Iterable[pytest.Item]) -> None:
    """Skip what cannot run here; under CI it runs, and fails."""
    for item in items:
        for marker, commands in TOOLS.items():
            missing = item.get_closest_marker(marker) and not any(map(shutil.which, commands))
            if missing and not os.environ.get("CI"):
                _left_out.setdefault(commands[0], []).append(item.nodeid)
                item.add_marker(pytest.mark.skip(reason=f"{commands[0]} is not installed"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for command, tests in _left_out.items():
        terminalreporter.write_line(f"{command} is not installed; left out: {', '.join(tests)}", yellow=True)


@pytest.fixture(scope="session")
def jekyll() -> str:
    """The real Jekyll's command, for tests marked `jekyll`."""
    command = shutil.which("jekyll")
    if command is None:
        pytest.fail("jekyll is not installed, and CI must not leave its tests out")
    return command
