"""What kramdown reads and CommonMark does not, as a plugin of mistune's: attributes, contents, math and more.

Attributes, the list that a table of contents takes the place of, and abbreviations are no text. Math is text,
to the letter; its tokens are `block_math` and `inline_math`.

Source: kramdown's syntax page, "Inline Attribute Lists", "Math Blocks", "Abbreviations", "Extensions".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mistune import BlockState, InlineState, Markdown

NOTHING = "kramdown"  # the type of a token that is no text
ATTRIBUTES = r"\{:(?:[^{}\n\\]|\\.)*+\}"
# A list whose attributes say `toc`: the list itself is thrown away.
CONTENTS = re.compile(
    r"^ {0,3}(?:[*+-]|\d{1,9}\.)[ \t]++[^\n]*+\n[ \t]*+\{:[ \t]*+toc\b[^}\n]*+\}[ \t]*+(?:\n|$)", re.MULTILINE
)
_BLOCK_RULES = {
    "contents": CONTENTS.pattern,
    "attributes": rf"^[ \t]*{ATTRIBUTES}[ \t]*(?:\n|$)",
    "extension": r"^ {0,3}\{::?/?[a-z]*(?:[ \t][^{}\n]*)?\}[ \t]*(?:\n|$)",
    "abbreviation": r"^ {0,3}\*\[[^\]\n]+\]:[^\n]*(?:\n|$)",
}
_BLOCK_MATH = r"^ {0,3}\$\$(?:(?!\$\$)[\s\S])++\$\$[ \t]*(?:\n|$)"
_ENVIRONMENT = (
    r"^ {0,3}\\begin\{(?P<environment>[a-z]+\*?)\}(?:(?!\\(?:begin|end)\{)[\s\S])*+\\end\{[a-z]+\*?\}"
)
_INLINE_MATH = r"\$\$(?:(?!\$\$)[\s\S])++\$\$|\$(?=[^\s$])[^$\n]++\$(?!\d)"
_TEX = re.compile(r"[\\^_{}]")
_HEADING_ID = re.compile(r"(?<![ \t])[ \t]++\{#[A-Za-z_:][\w:.-]*+\}[ \t]*+$")


def kramdown(md: Markdown) -> None:
    """The plugin."""
    block, inline = md.block, md.inline
    math = {"kramdown_math": _BLOCK_MATH, "kramdown_environment": _ENVIRONMENT}
    for name, pattern in {**_BLOCK_RULES, **math}.items():
        block.register(name, pattern, _math if name in math else _nothing, before="fenced_code")
        for rules in (block.list_rules, block.block_quote_rules):
            block.insert_rule(rules, name, before="fenced_code")
    inline.register("kramdown_math", _INLINE_MATH, _inline_math, before="escape")
    inline.register("kramdown_attributes", ATTRIBUTES, _inline_nothing, before="escape")


def without_id(heading: str) -> str:
    """The text of a heading without its ID.

    >>> without_id("Heading {#intro}")
    'Heading'
    """
    return _HEADING_ID.sub("", heading)


def _nothing(block: Any, found: re.Match[str], state: BlockState) -> int:
    state.append_token({"type": NOTHING})
    return found.end()


def _math(block: Any, found: re.Match[str], state: BlockState) -> int:
    state.append_token({"type": "block_math", "raw": found[0].strip()})
    return found.end()


def _inline_nothing(inline: Any, found: re.Match[str], state: InlineState) -> int:
    return found.end()


def _inline_math(inline: Any, found: re.Match[str], state: InlineState) -> int | None:
    """One dollar sign at each end is math only around signs of TeX: `$5 or $6` is money."""
    if not found[0].startswith("$$") and (not _TEX.search(found[0]) or found[0][-2].isspace()):
        return None
    state.append_token({"type": "inline_math", "raw": found[0]})
    return found.end()
