"""Safety of a body: golden pairs, and the laws that hold for any text. The real Jekyll has its own test."""

from __future__ import annotations

import re
from pathlib import Path

import mistune
import pytest
from hostile_pages import Page
from hostile_texts import ATTACKS, PROSE
from hypothesis import example, given
from hypothesis import strategies as st

from blog_gen.text.safety import fences, links, liquid
from blog_gen.text.safety.links import known_places
from blog_gen.text.safety.safe import SiteFacts, known_hosts, make_safe, safe_line

PAIRS = sorted(Path(__file__).with_name("safe").glob("*.md"))
FACTS = SiteFacts(hosts=frozenset({"known.example"}), files=frozenset({"assets/cat.png"}))
TEXTS = st.lists(st.sampled_from([*ATTACKS, *PROSE]) | st.text(max_size=4), max_size=12).map("".join)
ARTICLES = (Path(__file__).parents[3] / "_articles").rglob("*.md")
BODIES = {path.stem: path.read_text("utf-8-sig").partition("\n---\n")[2].strip() for path in ARTICLES}
# Without those on Liquid, and with brackets in a link, which are written as %28 and %29.
HONEST = {name: body for name, body in BODIES.items() if not re.search(r"\{[{%]|\([^)\s]*\(", body)}
RENDERER = mistune.create_markdown(
    escape=False, plugins=["table", "footnotes", "strikethrough", "task_lists", "def_list", "abbr", "math"]
)


@pytest.mark.parametrize("path", PAIRS, ids=lambda path: path.stem)
def test_golden(path: Path) -> None:
    made = make_safe(path.read_bytes().decode("utf-8"), FACTS)
    found = "".join(f"{finding.line} {finding.kind}: {finding.detail}\n" for finding in made.findings)
    expected = path.with_suffix(".safe").read_text(encoding="utf-8")
    assert f"{made.body}\n-- findings --\n{found}" == expected


@given(TEXTS)
@example("\t```")
def test_a_safe_body_stays_as_it_is(text: str) -> None:
    once = make_safe(text, FACTS).body
    assert make_safe(once, FACTS).body == once


@given(TEXTS)
def test_commonmark_makes_nothing_of_it_either(text: str) -> None:
    body = make_safe(text, FACTS).body
    assert Page.of(str(RENDERER(liquid.armed(body)))).faults == [], body


@given(st.text(alphabet='{%} "x\n', max_size=30))
def test_disarmed_liquid_prints_what_it_was(text: str) -> None:
    assert liquid.armed(liquid.disarmed(text)) == text
    assert not list(liquid.tags(liquid.disarmed(text)))


@given(TEXTS, st.sampled_from(["\n\n", "\n\n\n", "<!--more-->"]))
def test_an_excerpt_never_ends_in_code(text: str, separator: str) -> None:
    body = make_safe(f"```\n<b>\n\n\n<!--more-->{text}", SiteFacts(excerpt_separator=separator)).body
    head, cut, _ = body.partition(separator)
    assert not cut or all(
        segment.closed for segment in fences.split(head) if isinstance(segment, fences.Fence)
    )


@pytest.mark.parametrize("body", HONEST.values(), ids=HONEST)
def test_an_honest_article_stays_as_it_is(body: str) -> None:
    images = frozenset(re.findall(r"\]\(/([^)]*)", body))
    facts = SiteFacts(known_hosts([body]), images, known_places([body]))
    assert make_safe(body, facts).body == body


def test_an_address_that_no_post_has_is_no_link() -> None:
    bodies = ["[a](https://forge.example/me/tool) and [b](/about/)", "[c](http://www.shop.example/x_(y))."]
    facts = SiteFacts(known_hosts(bodies), places=known_places(bodies))
    kept = "[t](http://forge.example/me/tool#use) [u](/about) [v](#notes) [w](http://shop.example/x_%28y%29)"
    assert make_safe(kept, facts).body == kept
    made_up = "[t](https://forge.example/you/tool/pull/1400) [u](/en/about) https://forge.example/you"
    safe = make_safe(made_up, facts)
    assert safe.body == "t u https\\://forge.example/you" and len(safe.findings) == 3


@given(st.one_of(TEXTS, st.text()))
def test_a_safe_line_is_one_inert_line(text: str) -> None:
    line = safe_line(text)
    assert line == " ".join(line.split()) == safe_line(line)
    assert Page.of(f"<h1>{line}</h1>").faults == []
    assert Page.of(str(RENDERER(line))).faults == []
    assert not list(liquid.tags(line))


def test_code_is_left_to_the_letter() -> None:
    source = "for (;;) { a[i](x); } // <b> {: x} $$ &#0; [a]: javascript:b"
    assert f"```js\n{source}\n```" in make_safe(f"Prose.\n\n```js\n{source}\n```", FACTS).body


def test_where_backticks_are_no_fence_tildes_are() -> None:
    body = "Prose.\n\n```js\n<b>\n~~~\n```"
    facts = SiteFacts(backtick_fences=False)
    assert make_safe(body, facts).body == "Prose.\n\n~~~~js\n<b>\n~~~\n~~~~"


@pytest.mark.parametrize(
    ("url", "may"),
    {
        "/about/": True,
        "about.html?x=a:b#c": True,
        "#here": True,
        "../up/": True,
        "http://known.example": True,
        "HTTPS://www.Known.Example:8080/x": True,
        "https://unknown.example/": False,
        "https://known.example.evil.example/": False,
        "https://known.example@evil.example/": False,
        "https://known.example\\@evil.example/": False,
        "//known.example/": False,
        "/\\evil.example": False,
        "javascript:alert(1)": False,
        "JaVaScRiPt:x": False,
        "java\tscript:x": False,
        "javascript&colon;x": False,
        "&#106;avascript:x": False,
        "data:text/html,x": False,
        "mailto:a@known.example": False,
        "ftp://known.example/": False,
        "": False,
    }.items(),
)
def test_where_a_link_may_lead(url: str, may: bool) -> None:
    assert links.may_link(url, FACTS) is may


@pytest.mark.parametrize(
    ("text", "kinds"),
    {
        "key AKIAABCDEFGHIJKLMNOP and ghp_0123456789abcdefghij": ["secret", "secret"],
        "password: hunter2!": ["secret"],
        "api_key = 'a1b2c3d4e5'": ["secret"],
        "the password is a word, and the token is lost": [],
        "0123456789abcdef0123456789abcdef": ["secret"],
        "me.and+you@mail.example.org": ["email"],
        "+49 (30) 123 45 67 or (555) 123-4567": ["telephone", "telephone"],
        "2024-01-02 10:00, 1234567, 978-3-16-148410-0, 1.5 x 10, v1.2.3": [],
        "a-long-slug-of-many-words-2024-01-02-and-more": [],
    }.items(),
)
def test_what_is_flagged(text: str, kinds: list[str]) -> None:
    assert [finding.kind for finding in make_safe(text, FACTS).findings] == kinds


def test_a_finding_says_where() -> None:
    found = make_safe("One.\n\nTwo <script>x</script>\nme@x.example", FACTS).findings
    assert [(finding.kind, finding.line) for finding in found] == [("script", 3), ("email", 4)]
