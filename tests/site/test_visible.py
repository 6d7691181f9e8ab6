"""What a reader sees of a post is learned: of HTML as Markdown, with tags that were written as text."""

from __future__ import annotations

import pytest

from blog_gen.site.jekyll.visible import markdown_of_html, visible_markdown


@pytest.mark.parametrize(
    ("body", "seen"),
    [
        (
            "<p>A &lt;div&gt; &amp; a &lt;script&gt;x&lt;/script&gt;, <b>&amp;lt;</b>.</p>",
            "A &lt;div&gt; & a &lt;script&gt;x&lt;/script&gt;, **&amp;lt;**.",
        ),
        ("<p>So: <code>&lt;b&gt;</code></p><pre>&lt;i&gt;\n</pre>", "So: `<b>`\n\n```\n<i>\n```"),
        ("<ul><li style='x'><br></li><li>One</li></ul>", "- One"),
        ("<pre>- a\n- \n- b</pre>", "```\n- a\n- \n- b\n```"),
    ],
)
def test_a_page_of_html_as_markdown(body: str, seen: str) -> None:
    assert markdown_of_html(body) == seen


@pytest.mark.parametrize(
    ("body", "seen"),
    [
        ("So:\n\n    <!-- a -->\n    <b>\n\nA<!-- c -->.", "So:\n\n    <!-- a -->\n    <b>\n\nA."),
        ("## So\n\t<!-- a -->", "## So\n\t<!-- a -->"),
        ("- one\n\n    <!-- a -->\n\nB", "- one\n\n    \n\nB"),
        ("A line\n    <!-- a -->", "A line\n    "),
    ],
)
def test_a_comment_is_shown_only_in_code(body: str, seen: str) -> None:
    assert visible_markdown(body) == seen
