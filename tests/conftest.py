"""Tools that some tests need and a machine may lack: said in one line at the end, or a failure under CI."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from calling import as_fast_as_ever

# Marker, and the commands of which one must be there for the tests that bear it.
TOOLS = {
    "jekyll": ("jekyll",),
    "systemd": ("systemd-analyze",),
    "cron": ("crontab",),
    "browser": ("chromium", "chromium-browser", "google-chrome"),
    "small_disk": ("unshare",),
    "locales": ("localedef",),
    "two_hosts": ("ip",),
}
# Where a command alone says too little: what must succeed.
PROBES = {
    "small_disk": ("unshare", "-rm", "mount", "-t", "tmpfs", "tmpfs", "/tmp"),
    "locales": ("test", "-e", "/usr/share/i18n/charmaps/ISO-8859-1.gz"),
    "two_hosts": ("unshare", "-n", "ip", "link", "add", "type", "veth"),
}

# XLA's compiler takes longer than a toy's training: what it made once serves all processes of all runs.
# Not beside the peers, which bring compilers of their own into the process.
if (tensorflow := find_spec("tensorflow")) and tensorflow.origin and not find_spec("torch"):
    installed = int(Path(tensorflow.origin).stat().st_mtime)  # another one compiles otherwise
    compiled = Path(__file__).parents[1] / ".pytest_cache" / f"compiled-{installed}"
    compiled.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("TF_XLA_FLAGS", f"--tf_xla_persistent_cache_directory={compiled}")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

# How long an example takes depends on what else the machine does. The same examples each time: a commit
# passes, or it does not. `make test-latest` looks for new ones.
hypothesis.settings.register_profile("same", deadline=None, derandomize=True)
hypothesis.settings.register_profile("new", deadline=None, derandomize=False)
hypothesis.settings.load_profile(os.environ.get("EXAMPLES", "same"))


def pytest_collection_modifyitems(items: Iterable[pytest.Item]) -> None:
    """Skip what cannot run here; under CI it runs, and fails."""
    for item in items:
        for marker, commands in TOOLS.items():
            if item.get_closest_marker(marker) and not os.environ.get("CI") and not _usable(marker):
                item.add_marker(pytest.mark.skip(reason=f"{commands[0]} cannot be used here"))


@cache
def _usable(marker: str) -> bool:
    if not any(map(shutil.which, TOOLS[marker])):
        return False
    probe = PROBES.get(marker)
    return probe is None or subprocess.run(probe, capture_output=True).returncode == 0


def pytest_terminal_summary(terminalreporter: Any) -> None:
    left_out: dict[str, list[str]] = {}
    for report in terminalreporter.stats.get("skipped", []):
        left_out.setdefault(report.longrepr[2].removeprefix("Skipped: "), []).append(report.nodeid)
    for reason, tests in left_out.items():
        terminalreporter.write_line(f"{reason}; left out: {', '.join(tests)}", yellow=True)


@pytest.fixture(autouse=True)
def _compiled_once(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a test trained with is closed, and serves the next one: compiling takes longer than learning."""
    steppers = sys.modules.get("blog_gen.model.training.steppers.on_tensorflow")
    if steppers is None:
        yield
        return
    made, opened = [], steppers.opened

    def noted(spec: Any) -> Any:
        made.append(opened(spec))
        return made[-1]

    monkeypatch.setattr(steppers, "opened", noted)
    yield
    for stepper in made:
        stepper.close()


@pytest.fixture
def known_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine is as fast as ever, which need not be tried out."""
    as_fast_as_ever(monkeypatch.setattr)


@pytest.fixture(scope="session")
def jekyll() -> str:
    """The real Jekyll's command, for tests marked `jekyll`."""
    command = shutil.which("jekyll")
    if command is None:
        pytest.fail("jekyll is not installed, and CI must not leave its tests out")
    return command
