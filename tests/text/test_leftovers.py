"""What a sampled text left standing goes; what it finished, and code, stays."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blog_gen.text.leftovers import without_addresses, without_leftovers
from blog_gen.text.safety.facts import SiteFacts

FACTS = SiteFacts(hosts=frozenset({"friend.com"}), files=frozenset({"b.png"}), named=frozenset({"shop.com"}))


@pytest.mark.parametrize(
    ("sampled", "left"),
    [
        ("We read. And so _", "We read. And so"),
        ("Ends here. *", "Ends here."),
        ("Ends here. **\n\nAnd goes on _\n\nto the end.", "Ends here.\n\nAnd goes on\n\nto the end."),
        ("An *a* and a b_", "An *a* and a b"),
        ("A bold end**", "A bold end"),
        ("_You only ask. Not the first.", "You only ask. Not the first."),
        ("_you only ask.\n](\n\n[the shop](http:// is.", "you only ask.\n\n\nthe shop is."),
        ("We **read and\nate.\n\nAnd *so* on.", "We read and\nate.\n\nAnd *so* on."),
        ("We read* and ate.", "We read and ate."),
        ("See the ]( here.", "See the  here."),
        ("See [the shop](https://x.example and more.", "See the shop and more."),
        ("See [a](b) and ![c](", "See [a](b) and c"),
        ("We had [the first day of it] and left.", "We had the first day of it and left."),
        ("- [18F LG]\n- two", "- 18F LG\n- two"),
        ("- one\n- ", "- one"),
        ("- one\n- _", "- one"),
        ("One:\n\n*", "One:"),
        ("We `read and\nate.\n\n- one `\n- `two`", "We read and\nate.\n\n- one \n- `two`"),
        ("We ~~read and ate.\n\nOr ~~this~~ and ~~ that.", "We read and ate.\n\nOr ~~this~~ and  that."),
        ("Many OSC] and [more\n\nOf [this] [a](/b)] too.", "Many OSC and more\n\nOf [this] [a](/b) too."),
        (
            "## We went out as it rained on the roofs of the town. And we read.",
            "We went out as it rained on the roofs of the town. And we read.",
        ),
        (
            'Such simple" is good. "So" it is.\n\nAnd "so on.',
            'Such simple" is good. "So" it is.\n\nAnd so on.',
        ),
        (
            "The sources[1] are in the[2][3] module [4], and a[1] too.",
            "The sources are in the module, and a[1] too.",
        ),
        (
            "It rains (a lot, as (they) say.\n\nAnd more) it is.",
            "It rains a lot, as (they) say.\n\nAnd more it is.",
        ),
        ("[]\nIt rains []\n[a][] lot [].", "It rains\n[a][] lot."),
        ("To make the release a a bit of of of it", "To make the release a bit of it"),
        ("All of ~~of it.", "All of it."),
        ("She is , she was . Then . . . `a , b` is 1 , 2 .", "She is, she was. Then . . . `a , b` is 1, 2."),
        ("So $$a = b and on.", "So a = b and on."),
        ("One ](/a/b), [two](/c) and [three\nfour](/d).", "One, [two](/c) and [three\nfour](/d)."),
    ],
)
def test_what_was_never_ended_goes(sampled: str, left: str) -> None:
    assert without_leftovers(sampled) == left


@pytest.mark.parametrize(
    "body",
    [
        "An *a*, a __b__, a *c **d***",
        "The name is snake_case_name and __init__",
        "See [a](b), [c (d)](e_(f)) and ![g](h.png)",
        "Take a) rain (much), 2) wind, so :( or :) and (0, 1] as of `f(`.\n\n(He said *so*) and (b c).",
        "The sources[1] are in the module [2] and in [3](/c).\n\n[1] One.\n\n[2]: /b",
        "* one\n* two *so*\n* three",
        "Above.\n\n* * *\n\nBelow.",
        "In code `a * b *` and `](`",
        "```\nx = [a](\n* *\n```",
        "Two * three and more",
        "At https://a.example/_b and [c](d/_e)",
        "* one\n* two **so**\n* \\*three",
        "A line of _two\nlines_",
        "[someone]: https://a.example/b_",
        "He said it [sic], [^1] [x] [a b c][d] [d][e f g], ![a b c](d), \\[a b c]",
        "See [the long way].\n\n```\n[a b c]\n```\n\n[The long way]: /b",
        "A `such' word, ``quoted'' and \\` or `` ` ``, and ~~struck\nout~~ ~/bin",
        "So $$a = b$$ and $$\nc\n$$, \\$$5 and $5",
        "In (0, 1] and [a,b[, \\[b, c\\] and \\[d]",
        "# What is it? Mr. X says.\n\n## What came of it when it rained on the roofs of the small town",
        'A 5" disk.\n\n"It rained.\n\n"We read."',
        "He had had that that day, went to to-do, a a's and very very far",
        "- [ ] a task to do\n- [x] one more task",
    ],
)
def test_what_is_whole_stays(body: str) -> None:
    assert without_leftovers(body) == body


@given(st.text(alphabet="ab *_`[]()!\n-", max_size=60))
def test_a_second_time_changes_nothing_that_shows(body: str) -> None:
    once = without_leftovers(body)
    assert without_leftovers(once).split() == once.split() or len(without_leftovers(once)) < len(once)


@pytest.mark.parametrize(
    ("line", "left"),
    [
        ("Why https://evil.example/x?y fails", "Why fails"),
        ("Why www.evil.example fails", "Why fails"),
        ("Moving to evil.com/shop", "Moving to"),
        ("Write to me@evil.com now", "Write to now"),
        ("Why [this](https://evil.example) fails", "Why this fails"),
        ("At friend.com and www.friend.com/a", "At friend.com and www.friend.com/a"),
        ("At Shop.com, not Evil.com", "At Shop.com, not"),
        ("Node.js and ASP.NET, v1.2", "Node.js and ASP.NET, v1.2"),
    ],
)
def test_a_title_names_no_place_that_the_site_does_not(line: str, left: str) -> None:
    assert without_addresses(line, FACTS) == left


@pytest.mark.parametrize(
    ("sampled", "left"),
    [
        ("Talks \\[http://evil.example/watch?v=1) are.", "Talks \\ are."),
        ("Talks [http://evil.example/watch) are, <https://evil.example>.", "Talks are,."),
        ("At www.evil.example, and www.friend.com/a.", "At, and www.friend.com/a."),
        ("See [a](https://evil.example/b).", "See [a](https://evil.example/b)."),
        ("[a]: https://evil.example/b", "[a]: https://evil.example/b"),
        ("In code `https://evil.example`", "In code `https://evil.example`"),
        ("Write to me@evil.example, HTTPS://EVIL.EXAMPLE or https:/evil.example.", "Write to, or."),
        ("All at evil.com/shop, Node.js/Deno and friend.com/a", "All at, Node.js/Deno and friend.com/a"),
        ("By git@evil.com:a/b", "By git@evil.com:a/b"),
        ("It rained.\n\n[![](/a b/c) is the best. We read.", "It rained.\n\nWe read."),
        ("www.evil.example is the best. We read.", "We read."),
        ("![a](/b.png) it was, and [we](/c) read.", "![a](/b.png) it was, and [we](/c) read."),
        ("so it was. ![a](/no.png)", "so it was. ![a](/no.png)"),
        ("Try (www.host.example) or host.example, Evil.com.", "Try or,."),
        (
            "Shop.com sells friend.com, main.py, a.de.js and `x.com`",
            "Shop.com sells friend.com, main.py, a.de.js and `x.com`",
        ),
        ("a few other,odd things, a,b and 1,000", "a few other, odd things, a,b and 1,000"),
    ],
)
def test_a_body_names_no_bare_address_that_the_site_does_not(sampled: str, left: str) -> None:
    assert without_leftovers(sampled, FACTS) == left
