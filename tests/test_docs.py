"""The docs say what is so: the page of settings is made from them, and every example of settings is valid."""

from __future__ import annotations

import doctest
import re
import textwrap
from pathlib import Path

import pytest
import settings_page

from blog_gen.config.layers import names_in
from blog_gen.config.settings import Settings, load_settings

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def test_the_page_of_settings_is_that_of_today() -> None:
    made = settings_page.page()
    assert (ROOT / "docs" / "settings.md").read_text() == made, (
        "python tests/settings_page.py > docs/settings.md"
    )
    assert made.count("\n| `") == len(list(names_in(Settings())))
    assert doctest.testmod(settings_page).failed == 0


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_settings_in_the_docs_are_valid(page: Path, tmp_path: Path) -> None:
    for example in re.findall(r"^(?: {4}.*\n)*(?: {4}blog_gen:\n)(?: {4}.*\n)+", page.read_text(), re.M):
        (tmp_path / "_config.yml").write_text(textwrap.dedent(example))
        assert load_settings(tmp_path) != Settings(site=tmp_path)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files(page: Path) -> None:
    for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
        assert (page.parent / link).exists(), link
    assert (
        page.name in ("README.md", "settings.md") or f"docs/{page.name}" in (ROOT / "README.md").read_text()
    )
