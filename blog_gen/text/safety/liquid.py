"""Liquid, disarmed: text that a Liquid engine renders back to exactly what it was. Knows no Markdown.

Jekyll runs Liquid over a post before anything else, inside code too. `render_with_liquid: false` would
stop it, but only in Jekyll 4; a `raw` block would have to be closed again in Jekyll's excerpts. So each
opener becomes an output tag that prints that opener, which every Liquid since 2.0 renders alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_OPENER = re.compile(r"\{[{%]")
_TAG = re.compile(r'\{\{ "\{[{%]" \}\}|(?P<tag>\{[{%][^\n]*?(?:[%}]\}|$))', re.MULTILINE)
_HIGHLIGHT = re.compile(
    r"\{%-?\s*(?:highlight\s+(?P<language>[\w+#.-]++)[^%\n]*%\}[ \t]*\n?|endhighlight\s*-?%\})"
)
_RAW = re.compile(r"^[ \t]*\{%-?\s*(?:end)?raw\s*-?%\}[ \t]*\n|\{%-?\s*(?:end)?raw\s*-?%\}", re.MULTILINE)
_DISARMED = re.compile(r'\{\{ "(\{[{%])" \}\}')


def in_markdown(text: str) -> str:
    """`text` with the two blocks that Markdown needs no Liquid for: `highlight` is a fence, `raw` nothing.

    >>> in_markdown("{% highlight sh %}ls{% endhighlight %} {% raw %}{{ x }}{% endraw %}")
    '\\n```sh\\nls\\n```\\n {{ x }}'
    """
    return _RAW.sub("", _with_fences(text))


def _with_fences(text: str) -> str:
    """`text` with a fence for each `highlight` up to the first `endhighlight` after it."""
    parts: list[str] = []
    done = 0
    opening: re.Match[str] | None = None
    for tag in _HIGHLIGHT.finditer(text):
        if tag["language"]:
            opening = opening or tag
        elif opening:
            code = text[opening.end() : tag.start()].rstrip(" \t").removesuffix("\n")
            parts += [text[done : opening.start()], f"\n```{opening['language']}\n{code}\n```\n"]
            done, opening = tag.end(), None
    return "".join([*parts, text[done:]])


def disarmed(text: str) -> str:
    """`text` such that Liquid renders it to `text`; openers are taken from the left, so none overlap.

    >>> disarmed("{{ site.title }} {% raw %}")
    '{{ "{{" }} site.title }} {{ "{%" }} raw %}'
    """
    return _OPENER.sub(r'{{ "\g<0>" }}', text)


def armed(text: str) -> str:
    """What Liquid would make of a disarmed `text`: the inverse of `disarmed`.

    >>> armed(disarmed("{{{% x %}"))
    '{{{% x %}'
    """
    return _DISARMED.sub(r"\1", text)


def tags(text: str) -> Iterator[re.Match[str]]:
    """The Liquid in `text` that is not disarmed yet, up to its end or that of its line."""
    return (match for match in _TAG.finditer(text) if match["tag"])
