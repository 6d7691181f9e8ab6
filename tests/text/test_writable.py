"""What a post holds that no draft may is not learned, and what a reader sees of it is."""

from __future__ import annotations

import pytest

from blog_gen.text.safety.facts import SiteFacts
from blog_gen.text.safety.safe import make_safe
from blog_gen.text.writable import one_line, writable


@pytest.mark.parametrize(
    ("body", "left"),
    [
        ("A plain *text* with `<b>` and 1 < 2 & 3.", "A plain *text* with `<b>` and 1 < 2 & 3."),
        ("{{ page.title }}\n=====\n\nText.", "Tea\n=====\n\nText."),
        ("It&#8217;s &quot;hot&quot;&nbsp;&mdash; 1 &lt; 2.", 'It’s "hot" — 1 &lt; 2.'),
        ("A.\n\n<script async src='/x.js'></script>\n<style>p { x: y }</style>", "A."),
        (
            '<div>\n<img src="/a.png" alt="Cup">\n<div>A cup.</div>\n</div>',
            "![Cup](/a.png)\n\nA cup.",
        ),
        ("See <a class='x' href='/b/'>that</a>, <em>now</em>.", "See [that](/b/), *now*."),
        ("<p>One.</p><p>Two.</p>", "One.\n\nTwo."),
        ("<h2 id='a'>Head</h2>\nText.", "## Head\n\nText."),
        ("<ul>\n<li>One</li>\n<li>Two</li>\n</ul>", "- One\n- Two"),
        ("Press <kbd>q</kbd> or <code>&lt;b&gt;</code>.", "Press `q` or `<b>`."),
        ("[Here]({{ site.baseurl }}/a/) and [there]({% post_url 2020-01-02-b %}).", "[Here](/a/) and there."),
        (
            "![Cup]({{ '/a.png' | relative_url }}) [b]({{\"b/c\"|absolute_url}}) "
            "[d]({{ 'd' | prepend: site.baseurl | prepend: site.url }})",
            "![Cup](/a.png) [b](/b/c) [d](d)",
        ),
        ("Hot.\n\n![A cup]({{ page.cover }}){: width='8'}\n\nSee ![it]({{ x }}).", "Hot.\n\nSee it."),
        ("[Far\naway]({% post_url\n2020-01-02-b %}), {% include\n a.html x='y' %}now.", "Far\naway, now."),
        (
            "See <d-cite key='a'></d-cite>, so <d-footnote>[b](/c) <d-cite key='d'/>\n"
            "</d-footnote> on. <x-y z>A</x-y>",
            "See, so on. A",
        ),
        (
            "A {% include note.html text='x' %}\n{% raw %}{{ braces }}{% endraw %} {{ x | y }}end",
            "A\n{{ braces }} end",
        ),
        ("{% highlight sh %}\nls {{ x }} <b>\n{% endhighlight %}", "```sh\nls {{ x }} <b>\n```"),
        ("```\n{{ a }} <script>\n```", "```\n{{ a }} <script>\n```"),
        (
            '## Rain\n<div><pre class="x"><code class="language-java">List&lt;Drop&gt; <i>d</i>;\n\n'
            "    d.fall();\n</code></pre></div>\nIt fell.",
            "## Rain\n\n```java\nList<Drop> d;\n\n    d.fall();\n```\n\nIt fell.",
        ),
        ("~~~\n<pre>a</pre>\n~~~\n<PRE>b</PRE>", "~~~\n<pre>a</pre>\n~~~\n\n```\nb\n```"),
        ("<pre>\n</pre>A.\n\n<pre>b\n\nc", "A.\n\nb\n\nc"),
        ("<pre>\n```\na\n```\n</pre>", "```\na\n```"),
        ("Text:\n\n    <label>&amp;</label>\n\nMore.", "Text:\n\n    <label>&amp;</label>\n\nMore."),
        ("A picture.{: .wide}\n{:toc}\n{::options x='y' /}\nB.", "A picture.\n\nB."),
        ("* Contents\n{:toc}\n\nText.", "Text."),
        (
            "## Tea {#tea}\n\nHot {#x}.\n\n```\n## Tea {#tea}\n```",
            "## Tea\n\nHot {#x}.\n\n```\n## Tea {#tea}\n```",
        ),
        (
            "[![Cup][cup]][Tea] [milk][dairy], [dairy], [a][b].\n\n[Cup]: {{ page.cup }}\n"
            "[dairy]: {% link milk.md %} 'Milk'\n[tea]: {{ '/tea' | relative_url }}\n[b]: /b",
            "milk, dairy, [a][b].\n\n[tea]: /tea\n[b]: /b",
        ),
        ("<ul>\n  <li>\n    one\n  </li>\n\n  <li><br></li><li>two\n</li>\n</ul>", "- one\n\n- two"),
        (
            '<a href="/x">the <em>big</em> one</a> <b><a href="/y">y</a></b>',
            "[the *big* one](/x) **[y](/y)**",
        ),
        ('<a href="/b.png"><img src="/a.png" alt="A"></a>', "[![A](/a.png)](/b.png)"),
        (
            "<table>\n  <tr>\n    <td>\n      Tea\n    </td>\n    \n    <td>\n      <b>hot</b>\n    </td>\n"
            "  </tr>\n</table>\n\nSo:\n\n    <td>",
            "Tea\n\n**hot**\n\nSo:\n\n    <td>",
        ),
        ("## Head\n\t<meta name='a'>\n> quoted", "## Head\n\t<meta name='a'>\n> quoted"),
        ("Add:\n\n\t<meta name='a'>\nThen.", "Add:\n\n\t<meta name='a'>\nThen."),
        ("- one\n\n    <b>more</b>\n\nOn\n    <b>and on</b>", "- one\n\n    **more**\n\nOn\n    **and on**"),
        ("<!-- nothing --><iframe src='https://a.example'></iframe>", ""),
    ],
)
def test_what_is_left_of_a_body(body: str, left: str) -> None:
    assert writable(body, "Tea") == left
    assert writable(left, "Tea") == left or "raw" in body


def test_what_is_left_needs_no_mending() -> None:
    body = "<p>A <b>b</b>.</p>{{ x }}\n\n<script>c()</script>\n\nD.{: .e}"
    safe = make_safe(writable(body, "Tea"), SiteFacts())
    assert (safe.body, safe.findings) == ("A **b**.\n\nD.", ())
    assert make_safe(body, SiteFacts()).findings, "or this test would prove nothing"


@pytest.mark.parametrize(
    ("title", "shown"),
    [("Salt &#038; tea", "Salt & tea"), ("A <i>b</i>", "A b"), ("1 < 2", "1 < 2")],
)
def test_a_title_is_what_a_reader_sees(title: str, shown: str) -> None:
    assert one_line(title) == shown
