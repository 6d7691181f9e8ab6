"""A post's Markdown as a draft may hold it, so that a model learns to write nothing else.

Drafts hold no HTML, no Liquid, no attributes of kramdown's; what is learned has none either. Of these the
text that a reader sees stays, as Markdown where Markdown has a mark for it. Code stays to the letter.
"""

from __future__ import annotations

import html
import re

from blog_gen.text.definitions import dead_labels, without_dead
from blog_gen.text.elements import without_indentation
from blog_gen.text.kramdown import ATTRIBUTES, CONTENTS, without_id
from blog_gen.text.preformatted import with_fences
from blog_gen.text.safety import code, fences
from blog_gen.text.safety.facts import SafetyReport
from blog_gen.text.safety.fences import Fence, Prose, Segment
from blog_gen.text.safety.html import without_markup
from blog_gen.text.safety.liquid import in_markdown

_RAW = re.compile(r"\{%-?\s*raw\s*-?%\}((?:(?!\{%-?\s*(?:end)?raw\b)[\s\S])*+)\{%-?\s*endraw\s*-?%\}")
_BRACES = {"{{": "\U000f0000", "}}": "\U000f0001", "{%": "\U000f0002", "%}": "\U000f0003"}  # in `raw`
_BRACE = re.compile("|".join(map(re.escape, _BRACES)))
_SHOWN = {mark: brace for brace, mark in _BRACES.items()}
_STAND_IN = re.compile(f"[{''.join(_SHOWN)}]")
_TAG = re.compile(r"\{%(?:(?!%\}|\{%)[\s\S])*+%\}|\{\{(?:(?!\}\}|\{\{)[\s\S])*+\}\}")
_TITLE = re.compile(r"\{\{-?\s*page\.title\b[^{}]*\}\}")
_SITE = re.compile(r"\{\{-?\s*(?:site\.(?:base_?url|url)|page\.base_?url)\s*(?:\|[^{}]*)?-?\}\}")
# An address that is written out, and filters that put the site's own before it.
_ADDRESS = re.compile(
    r"""\{\{-?\s*(?:"([^"\s{}()]+)"|'([^'\s{}()]+)')\s*"""
    r"((?:\|\s*(?:relative_url|absolute_url|prepend:\s*site\.(?:base_?url|url))\s*)+)-?\}\}"
)
_NO_TARGET = re.compile(r"!?\[([^\[\]]*+)\]\((?=[^()]*(?:\{%|\{\{))[^()]*+\)")
_NO_PICTURE = re.compile(rf"^[ \t]*+(?=!){_NO_TARGET.pattern}(?:\{{:[^{{}}\n]*+\}})?[ \t]*+$", re.M)
# Distill's own elements: a reader sees a number, and what is behind it only by pointing there.
_NOTE = re.compile(
    r"(?<![ \t])[ \t]*+<(d-cite|d-footnote)(?:\s[^<>]*)?>(?:(?!</?\1\b)[\s\S])*+</\1\s*>", re.I
)
_ATTRIBUTES = re.compile(rf"(?<![ \t])[ \t]*+{ATTRIBUTES}")
_EXTENSION = re.compile(r"^ {0,3}\{::?/?[a-z]*(?:[ \t][^{}\n]*)?\}[ \t]*$", re.M)
_LINK = re.compile(
    r"""<a\s(?:[^<>]*?\s)?href\s*=\s*(?:"([^"<>\n]*)"|'([^'<>\n]*)')[^<>]*>"""
    r"""((?:!\[[^\[\]\n]*\]\([^()\s]*\)|[^<>\[\]\n])*+)</a>""",
    re.I,
)
_IMAGE = re.compile(r"<img\s[^<>]*>", re.I)
_ATTRIBUTE = re.compile(r"""(?<=\s)(src|alt)\s*=\s*(?:"([^"<>\n]*)"|'([^'<>\n]*)')""", re.I)
_MARKS = {"em": "*", "i": "*", "strong": "**", "b": "**"}
_INLINE_CODE = re.compile(r"<(code|kbd|tt|samp)>([^<>`\n]+)</\1>", re.I)
_SPAN = re.compile(rf"<({'|'.join(_MARKS)})(?:\s[^<>]*)?>([^<>\n]*[^<>\s])</\1>", re.I)
_BREAK = re.compile(
    r"(?<![ \t])[ \t]*+<(?:/p|/div|/figure|/blockquote|/table|/ul|/ol|/dl|p|div)(?:\s[^<>]*)?>[ \t]*+", re.I
)
_HEADING_LINE = re.compile(r"^#{1,6}[ \t][^\n]*\{#[^\n]*", re.M)
_HEADING = re.compile(r"<h([1-6])(?:\s[^<>]*)?>([^<>\n]*)</h\1>", re.I)
_ITEM = re.compile(r"^[ \t]*<li(?:\s[^<>]*)?>\s*", re.I | re.M)
_NEXT_ITEM = re.compile(r"</li\s*>[ \t]*(?=<li\b)", re.I)
_BULLET = "\U000f0004"  # stands before what was an item of HTML's, which may show nothing
_EMPTY_ITEM = re.compile(rf"^{_BULLET}- *(?:\n|\Z|(?={_BULLET}))", re.M)
_CELL = re.compile(r"(?<![ \t])[ \t]*+</t[dh]>[ \t]*+", re.I)
_REFERENCE = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z]\w{1,30});")
_MEANING = frozenset("<>&*_`[]\\#|~$") | frozenset(_SHOWN)  # what such a character would mean in Markdown
_BLANKS = re.compile(r"(?<![ \t])[ \t]++$", re.M)
_OPENING = re.compile(r"\A(?:#{1,6}[ \t]+([^\n]*)|(?![ \t#>*+-])([^\n]+)\n(?:=+|-{2,})[ \t]*)(?:\n|\Z)")
_GAP = re.compile(r"\n{3,}")


