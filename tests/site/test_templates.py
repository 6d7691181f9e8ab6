"""Templates: the site's own wins, cannot do harm, and its faults are explained."""

from __future__ import annotations

from pathlib import Path

import pytest

from blog_gen.errors import BlogGenError
from blog_gen.site.templates import old_templates, render

CRONTAB = {"begin": "#b", "end": "#e", "minute": 7, "hour": 9, "site": "/s", "command": "c"}


def own(site: Path, text: str, folder: str = "_templates") -> Path:
    (site / folder).mkdir()
    (site / folder / "crontab.j2").write_text(text)
    return site


def test_a_template_of_the_package(tmp_path: Path) -> None:
    line = "#b\n7 9 * * * cd /s && mkdir -p .blog_gen && c run >> "
    assert render("crontab.j2", tmp_path, **CRONTAB).startswith(line)


def test_the_sites_own_wins(tmp_path: Path) -> None:
    assert render("crontab.j2", own(tmp_path, "{{ hour }} of mine\n"), **CRONTAB) == "9 of mine\n"


def test_the_folder_of_version_0_1_is_read_with_a_note(tmp_path: Path) -> None:
    site = own(tmp_path, "{{ hour }} of old\n", "templates")
    assert render("crontab.j2", site, **CRONTAB) == "9 of old\n"
    (note,) = old_templates(site)
    assert "`_templates/`" in str(note)
    own(tmp_path, "{{ hour }} of mine\n")
    assert render("crontab.j2", site, **CRONTAB) == "9 of mine\n"


def test_other_peoples_templates_and_the_packages_own_are_none_of_a_site(tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "page.html").write_text("")
    assert old_templates(tmp_path) == []
    assert old_templates(Path(__file__).parents[2]) == []


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
