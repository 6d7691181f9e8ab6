"""Markdown to plain text: golden pairs `plain/NAME.md` and `plain/NAME.txt`; a new bug is a new pair."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blog_gen.text.liquid import hidden
from blog_gen.text.plain import to_plain

PAIRS = sorted((Path(__file__).parent / "plain").glob("*.md"))


@pytest.mark.parametrize("markdown", PAIRS, ids=lambda path: path.stem)
def test_golden_pair(markdown: Path) -> None:
    plain = markdown.with_suffix(".txt").read_text(encoding="utf-8")
    assert to_plain(markdown.read_text(encoding="utf-8")) == plain.rstrip("\n")


def test_golden_pairs_are_found() -> None:
    assert len(PAIRS) >= 7


@given(st.text(alphabet="ab *_`[]()<>!#-|~:\n{}%^&;\\", max_size=80))
@settings(deadline=None)
def test_no_markdown_is_too_odd(markdown: str) -> None:
    plain = to_plain(markdown)
    assert plain == plain.strip("\n")


@given(st.lists(st.from_regex(r"[a-z]{1,8}( [a-z]{1,8}){0,5}\.", fullmatch=True), min_size=1, max_size=5))
@settings(deadline=None)
def test_plain_prose_stays_as_it_is(paragraphs: list[str]) -> None:
    prose = "\n\n".join(paragraphs)
    assert to_plain(prose) == prose


@given(st.text(alphabet="ab Z01{%}raw\n-", max_size=60))
@settings(deadline=None)
def test_marks_of_hidden_liquid_never_show(markdown: str) -> None:
    found = hidden(f"{markdown} {{{{ a }}}} {{% raw %}}{{{{ b }}}}{{% endraw %}} {markdown}")
    assert not found.mark.search(markdown)
    assert not found.mark.search(found.prose(found.text))
    assert not found.mark.search(to_plain(markdown))
