"""The docs say what is so: the page of settings is made from them, and every example of settings is valid."""

from __future__ import annotations

import doctest
import re
import textwrap
from pathlib import Path

import pytest
import settings_page
import test_rooms

from blog_gen.config.layers import names_in
from blog_gen.config.loading import load_settings
from blog_gen.config.settings import Settings

ROOT = Path(__file__).parents[1]
CODE = ROOT / "blog_gen"
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


def test_the_architecture_page_lists_the_layers_as_they_are_held() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    listed = re.findall(r"^    ([a-z, ]+)$", text.partition("They point down this list")[2], re.M)
    assert [set(line.split(", ")) for line in listed] == [
        layer - {"__init__", "base"} for layer in test_rooms.LAYERS if layer - {"__init__", "base"}
    ]


@pytest.mark.parametrize("page", ["docs/architecture.md", "CONTRIBUTING.md"])
def test_modules_that_a_page_names_are_there(page: str) -> None:
    for name in re.findall(r"`((?:[a-z_]+/)*[a-z_]+(?:\.py|/))`", (ROOT / page).read_text()):
        assert any((folder / name).exists() for folder in (ROOT, CODE, ROOT / ".blog_gen")) or name in (
            "training/",
        ), name


def test_every_room_is_on_the_architecture_page() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    rooms = {path.parent.relative_to(CODE).as_posix() for path in CODE.rglob("*.py")} - {"."}
    assert [room for room in sorted(rooms) if f"`{room}/`" not in text] == []


def test_words_that_the_glossary_gives_up_are_gone() -> None:
    table = (ROOT / "docs" / "glossary.md").read_text()
    given_up = [row.split("|")[3].strip() for row in table.splitlines() if row.startswith("| ")][2:]
    pages = [*PAGES, *CODE.rglob("*.py"), *(ROOT / "templates").rglob("*.j2")]
    for page in pages:
        if page.name not in ("glossary.md", "experiments.md"):
            for word in filter(None, given_up):
                assert word not in page.read_text().lower(), f"{page.relative_to(ROOT)}: {word}"
