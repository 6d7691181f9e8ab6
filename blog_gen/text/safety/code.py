"""Code inside a line: which spans may stay, which must be written as entities. Knows nothing of blocks.

Where a code span begins depends on all that stands before it in its paragraph, and kramdown may see that
otherwise than we do. So a span with nothing dangerous in it stays as it is, and any other becomes a
`<code>` element of entities, which are text wherever they stand.
"""

from __future__ import annotations

import re
from collections.abc import Callable

# What would be dangerous if code were read as prose: a tag, an attribute list, a link, an image, the
# definition of a link, a numeric entity.
DANGEROUS = re.compile(r"<(?![\s=<])|\{:|\]\(|!\[|&#|^(?:[^\S\n]|[>*+\-\d.):])*+\[[^\]\n]*\]:", re.MULTILINE)

# A code span ends with its paragraph: at a blank line, and where a list, a quote, a table or a rule begins.
_END = r"\n[ \t]*(?:\n|[-+*>#|=~`:]|\d+[.)]|\[\^)"
_SPAN = rf"(?<![\\`])(?P<ticks>`+)(?!`)(?P<code>(?:(?!{_END}).)+?)(?<!`)(?P=ticks)(?!`)"
_INERT = r"<code>[^<>\[\]{}`\x00\n]*</code>"
_CODE = re.compile(rf"{_SPAN}|{_INERT}", re.DOTALL)
# With what would make a link of an address, since to a renderer the text in the element is like any other.
_NOT_PLAIN = re.compile(
    r"[^\w\s.,:;!?()'\"/=+|~@#%$^-]|:(?=//)|(?<=www)\.|(?<=[\w.+-])@(?=[A-Za-z0-9])", re.IGNORECASE
)
_MASK = re.compile(r"\x00(\d+)\x00")


def with_inert_spans(text: str) -> str:
    """`text` with each code span that holds something dangerous made into a `<code>` element.

    >>> with_inert_spans("use `<b>` or `a < b`")
    'use <code>&lt;b&gt;</code> or `a < b`'
    """

    def inert(match: re.Match[str]) -> str:
        code = match["code"]
        if code is None or not DANGEROUS.search(code):
            return match[0]
        return f"<code>{' '.join(_NOT_PLAIN.sub(_entity, code).split())}</code>"

    return _CODE.sub(inert, text)


def _entity(match: re.Match[str]) -> str:
    return {"&": "&amp;", "<": "&lt;", ">": "&gt;", "@": "@\u2060"}.get(match[0], f"&#{ord(match[0])};")


def masked(text: str) -> tuple[str, Callable[[str], str]]:
    r"""`text` with its code hidden behind NUL-bracketed numbers, and the function that shows it again.

    `text` must hold no NUL.

    >>> hidden, shown = masked("a `b` c")
    >>> hidden, shown(hidden)
    ('a \x000\x00 c', 'a `b` c')
    """
    code: list[str] = []

    def hide(match: re.Match[str]) -> str:
        code.append(match[0])
        return f"\x00{len(code) - 1}\x00"

    return _CODE.sub(hide, text), lambda changed: _MASK.sub(lambda mask: code[int(mask[1])], changed)
