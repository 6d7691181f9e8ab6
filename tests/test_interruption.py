"""Ctrl-C and SIGTERM stop `run` wherever it is, with the code 130 and nothing half-written."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from calling import call
from deadlines import wait_until
from tiny_site import write_base, write_site

from blog_gen.commands.interruption import AT_ONCE

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
# Steps that never end, the first of them or the second, in native code, where Python hears no signal.
_COMPUTING = """
import hashlib, sys
from blog_gen.commands import interruption
from blog_gen.model.quiet import quiet
quiet()
from blog_gen.model.training.training import FineTuning
from blog_gen.cli import main

interruption.PATIENCE = 0.1
advance = FineTuning.advance

def stuck(self, *given):
    if self.position.step < STEPS:
        return advance(self, *given)
    print("computing", flush=True)
    hashlib.pbkdf2_hmac("sha256", b"", b"", 10**9)

FineTuning.advance = stuck
main()
"""
SIGNALS = [signal.SIGTERM, signal.SIGINT]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trained site whose settings would train it for hours."""
    base = write_base(tmp_path_factory.mktemp("base"))
    folder = write_site(tmp_path_factory.mktemp("site"), base)
    call(folder, "train", "--steps", "2", now=None)
    return folder


def _begin(site: Path, *words: str, script: str = _COMMAND) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", script, *words],
        cwd=site,
        env={**os.environ, "BLOG_GEN_NOW": "2026-03-05T12:00:00+00:00"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
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
    wait_until(lambda: any(state.glob("state-*")), "the first evaluation", seconds=120)
    process.send_signal(signal.SIGTERM)
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 130, said
    assert "kept as default.before" in said, "even so: what is put aside is said"
    assert list(state.glob("state-*.safetensors"))
    assert not list((site / "_generated").glob("*"))


@pytest.mark.parametrize(("steps", "unsaved"), [(0, False), (2, True)])
def test_while_native_code_computes_it_stops_at_once_where_nothing_is_unsaved(
    site: Path, steps: int, unsaved: bool
) -> None:
    words = ["train", "--fresh", "--steps", "9", "--learning-rate", "1e-12"]  # the first step is the best
    process = _begin(site, *words, script=_COMPUTING.replace("STEPS", str(steps)))
    assert process.stdout is not None and process.stderr is not None
    assert process.stdout.readline() == "computing\n"
    process.send_signal(signal.SIGINT)
    if unsaved:  # a second one ends it all the same
        assert any(line == "saving, then stopping …\n" for line in process.stderr)
        process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=30)[1]
    assert process.returncode == 130, said
    assert said.endswith("blog-gen: interrupted\n") and "Traceback" not in said
    assert (AT_ONCE in said) != unsaved
    assert not list(site.rglob(".blog-gen-tmp-*"))
