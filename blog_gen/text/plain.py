"""Markdown to plain text, through mistune's syntax tree. Knows Markdown, nothing of posts or models.

What a reader would read is kept: the text of links and emphasis, the alternative text of images, code to the
letter. What only a renderer needs is dropped: marks, addresses, raw HTML, Liquid tags, kramdown's `{: …}`.
"""

from __future__ import annotations

import functools
import html
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mistune import Markdown

_Token = dict[str, Any]  # a node of the tree: its `type`, and `raw` text or `children`

_PLUGINS = ("table", "footnotes", "strikethrough", "task_lists", "def_list")
_SILENT = frozenset({"inline_html", "block_html", "footnote_ref", "blank_line", "thematic_break"})
_PARAGRAPHS = frozenset({"paragraph", "block_text", "heading", "def_list_head", "table_cell"})
_ROWS = frozenset({"table_head", "table_row"})
_DENSE = frozenset({"table", "table_body", "def_list"})  # no blank lines inside
_TEMPLATE = re.compile(r"\{%[^{}\n]*%\}|\{\{[^{}\n]*\}\}|\{:[^{}\n]*\}")
# A link to an address by Liquid, whose blanks make it no link to Markdown.
_LIQUID_LINK = re.compile(r"!?\[([^\[\]\n]*)\]\((?=[^()\n]*\{[{%])[^()\n]*\)")


def to_plain(markdown: str) -> str:
    r"""The text of `markdown`, each paragraph and list item on one line, blocks apart by a blank line.

    >>> to_plain("# Why *Vim*?\n\nSee [the manual](https://vim.example/).\nUse `:wq`.")
    'Why Vim?\n\nSee the manual. Use :wq.'
    """
    tree: Any = _parser()(markdown)
    return _joined(tree, "\n\n").strip("\n")


@functools.cache
def _parser() -> Markdown:
    import mistune  # here, since it takes longer to import than a command with nothing to do may take

    return mistune.create_markdown(renderer=None, plugins=_PLUGINS)


def _joined(tokens: Iterable[_Token], separator: str) -> str:
    texts = (_block(token) for token in tokens if token["type"] not in _SILENT)
    return separator.join(text for text in texts if text.strip())


def _block(token: _Token) -> str:
    kind = token["type"]
    if kind == "block_code":
        return str(token["raw"]).rstrip("\n")
    if kind in _PARAGRAPHS:
        lines = _spans(token["children"]).split("\n")
        return "\n".join(" ".join(line.split()) for line in lines)
    if kind in _ROWS:
        return ", ".join(cell for cell in map(_block, token["children"]) if cell)
    tight_item = any(child["type"] == "block_text" for child in token["children"])
    dense = kind in _DENSE or token.get("tight") or tight_item
    return _joined(token["children"], "\n" if dense else "\n\n")


def _spans(tokens: Iterable[_Token]) -> str:
    return "".join(map(_span, tokens))


def _span(token: _Token) -> str:
    kind = token["type"]
    if kind == "linebreak" or (kind == "inline_html" and token["raw"].lower().startswith("<br")):
        return "\n"
    if kind == "softbreak":
        return " "
    if kind in _SILENT:
        return ""
    if kind == "codespan":
        return str(token["raw"])
    if "children" in token:
        return _spans(token["children"])
    return html.unescape(_TEMPLATE.sub("", _LIQUID_LINK.sub(r"\1", token["raw"])))
