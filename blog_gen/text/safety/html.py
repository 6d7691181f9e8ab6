"""Raw HTML out of Markdown prose: known elements are removed, every other `<` becomes text.

What is left holds no `<` that kramdown, CommonMark or a browser could take for a tag, but for autolinks,
which `links` has checked. Code is masked before. Knows nothing of files or sites.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence

from blog_gen.text.safety.facts import SafetyReport

AUTOLINK = r"<https?://[^\s<>()\[\]{}\"'`\\|^\x00]+>"

_WITH_CONTENT = "script style iframe object applet noscript template svg math textarea select xmp plaintext"
_WITHOUT = (
    "a abbr acronym address area article aside audio b base basefont bdi bdo bgsound big blink blockquote "
    "body br button canvas caption center cite code col colgroup command data datalist dd del details dfn "
    "dialog dir div dl dt em embed fieldset figcaption figure font footer form frame frameset h1 h2 h3 h4 "
    "h5 h6 head header hgroup hr html i image img input ins isindex kbd keygen label legend li link main "
    "map mark marquee menu menuitem meta meter nav nobr noembed noframes ol optgroup option output p param "
    "picture pre progress q rb rp rt rtc ruby s samp search section slot small source span strike strong "
    "sub summary sup table tbody td tfoot th thead time title tr track tt u ul var video wbr"
)
_ELEMENTS = frozenset(f"{_WITH_CONTENT} {_WITHOUT}".split())
_ALTERNATIVES = _WITH_CONTENT.replace(" ", "|")
_ACTIVE = re.compile(rf"<(?:{_ALTERNATIVES})\b|[\s/\"']on\w+\s*=|javascript:|vbscript:", re.IGNORECASE)
# A tag, a declaration, or what begins something that its own mark ends.
_MARKUP = re.compile(
    r"(?<!\\)(?:(?P<begun><!--|<!\[CDATA\[|<\?)|<![A-Z][^<>]*>"
    r"|<(?P<slash>/?)(?P<name>[A-Z][A-Z0-9]*+(?:-[A-Z0-9-]*+)?)(?=[\s/>])[^<>]*>)",
    re.IGNORECASE,
)
_CLOSING = re.compile(rf"</(?P<name>{_ALTERNATIVES})\s*>", re.IGNORECASE)
_ENDS = {"<!--": "-->", "<![cdata[": "]]>", "<?": "?>"}
# Characters. What is longer was hardly meant, and is removed tag by tag; every `<` that is left becomes text.
_LONGEST_COMMENT, _LONGEST_ELEMENT = 1000, 4000
_COMMENT = re.compile(r"<!--[^<>]*-->")
# A tag, a comment, an instruction; `<3` is none, but `<3@x.y>` is an address to kramdown.
_OPENING = re.compile(rf"(?P<autolink>{AUTOLINK})|(?:\\|(?<!<))(?P<run><++)(?![\s=]|\d++(?:[^\w.@-]|$))")
# Class names and kramdown's table of contents cannot do harm; any other attribute could be `onclick`.
_ATTRIBUTES = re.compile(r"(?P<kept>\{:(?: ?\.[A-Za-z][A-Za-z0-9_-]*+)++ ?\}|\{:toc\})|\{:[^{}\n]*\}|\{:")
_CHARACTERS = range(0x20, 0x7F), range(0xA0, 0xD800), range(0xE000, 0xFFFE), range(0x10000, 0x110000)
_ENTITY = re.compile(r"&#(?:[xX](?P<hexadecimal>[0-9A-Fa-f]+)|(?P<decimal>[0-9]+))?;?")


def without_markup(text: str, report: SafetyReport, keep: str = "") -> str:
    """`text` without HTML elements, custom ones too, comments, CDATA and instructions; unknown elements stay.

    Scripts and their like go with all they hold; of other elements the content stays. `keep` is one
    comment to leave alone: the site's excerpt separator.

    >>> without_markup("a <b onclick='x()'>bold</b> List<String>", SafetyReport())
    'a bold List<String>'
    """

    closings = _closings(text)
    parts: list[str] = []
    done = at = 0
    while found := _MARKUP.search(text, at):
        end = _end(found, closings)
        at = end or found.end()
        if end is None or text[found.start() : end] == keep:
            continue
        markup = text[found.start() : end]
        report.add("script" if _ACTIVE.search(markup) else "html", found, markup)
        parts += [text[done : found.start()], " " if (found["name"] or "").lower() == "br" else ""]
        done = end
    return "".join([*parts, text[done:]])


def _closings(text: str) -> dict[str, list[tuple[int, int]]]:
    """Where the elements that go with their content are closed, by name."""
    closings: dict[str, list[tuple[int, int]]] = {}
    for found in _CLOSING.finditer(text):
        closings.setdefault(found["name"].lower(), []).append(found.span())
    return closings


def _end(found: re.Match[str], closings: Mapping[str, Sequence[tuple[int, int]]]) -> int | None:
    """Where the markup that `found` begins ends; None where it is to be left alone."""
    text, after = found.string, found.end()
    if found["begun"]:
        mark = _ENDS[found["begun"].lower()]
        end = text.find(mark, after, after + _LONGEST_COMMENT + len(mark))
        return end + len(mark) if end >= 0 else None
    name = (found["name"] or "").lower()
    if name and name not in _ELEMENTS and "-" not in name:  # with a hyphen it is a script's own element
        return None
    closed = [] if found["slash"] else closings.get(name, [])
    at = bisect_left(closed, (after, 0))
    within = at < len(closed) and closed[at][0] <= after + _LONGEST_ELEMENT
    return closed[at][1] if within else after


def as_text(text: str, report: SafetyReport, keep: str = "") -> str:
    r"""`text` with every `<` escaped that might begin a tag, and no entity for what is no character.

    kramdown stops the whole build at an entity beyond Unicode.

    >>> as_text("1 <2, a < b, \\<i> and <foo bar>&#9999999;", SafetyReport())
    '1 <2, a < b, &lt;i> and &lt;foo bar>'
    """

    def entity(match: re.Match[str]) -> str:
        if match[0].endswith(";") and _is_character(match):
            return match[0]
        report.add("control", match)
        return ""

    parts = text.split(keep) if _COMMENT.fullmatch(keep) else [text]
    parts = [
        _ENTITY.sub(entity, _OPENING.sub(lambda m: m["autolink"] or "&lt;" * len(m["run"]), part))
        for part in parts
    ]
    return keep.join(parts)


def without_attributes(text: str, report: SafetyReport) -> str:
    r"""`text` without kramdown's attribute lists, extensions and options; lists of classes stay.

    >>> without_attributes("a{:onclick='x'} {::nomarkdown} {:.wide} {:", SafetyReport())
    'a  {:.wide} {\\:'
    """

    def cut(match: re.Match[str]) -> str:
        if match["kept"]:
            return match[0]
        report.add("attributes", match)
        return "{\\:" if match[0] == "{:" else ""

    return _ATTRIBUTES.sub(cut, text)


def _is_character(entity: re.Match[str]) -> bool:
    digits = entity["hexadecimal"] or entity["decimal"]
    if not digits or len(digits) > 8:
        return False
    code = int(digits, 16 if entity["hexadecimal"] else 10)
    return any(code in span for span in _CHARACTERS)
