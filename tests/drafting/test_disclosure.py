"""The line that says how a draft was made: in the language of the blog, or the author's own."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from blog_gen.config.loading import load_settings
from blog_gen.config.settings import Settings
from blog_gen.drafting import disclosure
from blog_gen.errors import ConfigError
from blog_gen.site.composing import Draft

BODY = "It rained.\n\nThen it did not."


def _draft(body: str, model: str = "mini") -> Draft:
    return Draft("Rain", body, datetime(2026, 3, 5, tzinfo=UTC), provenance={"model": model})


@pytest.mark.parametrize("language", [*disclosure.LINES, "xx", None])
def test_what_is_added_is_one_line_that_can_be_taken_off_again(tmp_path: Path, language: str | None) -> None:
    settings = Settings(site=tmp_path)
    body = disclosure.added_to(BODY, "mini", settings, language)
    line = body.removeprefix(f"{BODY}\n\n")
    assert line == disclosure.added_to("", "mini", settings, language)
    assert "\n" not in line and "mini" in line and line.startswith("*") and line.endswith("*")
    assert disclosure.without(_draft(body), settings) == BODY
    in_english = dataclasses.replace(settings, jekyll={"lang": "en"})
    assert disclosure.without(_draft(body), in_english) == BODY, "the site's language was changed since"


def test_every_language_has_a_line_of_its_own() -> None:
    assert len(set(disclosure.LINES.values())) == len(disclosure.LINES)
    assert all(line.count("{model}") == line.count("{") == 1 for line in disclosure.LINES.values())


@pytest.mark.parametrize(
    ("jekyll", "found", "begins"),
    [
        ({}, "de", "*Dieser Beitrag"),
        ({"lang": "fr"}, "de", "*Ce billet"),
        ({"locale": "zh-CN"}, None, "*本文"),
        ({"language": 3}, None, "*This post"),
    ],
)
def test_the_sites_own_word_on_its_language_comes_first(
    tmp_path: Path, jekyll: dict[str, Any], found: str | None, begins: str
) -> None:
    settings = Settings(site=tmp_path, jekyll=jekyll)
    assert disclosure.added_to("", "mini", settings, found).startswith(begins)


def test_the_setting_is_a_switch_or_the_line(tmp_path: Path) -> None:
    config = tmp_path / "_config.yml"
    config.write_text("blog_gen: {disclosure: 'Written by **{model}**. {% raw %}'}\n")
    settings = load_settings(tmp_path)
    body = disclosure.added_to(BODY, "mini", settings)
    assert body == f"{BODY}\n\nWritten by **mini**. {{% raw %}}"
    assert disclosure.without(_draft(body), settings) == BODY
    config.write_text("blog_gen: {disclosure: false}\n")
    assert disclosure.added_to(BODY, "mini", load_settings(tmp_path)) == BODY
    config.write_text("blog_gen: {disclosure: 3}\n")
    with pytest.raises(ConfigError, match="disclosure"):
        load_settings(tmp_path)


def test_a_site_has_its_own_template(tmp_path: Path) -> None:
    (tmp_path / "_templates").mkdir()
    (tmp_path / "_templates" / "disclosure.md").write_text("By {{ model }}.\n")
    settings = Settings(site=tmp_path)
    body = disclosure.added_to(BODY, "mini", settings, "de")
    assert body.endswith("\n\nBy mini.") and disclosure.without(_draft(body), settings) == BODY


def test_where_a_model_lies_is_not_told(tmp_path: Path) -> None:
    settings = Settings(site=tmp_path)
    body = disclosure.added_to(BODY, "/home/me/models/own", settings)
    assert "(own)" in body and "/home" not in body
    assert disclosure.without(_draft(body, "own"), settings) == BODY


def test_the_line_of_the_first_version_is_known(tmp_path: Path) -> None:
    line = disclosure.LINES["en"].replace("{model}", "GPT-2, mini")
    assert disclosure.without(_draft(f"{BODY}\n\n*{line}*"), Settings(site=tmp_path)) == BODY


def test_what_is_not_the_line_stays(tmp_path: Path) -> None:
    assert disclosure.without(_draft(BODY), Settings(site=tmp_path)) == BODY
