"""Code that a Markdown post shows with HTML, as sites that came from another system do: `<pre>` as fences.

Knows HTML's `<pre>`, nothing of what is safe. Without its element, code is a paragraph.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable

from blog_gen.text.safety.fences import Prose, Segment, split

_PRE = re.compile(
    r"^ {0,3}(?:<(?:div|figure)\b[^<>]*>\s*){0,3}(?P<opening><pre\b[^<>]*>(?:\s*<code\b[^<>]*>)?)"
    r"(?P<code>(?:(?!</?pre\b)[\s\S])*+)</pre\s*>(?:[ \t]*</(?:div|figure)\s*>){0,3}[ \t]*",
    re.IGNORECASE | re.MULTILINE,
)
_LANGUAGE = re.compile(r"\blang(?:uage)?-([\w+#-]+)")
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_TAG = re.compile(r"</?[A-Za-z][^<>]*>")


def with_fences(segments: Iterable[Segment]) -> list[Segment]:
    """`segments` with a fence for each `<pre>` that begins a line; what marks up words in it is for colours.

    One that holds a fence itself is left as it is.

    >>> *_, found, _ = with_fences(split('<pre class="lang-sh"><code>a &lt; b\\n\\n  <b>c</b></code></pre>'))
    >>> found.lines
    ('```sh', 'a < b', '', '  c', '```')
    """
    turned: list[Segment] = []
    for segment in segments:
        text = "\n".join(segment.lines)
        found = isinstance(segment, Prose) and "<pre" in text.lower()
        turned += split(_PRE.sub(_fenced, text)) if found else [segment]
    return turned


def _fenced(block: re.Match[str]) -> str:
    if "```" in block["code"]:
        return block[0]
    code = html.unescape(_TAG.sub("", _BREAK.sub("\n", block["code"]))).removeprefix("\n").rstrip()
    language = _LANGUAGE.search(block["opening"])
    return f"\n```{language[1] if language else ''}\n{code}\n```\n" if code else ""
