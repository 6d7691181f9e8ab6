"""Markdown to plain text, through mistune's syntax tree. Knows Markdown, nothing of posts or models.

What a reader would read is kept: the text of links and emphasis, the alternative text of images, code and
math to the letter. What only a renderer needs is dropped: marks, addresses, raw HTML, Liquid tags, kramdown's
attributes, contents and abbreviations.
"""

from __future__ import annotations

import functools
import html
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from blog_gen.text.kramdown import NOTHING, kramdown, without_id
from blog_gen.text.liquid import HiddenLiquid, hidden

if TYPE_CHECKING:
    from mistune import Markdown

_Token = dict[str, Any]  # a node of the tree: its `type`, and `raw` text or `children`

_PLUGINS = ("table", "footnotes", "strikethrough", "task_lists", "def_list")
_SILENT = frozenset({"inline_html", "block_html", "footnote_ref", "blank_line", "thematic_break", NOTHING})
_PARAGRAPHS = frozenset({"paragraph", "block_text", "heading", "def_list_head", "table_cell"})
_ROWS = frozenset({"table_head", "table_row"})
_DENSE = frozenset({"table", "table_body", "def_list"})  # no blank lines inside
_LETTERS = frozenset({"block_code", "block_math", "inline_math", "codespan"})  # kept to the letter


def to_plain(markdown: str) -> str:
    r"""The text of `markdown`, each paragraph and list item on one line, blocks apart by a blank line.

    >>> to_plain("# Why *Vim*?\n\nSee [the manual](https://vim.example/).\nUse `:wq`.")
    'Why Vim?\n\nSee the manual. Use :wq.'
    """
    source = hidden(markdown)
    tree: Any = _parser()(source.text)
    return _Plain(source).joined(tree, "\n\n").strip("\n")


@functools.cache
def _parser() -> Markdown:
    import mistune  # here, since it takes longer to import than a command with nothing to do may take

    return mistune.create_markdown(renderer=None, plugins=(*_PLUGINS, kramdown))


@dataclass(frozen=True)
class _Plain:
    """Reads a tree of tokens whose Liquid is hidden in `source`."""

    source: HiddenLiquid

    def joined(self, tokens: Iterable[_Token], separator: str) -> str:
        texts = (self.block(token) for token in tokens if token["type"] not in _SILENT)
        return separator.join(text for text in texts if text.strip())

    def block(self, token: _Token) -> str:
        kind = token["type"]
        if kind in _LETTERS:
            return self.source.code(str(token["raw"]).rstrip("\n"))
        if kind in _PARAGRAPHS:
            return self.paragraph(token)
        if kind in _ROWS:
            return ", ".join(cell for cell in map(self.block, token["children"]) if cell)
        tight_item = any(child["type"] == "block_text" for child in token["children"])
        dense = kind in _DENSE or token.get("tight") or tight_item
        return self.joined(token["children"], "\n" if dense else "\n\n")

    def paragraph(self, token: _Token) -> str:
        """Each line of it on one line; Liquid's code, which is a paragraph to Markdown, as it is."""
        children = token["children"]
        if token["type"] == "heading" and children and children[-1]["type"] == "text":
            last = {**children[-1], "raw": without_id(children[-1]["raw"])}
            children = [*children[:-1], last]
        text = self.source.without_tags(self.spans(children))
        lines = [" ".join(line.split()) for line in text.split("\n")]
        return self.source.prose("\n".join(lines))

    def spans(self, tokens: Iterable[_Token]) -> str:
        return "".join(map(self.span, tokens))

    def span(self, token: _Token) -> str:
        kind = token["type"]
        if kind == "linebreak" or (kind == "inline_html" and token["raw"].lower().startswith("<br")):
            return "\n"
        if kind == "softbreak":
            return " "
        if kind in _SILENT:
            return ""
        if kind in _LETTERS:
            return self.source.code(str(token["raw"]))
        if "children" in token:
            return self.spans(token["children"])
        return html.unescape(token["raw"])
