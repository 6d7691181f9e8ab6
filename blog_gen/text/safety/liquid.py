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
# Bounded, since each `highlight` without an end would look on to that of the text.
_HIGHLIGHT = re.compile(
    r"\{%-?\s*highlight\s+(?P<language>[\w+#.-]+)[^%\n]*%\}[ \t]*\n?"
    r"(?P<code>.{0,5000}?)\n?[ \t]*\{%-?\s*endhighlight\s*-?%\}",
    re.DOTALL,
)
_RAW = re.compile(r"^[ \t]*\{%-?\s*(?:end)?raw\s*-?%\}[ \t]*\n|\{%-?\s*(?:end)?raw\s*-?%\}", re.MULTILINE)
_DISARMED = re.compile(r'\{\{ "(\{[{%])" \}\}')


def in_markdown(text: str) -> str:
    """`text` with the two blocks that Markdown needs no Liquid for: `highlight` is a fence, `raw` nothing.

    >>> in_markdown("{% highlight sh %}ls{% endhighlight %} {% raw %}{{ x }}{% endraw %}")
    '\\n```sh\\nls\\n```\\n {{ x }}'
    """
    return _RAW.sub("", _HIGHLIGHT.sub("\n```\\g<language>\n\\g<code>\n```\n", text))


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
