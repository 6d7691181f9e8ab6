"""Code that a Markdown post shows with HTML, as sites that came from another system do: `<pre>` as fences.

Knows HTML's `<pre>` and Markdown's fences, nothing of what is safe. Without its element, code is a paragraph.
"""

from __future__ import annotations

import html
import re

# Whichever begins first: what stands in a fence is code already. One without an end goes to that of the text.
_BLOCK = re.compile(
    r"^[ \t>]*(?P<ticks>`{3,}|~{3,})[^\n]*(?:\n(?![ \t>]*(?P=ticks))[^\n]*)*+(?:\n[^\n]*)?"
    r"|^ {0,3}(?:<(?:div|figure)\b[^<>]*>\s*){0,3}(?P<opening><pre\b[^<>]*>(?:\s*<code\b[^<>]*>)?)"
    r"(?P<code>(?:(?!</?pre\b)[\s\S])*+)</pre\s*>(?:[ \t]*</(?:div|figure)\s*>){0,3}[ \t]*",
    re.IGNORECASE | re.MULTILINE,
)
_LANGUAGE = re.compile(r"\blang(?:uage)?-([\w+#-]+)")
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_TAG = re.compile(r"</?[A-Za-z][^<>]*>")


def with_fences(body: str) -> str:
    """`body` with a fence for each `<pre>` that begins a line; what marks up words in it is for colours.

    One that holds a fence itself is left as it is.

    >>> with_fences('<pre class="lang-sh"><code>a &lt; b\\n\\n  <b>c</b></code></pre>').split("\\n")
    ['', '```sh', 'a < b', '', '  c', '```', '']
    """
    return _BLOCK.sub(_fenced, body) if "<pre" in body.lower() else body


def _fenced(block: re.Match[str]) -> str:
    if block["ticks"] or "```" in block["code"]:
        return block[0]
    code = html.unescape(_TAG.sub("", _BREAK.sub("\n", block["code"]))).removeprefix("\n").rstrip()
    language = _LANGUAGE.search(block["opening"])
    return f"\n```{language[1] if language else ''}\n{code}\n```\n" if code else ""
