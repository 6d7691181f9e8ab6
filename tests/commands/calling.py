"""How tests call the real command: in a process of its own, by a clock that they set."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence

DAY = "2026-03-05"
NOW = f"{DAY}T12:00:00+00:00"
Run = Callable[..., "subprocess.CompletedProcess[str]"]


def command(words: Sequence[str]) -> list[str]:
    return [sys.executable, "-m", "blog_gen.cli", *words]


def environment(now: str = NOW) -> dict[str, str]:
    return {**os.environ, "BLOG_GEN_NOW": now}
