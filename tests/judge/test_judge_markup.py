"""Blocks and what is broken in them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blog_gen.judge.blocks import blocks_of
from blog_gen.judge.markup import heading_faults, markup_faults

PIECES = ["word", "*", "**", "_", "`", "```", "~~~", "[", "](", ")", "# ", "- ", "1. ", "> ", "|", "---"]
PIECES += ["===", "<b>", "[^1]", "[^1]: ", ": ", ".", "$", " ", "    ", "\n", "\n\n"]
MARKDOWN = st.lists(st.sampled_from(PIECES), max_size=40).map("".join)


def kinds(body: str) -> list[str]:
    return [block.kind for block in blocks_of(body)]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("one\ntwo\n\nthree", ["paragraph", "paragraph"]),
        ("# One\ntext", ["heading", "paragraph"]),
        ("One\n===\ntext", ["heading", "paragraph"]),
        ("- a\n- b\n  more\n\n  even more", ["item", "item", "paragraph"]),
        ("```\n# no\n- no\n```\nyes", ["fence", "paragraph"]),
        ("~~~~\n~~~\n\nstill code", ["fence"]),
        ('<div class="code">```\n\n# no\n```\n\n</div>yes', ["fence", "html"]),
        ("| a | b |\n|---|---|\n| 1 | 2 |\n\ntext", ["table", "paragraph"]),
        ("> a\n> b\n\n> c", ["quote", "quote"]),
        ("text[^1]\n\n[^1]: note", ["paragraph", "footnote"]),
        ("text\n\n    code\n", ["paragraph", "code"]),
        ("a\n\n***\n\n<div>\n# raw\n</div>\n\n[a]: /b", ["paragraph", "rule", "html", "definition"]),
        ("#hashtag and 2019. no list", ["paragraph"]),
    ],
)
def test_kinds_of_blocks(body: str, expected: list[str]) -> None:
    assert kinds(body) == expected


@given(MARKDOWN)
def test_blocks_hold_every_line_that_is_not_blank_once(body: str) -> None:
    blocks = blocks_of(body)
    assert all(body.startswith(block.text, block.start) for block in blocks)
    assert all(body[: block.start].count("\n") + 1 == block.line for block in blocks)
    held = [line for block in blocks for line in block.text.split("\n") if line.strip()]
    assert held == [line for line in body.split("\n") if line.strip()]


GOOD = """It *was* **very** `odd * [` and 2 * 3 = 6, says [a post](https://example.org/a_(b)_c)[^n].

## See [that][ref], and any snake_case name

- [x] done
- **[bold](/link)** first_

| a | b \\| c |
|---|:-:|
| `|` | 2 |

```c
int *p = &a[
```

It cost $5 and \\* more, *as ~~**we**~~ said* (“_so_”).

See [the shed](
https://example.org/shed) or [its roof](https://example.org/roof
) and [the oar]({% post_url
2020-01-01-the-oar %}), 5 % of it.

| Oars | left | right |
|---|---|---|
| **Old** |
| 1 | 2 | 3 | 4 |
| 1 | 2 | 3 |

[^n]: A note.
[ref]: https://example.org
"""


def test_good_markdown_has_no_fault() -> None:
    assert markup_faults(blocks_of(GOOD)) == []
    assert heading_faults(blocks_of(GOOD)) == []


@pytest.mark.parametrize(
    ("body", "line", "what"),
    [
        ("text\n\n```\ncode", 3, "fence"),
        ("a [link](https://example.org/", 1, "]("),
        ("a [link that goes nowhere", 1, "[ is never"),
        ("a [link][nowhere]", 1, "[nowhere] is not defined"),
        ("a **bold word", 1, "* is never"),
        ("an _odd word", 1, "_ is never"),
        ("a `code span", 1, "` is never"),
        ("a note[^1]", 1, "footnote 1"),
        ("- one\n-\n- three", 2, "empty"),
        ("text\n\n| a |\n|---|---|\n| 1 | 2 |", 3, "head of a table"),
        ("A line\nof it\ntags: birds, hills\n---\nThe second.", 1, "head of another post"),
        ("| a | b |\n|---|---|\n| 1 |", 3, "columns"),
        ("fine\n\nmore *fine*\n\n> not ** so **fine", 5, "* is never"),
    ],
)
def test_broken_markdown_is_found_in_its_line(body: str, line: int, what: str) -> None:
    (fault,) = markup_faults(blocks_of(body))
    assert fault.line == line and what in fault.what


@pytest.mark.parametrize(
    ("body", "faults"),
    [
        ("## One\ntext\n### Two\ntext\n## Three\ntext", 0),
        ("## One\n### Two\ntext", 0),
        ("## One\ntext\n#### Two\ntext", 1),
        ("## One\n## Two\ntext", 1),
        ("text\n\n## Last", 1),
        ("## [One](#one)\n## [Two](#two) ##\n## One\ntext", 0),
        ("## See [one](#one)\n## One\ntext", 1),
    ],
)
def test_headings_in_order(body: str, faults: int) -> None:
    assert len(heading_faults(blocks_of(body))) == faults
