"""The part of a post that a reader sees: comments are cut, of Liquid, of kramdown and of HTML.

Knows these three languages as far as their comments and what is code to them; nothing of files. Where it
cannot be told whether something is shown, it is cut.
"""

from __future__ import annotations

import html
import re

_LIQUID = re.compile(r"\{%-?\s*(?P<name>\w+|#)|\{\{")
_END_RAW = re.compile(r"\{%-?\s*endraw\b[^%]*%\}")
_MARK = re.compile(
    r"^[ \t>]*(?P<fence>`{3,}|~{3,})[^\n]*$|(?P<escaped>\\`)|(?P<ticks>`+)|(?P<html><!--)"
    r"|(?P<kramdown>\{::comment[^{}\n]*\})|(?P<highlight>\{%-?\s*highlight\b)"
    r"|^ {0,3}(?P<definition>\[(?://|_?comment)[^\]\n]*\]:[^\n]*)$",
    re.MULTILINE,
)
_SIGNS = ("<!--", "{::comment", "[//", "[comment", "[_comment")  # of which every comment has one
_FENCE_LINE = re.compile(r"^[ \t>]*(`{3,}|~{3,})[ \t]*$", re.MULTILINE)
_END_KRAMDOWN = re.compile(r"\{:/(?:comment)?\}")
_END_HIGHLIGHT = re.compile(r"\{%-?\s*endhighlight\b")
_BLANK_LINE = re.compile(r"\n[ \t]*\n|\Z")
_SHOWN_AS_TEXT = re.compile(
    r"<(?P<end>/?)(?P<name>pre|code|kbd|samp|tt|script|style|textarea)\b[^<>]*>|&lt;|&gt;|&amp;(?=#?\w+;)"
)
_STANDS_IN = {"&lt;": "\U000f0010", "&gt;": "\U000f0011", "&amp;": "\U000f0012"}
_STANDS_FOR = {mark: reference for reference, mark in _STANDS_IN.items()}
_STAND_IN = re.compile(f"[{''.join(_STANDS_FOR)}]")
_EMPTY_ITEM = re.compile(r"<li\b[^<>]*>(?:\s|&nbsp;|</?(?:br|p)\b[^<>]*>)*+</li\s*>", re.IGNORECASE)
_LIST_LIKE = re.compile(r" {0,3}(?:[-+*]|\d+[.)]|:|\[\^)")
_COMMENT_IN_CODE = "\U000f0013"
_HIGHLIGHTED = re.compile(
    r"\{%-?\s*highlight\b[^%]*%\}(?P<code>.{0,5000}?)\{%-?\s*endhighlight[^%]*%\}", re.DOTALL
)


def visible_markdown(body: str, liquid: bool = True) -> str:
    """`body` without what is in comments; code is left as it is, since a comment in it is shown.

    Args:
        liquid: False where the post says `render_with_liquid: false`, and its tags are text.

    >>> visible_markdown("A <!-- b -->c {% comment %}d{% endcomment %}and `<!-- e -->`.")
    'A c and `<!-- e -->`.'
    """
    return _without_comments(_without_liquid_comments(body) if liquid else body)


def markdown_of_html(body: str, liquid: bool = True) -> str:
    """An HTML `body` as Markdown, without its comments, scripts and styles.

    >>> markdown_of_html("<h2>Tea</h2><p>One <em>cup</em>.<!-- two --></p>")
    '## Tea\\n\\nOne *cup*.'
    """
    from html_to_markdown import ConversionOptions, convert  # here, since few sites need it

    if liquid:
        body = _without_liquid_comments(body)
    if "endhighlight" in body:
        body = _HIGHLIGHTED.sub(lambda found: f"<pre><code>{html.escape(found['code'])}</code></pre>", body)
    options = ConversionOptions(bullets="-", extract_metadata=False)
    body = _with_stand_ins(_EMPTY_ITEM.sub("", _without_html_comments(body)))
    return _STAND_IN.sub(lambda mark: _STANDS_FOR[mark[0]], convert(body, options).content or "").strip()


def _with_stand_ins(body: str) -> str:
    """`body` in which what a reader sees as a tag will not become one; in code it stays code in any case."""
    depth = 0

    def kept(found: re.Match[str]) -> str:
        nonlocal depth
        if found["name"] is None:
            return found[0] if depth else _STANDS_IN[found[0]]
        depth = max(0, depth - 1) if found["end"] else depth + 1
        return found[0]

    return _SHOWN_AS_TEXT.sub(kept, body)