def writable(body: str, post_title: str) -> str:
    """`body` without what no draft may hold; `post_title` stands for the Liquid that prints it. May be empty.

    >>> writable('It&#8217;s <b>cold</b>. {% include x.html %}<img src="/a.png" alt="Tea">{:.wide}', "Tea")
    'It’s **cold**. ![Tea](/a.png)'
    """
    body = _RAW.sub(lambda raw: _BRACE.sub(lambda brace: _BRACES[brace[0]], raw[1]), body.replace("\0", ""))
    segments: list[Segment] = without_indentation(with_fences(fences.split(in_markdown(body))))
    segments = fences.with_indented_code(segments, code.DANGEROUS)
    prose = ("\n".join(segment.lines) for segment in segments if isinstance(segment, Prose))
    dead = dead_labels(prose, lambda address: _without_liquid(address, post_title))
    lines = [line for segment in segments for line in _lines(segment, post_title, dead)]
    return _STAND_IN.sub(lambda mark: _SHOWN[mark[0]], "\n".join(lines)).strip("\n")


def one_line(title: str) -> str:
    """A title as a reader sees it: references to characters and HTML are for the browser.

    >>> one_line("Salt &#038; <em>sugar</em>")
    'Salt & sugar'
    """
    return html.unescape(without_markup(title, SafetyReport())).strip() or title


def opens_with(post_title: str, body: str) -> bool:
    """Whether `body` begins with a heading that is `post_title`, which the layout then does not show.

    >>> [opens_with("Tea", body) for body in ("Tea\\n===\\n\\nHot.", "# Tea\\n", "# Milk\\n")]
    [True, True, False]
    """
    heading = _OPENING.match(body)
    return heading is not None and (heading[1] or heading[2]).strip().casefold() == post_title.casefold()


def opened_with(post_title: str, body: str) -> str:
    """`body` with `post_title` as its first heading, in the place of one that is there.

    >>> opened_with("Tea", "Milk\\n====\\n\\nHot."), opened_with("Tea", "Hot.")
    ('# Tea\\n\\nHot.', '# Tea\\n\\nHot.')
    """
    return f"# {post_title}\n\n{_OPENING.sub('', body, count=1).strip()}"


def _lines(segment: Segment, title: str, dead: frozenset[str]) -> list[str]:
    if isinstance(segment, Fence):
        return list(segment.lines)
    text = "\n".join(segment.lines)
    if not dead and not any(sign in text for sign in "<{&"):
        return list(segment.lines)
    text = _INLINE_CODE.sub(lambda span: f"`{html.unescape(span[2]).strip()}`", text)
    hidden, shown = code.masked(text)
    hidden = _without_liquid(without_dead(hidden, dead), title)
    hidden = _without_attributes(_without_html(hidden))
    return shown(_GAP.sub("\n\n", _BLANKS.sub("", hidden))).split("\n")


def _without_liquid(text: str, title: str) -> str:
    """Titles and addresses as they are printed; other tags away, and links that one leads.

    A picture without an address goes whole where it stands alone: what describes it is no sentence.
    """
    text = _ADDRESS.sub(_address, _SITE.sub("", _TITLE.sub(lambda _: title, text)))
    return _TAG.sub("", _NO_TARGET.sub(r"\1", _NO_PICTURE.sub("", text)))


def _address(printed: re.Match[str]) -> str:
    path = printed[1] or printed[2]
    absolute = path.startswith("/") or "_url" not in printed[3].replace("base_url", "") or "://" in path
    return path if absolute else f"/{path}"


def _without_html(text: str) -> str:
    """Elements as Markdown, those that it has none for away; characters as themselves."""
    text = _SPAN.sub(_marked, _IMAGE.sub(_image, _NOTE.sub("", text)))
    text = _LINK.sub(lambda link: f"[{link[3].strip()}]({link[1] or link[2] or ''})", text)
    text = _SPAN.sub(_marked, text)  # those around a link
    text = _HEADING.sub(lambda heading: f"\n\n{'#' * int(heading[1])} {heading[2].strip()}\n\n", text)
    text = _CELL.sub(" ", _BREAK.sub("\n\n", _ITEM.sub(f"{_BULLET}- ", _NEXT_ITEM.sub("\n", text))))
    text = _EMPTY_ITEM.sub("", without_markup(text, SafetyReport())).replace(_BULLET, "")
    return _REFERENCE.sub(_character, text)


def _marked(span: re.Match[str]) -> str:
    mark = _MARKS[span[1].lower()]
    return f"{mark}{span[2].strip()}{mark}"


def _image(element: re.Match[str]) -> str:
    given = {name.lower(): double or single for name, double, single in _ATTRIBUTE.findall(element[0])}
    source = given.get("src", "").strip()
    if not source or re.search(r"[\s()]", source):
        return ""
    shown = given.get("alt", "").replace("[", "").replace("]", "")
    return f"![{shown}]({source})"


def _character(reference: re.Match[str]) -> str:
    character = html.unescape(reference[0])
    return reference[0] if _MEANING & set(character) else " " if character == "\xa0" else character


def _without_attributes(text: str) -> str:
    text = _EXTENSION.sub("", _ATTRIBUTES.sub("", CONTENTS.sub("", text)))
    return _HEADING_LINE.sub(lambda line: without_id(line[0]), text)
