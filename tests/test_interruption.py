"""Ctrl-C and SIGTERM stop `run` wherever it is, with the code 130 and nothing half-written."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from deadlines import wait_until
from tiny_site import write_base, write_site

# The real command; only the writing of a draft never ends.
_COMMAND = """
import sys, time
from blog_gen.drafting import drafter
from blog_gen.cli import main

def draft(*arguments):
    print("writing", flush=True)
    time.sleep(60)

drafter.Drafter.draft = draft
main()
"""
SIGNALS = [signal.SIGTERM, signal.SIGINT]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trained site whose settings would train it for hours."""
    base = write_base(tmp_path_factory.mktemp("base"))
    folder = write_site(tmp_path_factory.mktemp("site"), base)
    subprocess.run([*_words("train", "--steps", "2")], cwd=folder, check=True, capture_output=True)
    return folder


def _words(*words: str) -> list[str]:
    return [sys.executable, "-c", _COMMAND, *words]


def _begin(site: Path, *words: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "BLOG_GEN_NOW": "2026-03-05T12:00:00+00:00"}
    return subprocess.Popen(
        _words(*words), cwd=site, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("quiet", [(), ("--quiet",)])
def test_while_writing_it_stops_at_once_without_a_draft(
    site: Path, number: int, quiet: tuple[str, ...]
) -> None:
    process = _begin(site, "run", "--no-train", *quiet)
    assert process.stdout is not None and process.stdout.readline() == "writing\n"
    asked = time.monotonic()
    process.send_signal(number)
    said = process.communicate(timeout=30)[1]
    assert process.returncode == 130, said
    assert time.monotonic() - asked < 10  # what the Jekyll plugin waits before it kills
    assert not list((site / "_generated").glob("*")) and "Traceback" not in said


def test_while_learning_quietly_it_saves_and_stops(site: Path) -> None:
    process = _begin(site, "run", "--quiet", "--steps", "10000000")
    state = site / ".blog_gen" / "runs" / "default" / "training"
    wait_until((state / "best.safetensors").exists, "the first evaluation", seconds=120)
    process.send_signal(signal.SIGTERM)
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 130, said
    assert "kept as default.before" in said, "even so: what is put aside is said"
    assert list(state.glob("state-*.safetensors"))
    assert not list((site / "_generated").glob("*"))
