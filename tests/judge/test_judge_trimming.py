"""A text cut anywhere is trimmed to a whole one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blog_gen.judge.blocks import blocks_of
from blog_gen.judge.markup import heading_faults, markup_faults
from blog_gen.judge.trimming import broken_off, trimmed, whole

POST = """It rained, e.g. all day. So *we read. A lot.* Then “we slept.” And [a link](/that.html), too.

## What we read

These books:

- The first. It was long.
- the second
1. One of 2. or 3 pages.

```python
x = "never. cut. here."
```

| a. | b |
|----|---|
| c. | d |

> A quote that ends. And **one
> that goes on.**

## The end

Nothing else. 終わり。そして
"""


def test_wherever_it_is_cut_the_rest_is_whole() -> None:
    for text in {trimmed(POST[:at]) for at in range(len(POST) + 1)}:
        blocks = blocks_of(text)
        assert POST.startswith(text)
        assert markup_faults(blocks) == heading_faults(blocks) == []
        assert not text.endswith(("cut", ":", "qu", "1."))


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        ("One. Two. Thr", "One. Two."),
        ("One (e.g. two) and", ""),
        ("One.\n\n## Two\n\nThr", "One."),
        ("One.\n\nAs follows:\n\n```\ncode", "One."),
        ("One.\n\n```\ncode\n```", "One.\n\n```\ncode\n```"),
        ("One.\n\n- two\n- thr", "One.\n\n- two"),
        ("One.\n\n1. Two. Thr", "One.\n\n1. Two."),
        ("One.\n\n1. tw", "One."),
        ("One. **Two. Three", "One."),
        ("One.\n\n| a | b |\n|---|---|\n| c", "One."),
        ("One.\n\nTwo\n\nThr", "One.\n\nTwo"),
        ("一。二。三", "一。二。"),
        ("", ""),
    ],
)
def test_what_is_kept(body: str, kept: str) -> None:
    assert trimmed(body) == kept


@pytest.mark.parametrize(
    ("body", "broken"),
    [
        ("One. Two and thr", "Two and thr"),
        ("One.\n\nTwo,", "Two,"),
        ("One.\n\n- Two.\n- Three.\n- Fo", "Fo"),
        ("One.\n\n- two\n- three\n- fo", ""),
        ("One.\n\n> Two. Three", "Three"),
        ("一。二。三", "三"),
        ("One. See you :D", ""),
        ("One. So long :tada:", ""),
        ("One. See https://example.org/two", ""),
        ("One. See [two](https://example.org/two)", ""),
        ("One “two”", ""),
        ("“One, and two.” —Ann Three", ""),
        ("One.\n\n\\- Ann Two", ""),
        ("One. Two 🌧", ""),
        ("One.\n\n```\ntwo\n```", ""),
        ("One:\n\n```\ntwo", "```\ntwo"),
        ("One.\n\n[1]: https://example.org", ""),
        ("", ""),
    ],
)
def test_what_breaks_off(body: str, broken: str) -> None:
    assert broken_off(body) == broken and broken_off(f"{body}\n") == broken


@pytest.mark.parametrize("sentences", [True, False])
@pytest.mark.parametrize(
    "open_end", ["Such as:\n\n```js\nlet it = 'rain'\n\nAnd on.", "- So it is.\n- Or as we"]
)
def test_what_breaks_off_goes_however_the_posts_end(open_end: str, sentences: bool) -> None:
    assert whole(f"It rained.\n\n- As it may.\n\n{open_end}", sentences) in (
        "It rained.\n\n- As it may.",
        "It rained.\n\n- As it may.\n\n- So it is.",
    )


@given(st.text(alphabet="aA .:*`#-\n", max_size=60))
def test_it_is_always_a_beginning(body: str) -> None:
    assert body.startswith(trimmed(body))
