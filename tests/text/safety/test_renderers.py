"""What Markdown renderers make of hostile texts, once they are safe: nothing that runs or leads away."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import cmarkgfm
import commonmark
import mistune
import pytest
from cmarkgfm.cmark import Options
from hostile_pages import Page
from hostile_texts import ATTACKS, hostile_texts

from blog_gen.text.safety import liquid
from blog_gen.text.safety.safe import SiteFacts, make_safe, safe_line, typographic

FACTS = SiteFacts(hosts=frozenset({"known.example"}), files=frozenset({"assets/cat.png"}))
SENTINEL = "qzxend"  # stands at the end of each text: nothing may hide it
NUMBER = 400
# Raw HTML and all addresses pass: what is safe is our text, not the renderer.
UNSAFE = Options.CMARK_OPT_UNSAFE
PLUGINS = ["table", "footnotes", "strikethrough", "task_lists", "def_list", "abbr", "math", "url"]
RENDERERS: dict[str, Callable[[str], str]] = {
    "commonmark.py": commonmark.commonmark,
    "cmark-gfm, bare": lambda text: cmarkgfm.markdown_to_html(text, options=UNSAFE),
    "cmark-gfm, smart": lambda text: cmarkgfm.markdown_to_html(
        text, options=UNSAFE | Options.CMARK_OPT_SMART
    ),
    "cmark-gfm, footnotes": lambda text: cmarkgfm.markdown_to_html(
        text, options=UNSAFE | Options.CMARK_OPT_FOOTNOTES
    ),
    "cmark-gfm, extensions": lambda text: cmarkgfm.github_flavored_markdown_to_html(text, options=UNSAFE),
    "cmark-gfm, all": lambda text: cmarkgfm.github_flavored_markdown_to_html(
        text, options=UNSAFE | Options.CMARK_OPT_FOOTNOTES
    ),
    "mistune": lambda text: str(mistune.create_markdown(escape=False, plugins=PLUGINS)(text)),
}


def texts() -> Iterator[str]:
    yield from ATTACKS
    yield from hostile_texts(7, NUMBER)


@pytest.fixture(scope="module")
def bodies() -> dict[str, str]:
    """Safe bodies, as Liquid leaves them, by the texts that they were."""
    return {text: liquid.armed(make_safe(f"{text}\n\n{SENTINEL}", FACTS).body) for text in texts()}


@pytest.mark.parametrize("name", RENDERERS)
def test_nothing_hostile_is_rendered(name: str, bodies: dict[str, str]) -> None:
    for text, body in bodies.items():
        page = Page.of(RENDERERS[name](body))
        assert not page.faults, f"{page.faults}\n{text!r}\n{body!r}"
        assert SENTINEL in "".join(page.text), f"{text!r}\n{body!r}"


@pytest.mark.parametrize("name", RENDERERS)
@pytest.mark.parametrize(
    "text",
    [
        "Click[^1].\n\n[^1]: javascript:alert(1)",
        "[^1]\n\n[^1]: <javascript:alert(1)>",
        "[^1]\n\n[^1]:\n  javascript:alert(1)\n  'title'",
        "[^1]\n\n> [^1]: https://unknown.example/",
        "At http://unknown.example/?u=http://unknown.example, https://known.example@unknown.example/",
        "At www.unknown.example or me@unknown.example or ftp://unknown.example/",
        'At https://known.example/"http://unknown.example or http://known.example.unknown.example',
    ],
)
def test_no_renderer_links_where_the_site_does_not(name: str, text: str) -> None:
    page = Page.of(RENDERERS[name](make_safe(text, FACTS).body))
    assert not page.faults


def test_what_reads_well_stays() -> None:
    body = "https://known.example/a, (http://www.known.example).\nNote[^1]\n\n[^1]: Two words.\n\n[^2]: Ibid"
    assert make_safe(body, FACTS).body == body


@pytest.mark.parametrize("quote", ['"', "'"])
def test_a_title_never_ends_the_attribute_that_it_is_printed_in(quote: str) -> None:
    for text in texts():
        page = Page.of(f"<p title={quote}{typographic(safe_line(text))}{quote}>x</p>")
        assert not page.faults and page.text == ["x"], text
