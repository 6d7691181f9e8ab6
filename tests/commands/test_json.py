"""Output for programs has the keys that docs/json.md says, and no others."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tiny_site import write_base, write_site

PAGE = (Path(__file__).parents[2] / "docs" / "json.md").read_text()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trained site with a draft."""
    site = write_site(tmp_path_factory.mktemp("site"), write_base(tmp_path_factory.mktemp("base")))
    for words in (["train", "--steps", "20"], ["generate"]):
        subprocess.run([sys.executable, "-m", "blog_gen.cli", *words], cwd=site, check=True)
    return site


def _documented(command: str) -> list[str]:
    (section,) = (part for part in PAGE.split("\n## `blog-gen ")[1:] if part.startswith(command))
    return re.findall(r"`(\w+)`", "\n".join(row.split("|")[1] for row in section.splitlines() if "|" in row))


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("status", ["--json"]),
        ("review list", ["--json"]),
        ("evaluate", ["_articles/note_0.md", "--json"]),
        ("sample", ["--json", "--max-tokens", "5"]),
        ("models show", ["default", "--json"]),
        ("corpus", ["--format", "json"]),
    ],
)
def test_keys_are_those_of_the_page(site: Path, command: str, words: list[str]) -> None:
    line = [sys.executable, "-m", "blog_gen.cli", *command.split(), *words]
    rows: list[dict[str, Any]] = [
        json.loads(row) for row in subprocess.check_output(line, cwd=site, text=True).splitlines()
    ]
    assert rows and all(list(row) == _documented(command) for row in rows)