def _without_liquid_comments(text: str) -> str:
    """Cut from `{% comment %}` to its own end, or to that of the text; what is raw is left."""
    if "{%" not in text:
        return text
    kept: list[str] = []
    at = depth = 0
    for start, end, name in _liquid_tags(text):
        if name == "comment" or (depth and name == "endcomment"):
            if not depth:
                kept.append(text[at:start])
            depth += 1 if name == "comment" else -1
            at = end
        elif name == "#" and not depth:
            kept.append(text[at:start])
            at = end
    if not depth:
        kept.append(text[at:])
    return "".join(kept)


def _liquid_tags(text: str) -> list[tuple[int, int, str]]:
    """Start, end and name of each tag, but for those in `raw` and in `{{ … }}`. Linear in the text."""
    tags: list[tuple[int, int, str]] = []
    at = 0
    while found := _LIQUID.search(text, at):
        end = text.find("%}" if found["name"] else "}", found.end())
        if end < 0:
            break
        at = end + 2 if found["name"] or text[end : end + 2] == "}}" else end + 1
        if found["name"] == "raw":
            after = _END_RAW.search(text, at)
            at = after.end() if after else len(text)
        elif found["name"]:
            tags.append((found.start(), at, found["name"]))
    return tags


def _without_comments(text: str) -> str:
    """Cut what HTML and kramdown call a comment, outside code."""
    if not any(sign in text for sign in _SIGNS):
        return text
    text = _with_comments_in_code(text)
    kept: list[str] = []
    at, scan = 0, _Scan(text)
    while found := _MARK.search(text, at):
        end, shown = scan.end_of(found)
        kept.append(text[at:end] if shown else text[at : found.start()])
        at = end
    return "".join((*kept, text[at:])).replace(_COMMENT_IN_CODE, "<!--")


def _with_comments_in_code(text: str) -> str:
    """`text` in which a stand-in begins each comment in indented code, as far as that can be told."""
    lines, in_list, may_begin, in_code = text.split("\n"), False, True, False
    for number, line in enumerate(lines):
        if not line.strip():
            may_begin = True
            continue
        in_code = line.startswith(("    ", "\t")) and not in_list and (may_begin or in_code)
        if in_code:
            lines[number] = line.replace("<!--", _COMMENT_IN_CODE)
        elif _LIST_LIKE.match(line):
            in_list = True
        elif may_begin and line[0] not in " \t":
            in_list = False
        may_begin = line.startswith("#")
    return "\n".join(lines)


class _Scan:
    """Finds where code and comments end; what was not found once is not looked for again."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._unclosed: dict[str, int] = {}  # by the fence's mark: from this length on there is no end
        self._absent: set[str] = set()
        self._paragraph = -1  # where the one that was last looked at ends
        self._lonely: set[str] = set()  # runs of ticks that nothing closes in it

    def end_of(self, found: re.Match[str]) -> tuple[int, bool]:
        """Where what begins at a mark ends, and whether a reader sees it."""
        kind = found.lastgroup or ""
        if kind == "fence":
            return self._end_of_fence(found), True
        if kind == "ticks":
            return self._end_of_span(found), True
        if kind in ("escaped", "definition"):
            return found.end(), kind == "escaped"
        closing = {"html": re.compile("-->"), "kramdown": _END_KRAMDOWN, "highlight": _END_HIGHLIGHT}[kind]
        after = None if kind in self._absent else closing.search(self._text, found.end())
        if after is None:
            self._absent.add(kind)
            return found.end(), True
        return after.end(), kind == "highlight"

    def _end_of_fence(self, found: re.Match[str]) -> int:
        mark, length = found["fence"][0], len(found["fence"])
        if length < self._unclosed.get(mark, length + 1):
            for line in _FENCE_LINE.finditer(self._text, found.end()):
                if line[1][0] == mark and len(line[1]) >= length:
                    return line.end()
            self._unclosed[mark] = length
        return found.end("fence")

    def _end_of_span(self, found: re.Match[str]) -> int:
        """After the ticks that close the span in its paragraph; else after those that open it."""
        if found.end() > self._paragraph:
            blank = _BLANK_LINE.search(self._text, found.end())
            self._paragraph, self._lonely = blank.start() if blank else len(self._text), set()
        ticks = found["ticks"]
        if ticks not in self._lonely:
            closing = re.compile(rf"(?<!`){ticks}(?!`)").search(self._text, found.end(), self._paragraph)
            if closing:
                return closing.end()
            self._lonely.add(ticks)
        return found.end()


def _without_html_comments(text: str) -> str:
    """Without comments; one that is never closed hides all that follows, as it does in a browser."""
    parts = text.split("<!--")
    return parts[0] + "".join(part.partition("-->")[2] for part in parts[1:])
