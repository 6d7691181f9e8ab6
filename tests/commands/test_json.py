"""Output for programs has the keys that docs/json.md says, and no others."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from calling import call

PAGE = (Path(__file__).parents[2] / "docs" / "json.md").read_text()


@pytest.fixture(scope="module")
def drafted(common: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trained site with a draft."""
    site = shutil.copytree(common / "site", tmp_path_factory.mktemp("drafted") / "site")
    call(site, "generate")
    return site


def _documented(name: str) -> list[str]:
    (section,) = (part for part in PAGE.split("\n## `blog-gen ")[1:] if part.startswith(name))
    return re.findall(r"`(\w+)`", "\n".join(row.split("|")[1] for row in section.splitlines() if "|" in row))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("status", ["--json"]),
        ("review list", ["--json"]),
        ("evaluate", ["_articles/note_0.md", "--json"]),
        ("sample", ["--json", "--max-tokens", "5"]),
        ("models show", ["default", "--json"]),
        ("corpus", ["--format", "json"]),
    ],
)
def test_keys_are_those_of_the_page(drafted: Path, name: str, words: list[str]) -> None:
    said = call(drafted, *name.split(), *words).stdout
    rows: list[dict[str, Any]] = [json.loads(row) for row in said.splitlines()]
    assert rows and all(list(row) == _documented(name) for row in rows)
