"""A post's description, for sites whose posts have one: its first sentence, as bare text.

Knows just enough Markdown to find the first paragraph and to drop its marks.
"""

from __future__ import annotations

import html
import re

LONGEST = 160  # characters; search engines show no more

_NOT_PROSE = re.compile(r"[#>|`~<!:*+-]|\d+[.)]\s|\[[^\]]*\]:|\s{4}|\t|-{3}|={3}")
_IMAGE = re.compile(r"!\[[^\[\]]*\]\([^()]*\)|\[\^[^\[\]]*\]|\{:[^{}]*\}")
_LINK = re.compile(r"\[([^\[\]]*)\](?:\([^()]*\)|\[[^\[\]]*\])")
_AUTOLINK = re.compile(r"<(https?://[^<>\s]*)>")
_LIQUID = re.compile(r'\{\{ "\{[{%]" \}\}')
_MARKS = re.compile(r"</?code>|`+|(?<!\w)[*_~]+|[*_~]+(?!\w)")
# Not the stop of an abbreviation: after a letter by itself, as in "the U.S. team", or before a small one.
_SENTENCE = re.compile(r"(.+?(?:(?:(?<![\W_]\w)\.|[!?…])[\"'”’)]*(?=\s+[^\sa-z]|\s*$)|[。！？][」』）”’]*))")


def description_of(body: str) -> str | None:
    """The first sentence of the first paragraph of prose in `body`; None where there is no prose.

    It is shortened at a word if it is long, and holds nothing that a layout could print as HTML,
    or `markdownify` as a link.

    >>> description_of("# Bread\\n\\nI *like* [bread](/b/), `rye` &lt;above> \\"all\\". And cake.")
    'I like bread, rye ‹above› “all”.'
    """
    for block in re.split(r"\n\s*\n", body):
        if block and not _NOT_PROSE.match(block):
            text = " ".join(_plain(block).split())
            sentence = _SENTENCE.match(text)
            if text:
                return _shortened(sentence[1] if sentence else text)
    return None


def _plain(block: str) -> str:
    text = _LIQUID.sub("", _LINK.sub(r"\1", _IMAGE.sub("", block)))
    text = html.unescape(_MARKS.sub("", _AUTOLINK.sub(r"\1", text)))
    text = re.sub(r"[\[\]{}\\]|&(?=#|\w+;)", "", text.replace("<", "‹").replace(">", "›"))
    # No straight quotation mark, which could end the attribute that a layout prints this in.
    return re.sub(r"(?<![^\s(])\"", "“", text).replace('"', "”").replace("'", "’")


def _shortened(text: str) -> str:
    if len(text) <= LONGEST:
        return text
    return text[:LONGEST].rsplit(" ", 1)[0].rstrip(",;:–—-") + "…"
