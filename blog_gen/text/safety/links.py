"""Links and images in Markdown prose: only those that the site itself would make are kept.

Every kept destination is rewritten in one strict form that all renderers read alike, and every other
`](`, `]:` and `![` is broken, so that none can hide from the check. Code is masked before. Knows nothing
of a site but the names of its hosts and images.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping
from urllib.parse import unquote

from blog_gen.text.safety.facts import Kind, SafetyReport, SiteFacts
from blog_gen.text.safety.html import AUTOLINK

_SAFE = r"[^\s<>()\[\]{}\"'`\\|^\x00-\x1f\x7f]"
_HOST = r"(?P<host>[^\s/?#@:&%\\<>()\[\]{}\"'`|^]+)"
_ABSOLUTE = re.compile(rf"https?://{_HOST}(?::\d{{1,5}})?(?:[/?#]{_SAFE}*)?", re.IGNORECASE)
# No colon and no entity before `?` or `#`: no scheme and no host, however it is decoded.
_RELATIVE = re.compile(rf"(?!//)(?=.)(?:(?![&:?#]){_SAFE})*(?:[?#]{_SAFE}*)?")
_LINKING = r"(?:\]\(|\]:|<|\b(?:href|src)\s*=)\s*[<\"']?"
_LINKED = re.compile(rf"{_LINKING}https?://{_HOST}", re.IGNORECASE)
_PLACE = rf"{_SAFE}(?:{_SAFE}|\({_SAFE}*\))*+"
_LINKED_PLACE = re.compile(rf"{_LINKING}(?P<url>{_PLACE})", re.IGNORECASE)

_TITLE = r"(?:\s+(?:\"(?P<double>[^\"]*)\"|'(?P<single>[^']*)'))?"
_DESTINATION = re.compile(rf"\s*(?:<(?P<angled>[^<>\n]*)>|(?P<bare>[^\s<>]+)){_TITLE}\s*")
_INSIDE = r"(?P<inside>[^()\n]*+(?:\([^()\n]*+\)[^()\n]*+)*+)"
_BRACKETED = r"(?:[^\[\]\n]++|\n(?![ \t]*\n)|\[[^\[\]\n]*+\](?:\([^()\n]*+\))?+)"
_IMAGE = re.compile(rf"!\[(?P<text>[^\[\]\n]*)\]\({_INSIDE}\)")
_LINK = re.compile(rf"(?<!!)\[(?P<text>{_BRACKETED}*+)\]\({_INSIDE}\)")
_REFERENCE = re.compile(rf"(?:(?P<bang>!)|(?<![\w\]!]))\[(?P<text>{_BRACKETED}++)\] ?\[(?P<id>[^\[\]^\n]*)\]")
_DEFINITION = re.compile(r"^ {0,3}\[(?P<id>[^\[\]^\n][^\[\]\n]*)\]:(?P<inside>.+)$\n?", re.MULTILINE)
_OTHER_AUTOLINK = re.compile(r"<(?P<address>(?:mailto:|ftps?://|[\w.+-]+@)[^\s<>]*)>", re.IGNORECASE)

_STRICT = rf"\]\((?P<url>{_SAFE}+)(?: \"[^\"\n]*\")?\)"
_OPENING = re.compile(rf"(?P<strict>{_STRICT})|\]\(")
# kramdown stops the whole build at a footnote that holds only an attribute list or another footnote.
_COLON = re.compile(
    r"(?P<footnote>\[\^[A-Za-z0-9_][A-Za-z0-9_-]*\]:(?!\s*(?:\^|\{:|\[\^[^\]\n]*\]:)))"
    rf"|^(?P<definition>\[[^\[\]^\n][^\[\]\n]*\]: (?P<url>{_SAFE}+)(?: \"[^\"\n]*\")?)$|\]:",
    re.MULTILINE,
)
_BANG = re.compile(rf"(?P<image>!\[[^\[\]\n]*(?:{_STRICT}|\] ?\[[^\[\]^\n]*\]))|!\[")


def known_hosts(bodies: Iterable[str]) -> frozenset[str]:
    """The hosts that `bodies` link to, in lower case and without `www.`.

    >>> sorted(known_hosts(["[a](https://www.Example.com/x) <http://b.org>", "see http://c.net"]))
    ['b.org', 'example.com']
    """
    return frozenset(_bare(found["host"]) for body in bodies for found in _LINKED.finditer(body))


def _bare(host: str) -> str:
    return host.lower().rstrip(".").removeprefix("www.")


def known_places(bodies: Iterable[str]) -> frozenset[str]:
    """The addresses that `bodies` link to, with neither scheme nor `www.` nor what follows a `#`.

    >>> sorted(known_places(["[a](https://www.Example.com/x/#top) [b](/about/) <http://c.net>"]))
    ['/about', 'c.net', 'example.com/x']
    """
    return frozenset(_place(match["url"]) for body in bodies for match in _LINKED_PLACE.finditer(body))


def _place(url: str) -> str:
    """What two addresses of one page have in common."""
    url = url.partition("#")[0].replace("(", "%28").replace(")", "%29")
    _, mark, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    return (f"{_bare(host)}{slash}{path}" if mark else url).rstrip("/")


# An address that a renderer may make a link of; what is a link already, or a whole address, comes first.
_BARE = re.compile(
    rf"(?P<kept>{_STRICT}|{AUTOLINK}|^\[[^\[\]^\n][^\[\]\n]*\]: {_SAFE}+)"
    rf"|(?P<address>(?:(?:https?|ftp)://|(?<![\w@./\\-])www\.){_SAFE}+)"
    r"|(?P<at>(?<=[\w.+;\\-])@(?=[A-Za-z0-9&])|&(?:#0*64|#x0*40|commat);)",
    re.IGNORECASE | re.MULTILINE,
)
_BREAKABLE = re.compile(r":(?=//)|(?<=^www)\.|(?<=[\w.+-])@(?=[A-Za-z0-9])", re.IGNORECASE)
_AFTER_ADDRESS = "?!.,:;*_~'\"])"
_WHOLE_HOST = re.compile(r"[?!.,:;*_~'\")\]]*+(?:[\s<]|\Z)")  # after an address without a path
_WORD_JOINER = "\u2060"  # not seen, and no line ends there
# To a renderer without footnotes, a footnote of one word, with a title or without, defines a link.
_LONGEST_WORD = 2000
_ONE_WORD = re.compile(
    rf"\s*+<?(?P<url>[^\s<>]{{1,{_LONGEST_WORD}}}+)>?(?P<more>[^\s<>])?[^\S\n]*+(?:(?=[\"'(])|$)",
    re.MULTILINE,
)


def may_link(url: str, facts: SiteFacts) -> bool:
    """Whether a link may lead to `url`: within the post, or to what the site links to.

    >>> facts = SiteFacts(frozenset({"example.com"}))
    >>> [may_link(url, facts) for url in ("/about/", "http://example.com/", "//x.y", "java&#115;cript:x")]
    [True, True, False, False]
    >>> facts = SiteFacts(frozenset({"example.com"}), places=frozenset({"example.com/a"}))
    >>> [may_link(url, facts) for url in ("#top", "/about/", "http://example.com/a/", "http://example.com/b")]
    [True, False, True, False]
    """
    place = _place(url)  # empty for a link within the post
    if place and facts.places is not None and place not in facts.places:
        return False
    absolute = _ABSOLUTE.fullmatch(url)
    return _bare(absolute["host"]) in facts.hosts if absolute else _RELATIVE.fullmatch(url) is not None


def may_show(url: str, facts: SiteFacts) -> bool:
    """Whether `url` is the path of an image in the site, from its root or from anywhere below.

    >>> may_show("../assets/cat.png", SiteFacts(files=frozenset({"assets/cat.png"})))
    True
    """
    path = posixpath.normpath("/" + unquote(re.split("[?#]", url, maxsplit=1)[0]))
    return _RELATIVE.fullmatch(url) is not None and path.lstrip("/") in facts.files


def with_definitions(text: str, facts: SiteFacts, report: SafetyReport) -> tuple[str, dict[str, str]]:
    """`text` with only those link definitions that may be, and their destinations by label."""
    kept: dict[str, str] = {}

    def define(match: re.Match[str]) -> str:
        url, destination = _strict(match)
        if not may_link(url, facts):
            report.add("link", match)
            return ""
        kept.setdefault(label_of(match["id"]), url)
        return f"[{match['id']}]: {destination}" + "\n" * match[0].endswith("\n")

    return _DEFINITION.sub(define, text), kept


def label_of(words: str) -> str:
    """What labels are compared by: neither case nor the number of blanks in them matters."""
    return " ".join(words.lower().split())


def _strict(match: re.Match[str]) -> tuple[str, str]:
    """The URL of a link, image or definition, and it with its title in the strict form ("" when none is)."""
    parts = _DESTINATION.fullmatch(match["inside"])
    if parts is None:
        return "", ""
    url = (parts["angled"] or parts["bare"] or "").replace("(", "%28").replace(")", "%29")
    title = re.sub(r"[\[\]{}<>()\\\"`\s]+", " ", parts["double"] or parts["single"] or "").strip()
    return url, f'{url} "{title}"' if title else url


def with_links(text: str, defined: Mapping[str, str], facts: SiteFacts, report: SafetyReport) -> str:
    """`text` with kept links and images in strict form, other links as their text, other images gone."""

    def kept_or(kind: Kind, otherwise: str, match: re.Match[str]) -> str:
        url, destination = _strict(match)
        if may_show(url, facts) if kind == "image" else may_link(url, facts):
            return f"{'!' * (kind == 'image')}[{match['text']}]({destination})"
        report.add(kind, match)
        return otherwise

    def reference(match: re.Match[str]) -> str:
        url = defined.get(label_of(match["id"] or match["text"]), "")
        if may_show(url, facts) if match["bang"] else url:
            return match[0]
        report.add("image" if match["bang"] else "link", match)
        return "" if match["bang"] else match["text"]

    def autolink(match: re.Match[str]) -> str:
        if may_link(match[0][1:-1], facts):
            return match[0]
        return match[0][1:-1]  # `without_bare_addresses` reports it

    text = _OTHER_AUTOLINK.sub(r"\g<address>", re.sub(AUTOLINK, autolink, text))
    text = _IMAGE.sub(lambda match: kept_or("image", "", match), text)
    text = _LINK.sub(lambda match: kept_or("link", match["text"], match), text)
    return _REFERENCE.sub(reference, text)


def without_loose_ends(text: str, facts: SiteFacts) -> str:
    r"""`text` with each `](`, `]:` and `![` broken by a backslash that is not of a kept link or a footnote.

    >>> without_loose_ends("[a](javascript:b) ![c", SiteFacts())
    '[a]\\(javascript:b) !\\[c'
    """

    def opening(match: re.Match[str]) -> str:
        return match[0] if match["strict"] and may_link(match["url"], facts) else "]\\" + match[0][1:]

    def colon(match: re.Match[str]) -> str:
        if match["footnote"]:
            return match[0] if _is_footnote_everywhere(match, facts) else match[0][:-1] + "\\:"
        if match["definition"] and may_link(match["url"], facts):
            return match[0]
        return match[0].replace("]:", "]\\:")

    def bang(match: re.Match[str]) -> str:
        shown = match["image"] and (match["url"] is None or may_show(match["url"], facts))
        return match[0] if shown else "!\\" + match[0][1:]

    return _BANG.sub(bang, _COLON.sub(colon, _OPENING.sub(opening, text)))


def _is_footnote_everywhere(match: re.Match[str], facts: SiteFacts) -> bool:
    """Whether the footnote that `match` begins cannot be read as the definition of a link elsewhere."""
    word = _ONE_WORD.match(match.string, match.end())
    if word is None or word["url"].startswith("\0"):  # code, which is no address
        return True
    return not word["more"] and may_link(word["url"], facts)


def without_bare_addresses(text: str, facts: SiteFacts, report: SafetyReport) -> str:
    r"""`text` in which no renderer makes a link of a bare address, but of those that the site links to.

    >>> without_bare_addresses("See http://known.example or www.x.example.", SiteFacts(), SafetyReport())
    'See http\\://known.example or www\\.x.example.'
    """

    def broken(match: re.Match[str]) -> str:
        if match["kept"] or (match["address"] and _may_stand_bare(match, facts)):
            return match[0]
        if match["at"]:  # flagged in the end as what it is
            return f"@{_WORD_JOINER}"
        report.add("link", match)
        return _BREAKABLE.sub(lambda at: f"@{_WORD_JOINER}" if at[0] == "@" else f"\\{at[0]}", match[0])

    return _BARE.sub(broken, text)


def _may_stand_bare(match: re.Match[str], facts: SiteFacts) -> bool:
    """Whether a bare address may become a link, of which a renderer may take more or less than we do."""
    address = match["address"].rstrip(_AFTER_ADDRESS)
    url = f"http://{address}" if address.lower().startswith("www.") else address
    ends = "/" in url.partition("://")[2] or _WHOLE_HOST.match(match.string, match.end())
    return bool(ends) and may_link(url, facts)
