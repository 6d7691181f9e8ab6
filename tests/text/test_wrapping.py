"""Breaks that nobody sees are joined, and all that Markdown sees stays."""

from __future__ import annotations

import re
import textwrap

import mistune
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blog_gen.text.wrapping import joined, wrapped_at

PARAGRAPH = (
    "The kettle came with a sheet of paper that says in nine languages what not to do with it, and I have "
    "read all of them, one after the other, on the balcony, while it did what the sheet says it never would."
)
WRAPPED = textwrap.fill(PARAGRAPH, 60)
APART = {
    "code": "```\nthe first line of a listing that is as long as the width\nand the second\n```",
    "indented code": "    the first line of a listing that is as long as the width\n    and the second",
    "items": "- an item of a list that is nearly as long as the width is\n- another one",
    "table": "| a table | with a row that is about as long as the width |\n|---|---|\n| one | two |",
    "quotation": "> what somebody said and broke at nearly the same width as\n> all the others",
    "verse": "The kettle sings,\nthe kettle boils,\nthe kettle brings\nan end to toils.",
    "heading": "A heading that is as long as any of the other lines here is\n=====",
    "two blanks": "An address that is as long as any of the other lines are,  \nSomewhere",
    "backslash": "An address that is as long as any of the other lines are,\\\nSomewhere",
    "definition": "[1]: https://example.org/a-page-with-a-long-address-at-the-end\n[2]: https://example.org",
    "mathematics": "$$\na + b + c + d + e + f + g + h + i + j + k + l + m + n = 1\n+ o\n$$",
    "listing in an item": "-     a line of code that is as long as the other lines\n      more of it",
    "heading over dashes": "A heading\n- \n    a line of code that is as long as the others\nmore",
    "attribute": "A paragraph that is as long as any of the other lines here.\n{: .wide}",
}
as_html = mistune.create_markdown(plugins=["table"])


@pytest.mark.parametrize("width", [60, 72, 80])
def test_a_blog_that_wraps_is_told_and_joined(width: int) -> None:
    wrapped = textwrap.fill(PARAGRAPH, width)
    found = wrapped_at([f"{wrapped}\n\nShort.\n\n{wrapped}", wrapped])
    assert found is not None and width - 9 <= found <= width
    assert joined(f"{wrapped}\n\n{wrapped}", found) == f"{PARAGRAPH}\n\n{PARAGRAPH}"


@pytest.mark.parametrize(
    "body", [PARAGRAPH, f"{WRAPPED}\n\n{PARAGRAPH}\n\n{PARAGRAPH}", PARAGRAPH.replace(", ", ",\n"), "", "\n"]
)
def test_a_blog_that_does_not_is_left_alone(body: str) -> None:
    assert wrapped_at([body]) is None


@pytest.mark.parametrize("kind", APART)
def test_what_is_no_paragraph_stays_as_it_is(kind: str) -> None:
    body = f"{WRAPPED}\n\n{APART[kind]}\n\n{WRAPPED}"
    assert joined(body, 60) == f"{PARAGRAPH}\n\n{APART[kind]}\n\n{PARAGRAPH}"


def test_an_item_goes_on_in_its_line() -> None:
    item = "- " + textwrap.fill(PARAGRAPH, 60).replace("\n", "\n  ")
    assert joined(f"{item}\n{item}", 60) == f"- {PARAGRAPH}\n- {PARAGRAPH}"


def test_chinese_lines_are_not_joined_by_a_blank() -> None:
    text = "今天下雨。" * 12 + "\n" + "今天下雨。" * 12
    assert joined(text, 60) == text


LINES = st.sampled_from(
    [*WRAPPED.split("\n"), *"\n".join(APART.values()).split("\n"), "", "- ", "--", "+", "2)", "1. a", "* * *"]
)


@given(st.lists(LINES, max_size=12).map("\n".join))
def test_a_reader_sees_the_same(body: str) -> None:
    pages = (as_html(text) for text in (body, joined(body, 60)))
    before, after = (re.sub(r"\s+", " ", str(page)) for page in pages)
    assert before == after
