"""Templates: the site's own wins, cannot do harm, and its faults are explained."""

from __future__ import annotations

from pathlib import Path

import pytest

from blog_gen.errors import BlogGenError
from blog_gen.site.templates import render

CRONTAB = {"begin": "#b", "end": "#e", "minute": 7, "hour": 9, "site": "/s", "command": "c"}


def own(site: Path, text: str) -> Path:
    (site / "templates").mkdir()
    (site / "templates" / "crontab.j2").write_text(text)
    return site


def test_a_template_of_the_package(tmp_path: Path) -> None:
    line = "#b\n7 9 * * * cd /s && mkdir -p .blog_gen && c run >> "
    assert render("crontab.j2", tmp_path, **CRONTAB).startswith(line)


def test_the_sites_own_wins(tmp_path: Path) -> None:
    assert render("crontab.j2", own(tmp_path, "{{ hour }} of mine\n"), **CRONTAB) == "9 of mine\n"


def test_the_plugin_is_copied_as_it_is(tmp_path: Path) -> None:
    source = Path(__file__).parents[2] / "templates" / "blog_gen.rb"
    assert render("blog_gen.rb", tmp_path) == source.read_text()


@pytest.mark.parametrize(
    "text",
    [
        "{{ missing }}",
        "{% if %}",
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ cycler.__init__.__globals__.os }}",
    ],
)
def test_a_faulty_or_harmful_template_is_explained(text: str, tmp_path: Path) -> None:
    with pytest.raises(BlogGenError, match=r"crontab\.j2"):
        render("crontab.j2", own(tmp_path, text), **CRONTAB)


def test_a_name_cannot_lead_out_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    with pytest.raises(BlogGenError):
        render("../secret", own(tmp_path, ""), **CRONTAB)
