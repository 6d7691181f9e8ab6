"""Liquid in a Markdown text, as far as a reader sees it: tags vanish, code and raw text stay to the letter.

Jekyll runs Liquid before Markdown. So each piece is hidden behind a mark that Markdown takes for a word, and
comes back when the Markdown is read. In Markdown's own code, where a post shows Liquid, it comes back whole.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

_PIECE = re.compile(
    r"\{%-?\s*raw\s*-?%\}(?P<raw>(?:(?!\{%-?\s*(?:end)?raw\b)[\s\S])*+)\{%-?\s*endraw\s*-?%\}"
    r"|\{%-?\s*highlight\b[^%\n]*%\}"
    r"(?P<code>(?:(?!\{%-?\s*(?:end)?highlight\b)[\s\S])*+)\{%-?\s*endhighlight\s*-?%\}"
    r"|(?P<tag>\{%(?:(?!%\}|\{%)[\s\S])*+%\}|\{\{(?:(?!\}\}|\{\{)[\s\S])*+\}\})"
)
_RAW_TAG = re.compile(r"\{%-?\s*(?:end)?raw\s*-?%\}\n?")
_BRACES = re.compile(r"\{[{%]|[%}]\}")
_LETTER = "Z"  # marks are Z…Z, a number, Z; with more of them than any text has in a row


@dataclass
class HiddenLiquid:
    """A text whose Liquid is behind marks, and what is behind each: in prose, and in code."""

    text: str
    mark: re.Pattern[str]
    pieces: list[tuple[str, str]] = field(default_factory=list)

    def prose(self, text: str) -> str:
        """`text`, prose of the Markdown, with what a reader sees in place of the marks."""
        return self.mark.sub(lambda found: self.pieces[int(found[1])][0], text)

    def without_tags(self, text: str) -> str:
        """`text` without the marks behind which a reader sees nothing."""
        return self.mark.sub(lambda found: found[0] if self.pieces[int(found[1])][0] else "", text)

    def code(self, text: str) -> str:
        """`text`, code of the Markdown, to the letter."""
        return self.mark.sub(lambda found: self.pieces[int(found[1])][1], text)


def hidden(markdown: str) -> HiddenLiquid:
    """`markdown` with its Liquid hidden.

    >>> found = hidden("{% raw %}{{ a }}{% endraw %} or {{ b }}")
    >>> found.prose(found.text), found.code(found.text)
    ('{{ a }} or ', '{{ a }} or {{ b }}')
    """
    longest = max(map(len, re.findall(f"{_LETTER}+", markdown)), default=0)
    fence = _LETTER * (longest + 1)
    result = HiddenLiquid("", re.compile(rf"{fence}(\d+){_LETTER}"))

    def hide(prose: str, code: str) -> str:
        result.pieces.append((prose, code))
        return f"{fence}{len(result.pieces) - 1}{_LETTER}"

    result.text = _PIECE.sub(lambda found: _instead(found, hide), markdown)
    return result


def _instead(found: re.Match[str], hide: Callable[[str, str], str]) -> str:
    """What stands in the Markdown for a piece: raw text is Markdown still, only its braces are hidden."""
    if found["raw"] is not None:
        return _BRACES.sub(lambda brace: hide(brace[0], brace[0]), found["raw"])
    if found["code"] is not None:
        code = _RAW_TAG.sub("", found["code"]).strip("\r\n").rstrip()
        return f"\n\n{hide(code, found[0])}\n\n"
    return hide("", found["tag"])
