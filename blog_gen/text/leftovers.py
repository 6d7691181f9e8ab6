"""What a sampled text leaves standing: links never closed, marks that close nothing, odd addresses.

A small model begins more than it ends. What it left is cut off before the text is made safe and judged. Code
stays as it is. Knows Markdown, nothing of models.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from blog_gen.text.safety.code import masked
from blog_gen.text.safety.facts import SiteFacts
from blog_gen.text.safety.fences import Prose, split
from blog_gen.text.safety.links import may_link, may_show

_TARGET = r"\]\([^()\n]*+(?:\([^()\n]*+\)[^()\n]*+)*+\)"
_JUNK = r"(?:<?(?:https?:|www\.|mailto:|\.{0,2}/|#)[^\s()]*+)?"
_LINKS = re.compile(
    rf"(?P<whole>!?\[[^\[\]\n]*+{_TARGET}|{_TARGET})|!?\[(?P<text>[^\[\]\n]*+)\]\({_JUNK}|\]\({_JUNK}"
)
# Words in brackets that lead nowhere; one, such as [sic], is an author's own.
_NO_LINK = re.compile(
    r"(?<![\]\w\\!])(?<!\] )\[(?P<text>[^\s\[\]^]++(?:[ \t]++[^\s\[\]]++)++)\](?! ?[\[(:{])"
)
# Numbers of notes or of links, after a word.
_NUMBERS = re.compile(r"(?<=[^\W\d_]{2})(?:[ \t]?\[[1-9]\d?\])+(?![(:\w])")
# The second half of a link to a label.
_EMPTY = re.compile(r"^\[\][ \t]*\n|(?:^|[ \t])\[\](?![\w(\[:])", re.M)
# An image that a sentence begins with: without it, as `safe` leaves what the site has not, that has no head.
_IMAGE = re.compile(r"^\[?!\[[^\[\]\n]*+\]\((?P<url>[^()\s]*+)[^()\n]*+\)(?=[ \t]+\S)", re.M)
_FIRST_SENTENCE = re.compile(r"\A.*?[.!?][)\]\"'”’*_]*\s+(?=[^\sa-z])|\A.*", re.S)
_LABEL = re.compile(r"^ {0,3}\[([^\[\]\n]++)\]:|^ {0,3}\[(\d++)\](?!\()", re.M)  # of a link, or of a note
_LONE = re.compile(r"(?<=\S)[ \t]++[*_]+\Z")
_LAST = re.compile(r"(?<=[^\s*_])(?:\*++|_++)\Z")
_EMPTY_ITEM = re.compile(r"(?:\A|\n)[ \t]*(?:[-+*_]|\d{1,9}[.)])[ \t]*\Z")
# What opens or closes emphasis: a word stands on one side, none on the other.
_EMPHASIS = re.compile(r"(?<![\w*_\\])[*_]{1,3}(?=[^\s*_])|(?<=[^\s*_\\])[*_]{1,3}(?![\w*_])")
# The marks of a heading that goes on as a paragraph does: for twelve words with a sentence's end, or longer.
_HEADED = re.compile(
    r"^ {0,3}#{1,6}[ \t]++(?=(?:\S++[ \t]++){25}|(?:\S++[ \t]++){11}[^\n]*(?<=[.!?])[ \t]*$)", re.M
)
_GAP = re.compile(r"(\n[ \t]*\n)")
_WORD = re.compile(r"[^\W_]+")
_BULLET = re.compile(r"^[ \t]*[-+*][ \t]", re.M)
_RULE = re.compile(r"[ \t]*+(?:[-*_][ \t]*+){3,}+")
_IN_WORD = re.compile(r"(?<=[^\W_])_++(?=[^\W_])")
# A backquote that begins no code, but for `such' and ``such'' quotation marks.
_BACKQUOTE = re.compile(r"(?<![\\`])`++(?![^`'\n]{1,80}+'(?!\w))")
_PAIRED = (re.compile(r"(?<![\\~])~~(?!~)"), re.compile(r"(?<![\\$])\$\$(?!\$)"))  # struck out; a formula
_QUOTATION = re.compile(r'(?<=[^\d\\\n])"')  # not of inches, and not one that the next paragraphs close
# No ending of a file and no name that ends so, such as Node.js and ASP.NET.
_HOST = r"(?:[a-z0-9-]++\.)+(?:com|org|info|edu|gov|io|dev|eu|uk|de|fr|example)\b(?!\.\w|[-@])"
_NAMED = re.compile(rf"(?<![\w.@/-]){_HOST}", re.I)
_ADDRESS = re.compile(
    r"(?:https?|ftp)://[^\s<>]+|\bwww\.[^\s<>]+|(?<![\w.+-])[\w.+-]++@[\w-]++(?:\.[\w-]++)++"
    rf"|{_NAMED.pattern}(?:/[^\s<>]*)?",
    re.I,
)
# A bare address, with the brackets that it was to stand in; links and their definitions are left to `safe`.
_BARE = re.compile(
    rf"(?P<whole>!?\[[^\[\]\n]*+{_TARGET}|^ {{0,3}}\[[^\[\]\n]++\]:[^\n]*$)"
    r"|[ \t]?[\[(<]{0,2}(?P<address>\b(?:(?:https?|ftp):/|www\.)[^\s<>()\[\]]+"
    r"|(?<![\w.+@/-])[\w.+-]++@[\w-]++(?:\.[\w-]++)++(?![:/]\w)"
    r"|(?<![\w.@/-])(?:[a-z0-9-]++\.)+(?:com|org|net|info|edu|gov|io)/[^\s<>()\[\]]+"
    rf"|{_NAMED.pattern})[)\]>]{{0,2}}",
    re.M | re.I,
)
# An interval is open to one side: (0, 1] and [a,b[.
_INTERVAL = r"[\[(\]][^\[\]()\s,]{1,12}, ?[^\[\]()\s,]{1,12}[\])\[]"
_BRACKETS = re.compile(rf"\\[^\[]|{_INTERVAL}|(?P<opening>\\?\[)|(?P<closing>{_TARGET}|\])")
# A smiley has one of its own, and so have "a)" and "2)" in a row.
_ROUND = re.compile(
    rf"\\.|{_INTERVAL}|{_TARGET}|(?P<opening>(?<![:;=8^'-])\()|(?P<closing>(?<=\w{{3}})\)|(?<=[.!?\"”’*_`\]\x00])\))"
    r"|(?P<short>\))"
)
_POINTS = ".,;:!?\"'"  # after an address, they belong to the sentence
_TWICE = re.compile(r"\b(an?|the|of|to|and|or|with|for)(?: \1)++(?![\w'’-])")
_APART = re.compile(r"(?<=[^\W_]) (?=,(?:\s|\Z)|\.(?:\Z|\s(?!\.)))")
_GLUED = re.compile(r"(?<=[a-z]{2}),(?=[a-z]{2})")
_LINK_IN_LINE = re.compile(r"!?\[([^\[\]]*+)\]\([^()]*+\)")


def without_leftovers(body: str, facts: SiteFacts | None = None) -> str:
    """`body` without what a model began and never ended, and without bare addresses that `facts` do not know.

    >>> without_leftovers("See [the shop](http:// and *so* on. *"), without_leftovers("It was so_")
    ('See the shop and *so* on.', 'It was so')
    >>> without_leftovers("A talk [http://a.example/b) at www.c.example, too", SiteFacts())
    'A talk at, too'
    """
    body = body.replace("\0", "")
    segments = split(body)
    labels = {(link or note).casefold() for link, note in _LABEL.findall(body)}
    lines: list[str] = []
    for segment in segments:
        prose = isinstance(segment, Prose)
        lines += _prose("\n".join(segment.lines), labels, facts).split("\n") if prose else segment.lines
    text = "\n".join(lines)
    return _EMPTY_ITEM.sub("", text.rstrip()).rstrip() if isinstance(segments[-1], Prose) else text


def _prose(text: str, labels: Collection[str], facts: SiteFacts | None) -> str:
    hidden, shown = masked(_HEADED.sub("", text))
    parts = _GAP.split(hidden)
    return shown("".join(part if part.isspace() else _paragraph(part, labels, facts) for part in parts))


def _paragraph(text: str, labels: Collection[str], facts: SiteFacts | None) -> str:
    before = text
    text = _LINKS.sub(lambda link: link["whole"] or _without_brackets(link), text)
    text = _EMPTY.sub("", text)
    text = _NO_LINK.sub(lambda words: words[0 if words["text"].casefold() in labels else "text"], text)
    text = _NUMBERS.sub(
        lambda marks: marks[0] if any(mark in labels for mark in re.findall(r"\d+", marks[0])) else "", text
    )
    if facts:
        text = _IMAGE.sub(lambda image: image[0] if may_show(image["url"], facts) else "", text)
        text = _GLUED.sub(", ", _BARE.sub(lambda found: _bare(found, facts), text))
    text = _paired(_paired(text, _BRACKETS), _ROUND)
    return _headed(before, _emphasised(_without_slips(_without_odd_ones(_BACKQUOTE.sub("", text)))))


def _without_slips(text: str) -> str:
    """One paragraph without a small word said twice, and without blanks between words and their stops."""
    return _APART.sub("", _TWICE.sub(r"\1", text))


def _headed(before: str, text: str) -> str:
    """One paragraph without a first sentence that has lost its beginning."""
    first, now = _WORD.search(before), _WORD.match(text.lstrip())
    if not (first and now and now[0][0].islower()) or first[0] == now[0]:
        return text
    return _FIRST_SENTENCE.sub("", text, count=1)


def _bare(found: re.Match[str], facts: SiteFacts) -> str:
    if found["whole"] is not None:
        return found[0]
    address = found["address"].rstrip(_POINTS)
    return found[0] if _known(address, facts) else found["address"][len(address) :]


def _without_brackets(link: re.Match[str]) -> str:
    return (link["text"] or "").rstrip()


def _paired(text: str, brackets: re.Pattern[str]) -> str:
    """One paragraph without the brackets and ends of links that nothing opens or nothing closes."""
    opened: list[re.Match[str]] = []
    alone = set()
    for mark in brackets.finditer(text):
        if mark["opening"]:
            opened.append(mark)
        elif mark.lastgroup and opened:
            opened.pop()
        elif mark["closing"]:
            alone.add(mark.start())
    alone |= {mark.start() for mark in opened if mark[0] in "[("}  # an escaped one is text
    return brackets.sub(lambda mark: "" if mark.start() in alone else mark[0], text)


def _without_odd_ones(text: str) -> str:
    """One paragraph without the last of marks that come in pairs, and do not here."""
    for pair in _PAIRED:
        found = [*pair.finditer(text)]
        if len(found) % 2:
            text = text[: found[-1].start()] + text[found[-1].end() :]
    return _QUOTATION.sub("", text) if text.count('"') == 1 else text


def _emphasised(text: str) -> str:
    """One paragraph without a mark of emphasis that stands alone, or a last one that closes none."""
    for mark in "*_":
        alone = [found for found in _EMPHASIS.finditer(text) if found[0][0] == mark]
        if len(alone) == 1 and not _in_link(text, alone[0].start()):
            text = text[: alone[0].start()] + text[alone[0].end() :]
    *_, last = text.rsplit("\n", 1)
    if _RULE.fullmatch(last):
        return text
    text = _LONE.sub("", text.rstrip(" \t"))
    closing = _LAST.search(text)
    if closing is None or "://" in text[: closing.start()].split()[-1]:
        return text
    before = _IN_WORD.sub("", _BULLET.sub("", text[: closing.start()])).count(closing[0][0])
    length = len(closing[0])
    return text if before >= length and before % 2 == length % 2 else text[: closing.start()]


def _in_link(text: str, at: int) -> bool:
    """Whether the word at this place has an address in it."""
    start = max(text.rfind(blank, 0, at) for blank in " \t\n") + 1
    word = text[start:].split(maxsplit=1)[0]
    return "://" in word or "](" in word


def without_addresses(line: str, facts: SiteFacts) -> str:
    """A line of bare text without addresses, but those of the site and of hosts that it links to.

    >>> without_addresses("Why [this](http://a.example) and www.b.com fail", SiteFacts())
    'Why this and fail'
    """
    line = _LINK_IN_LINE.sub(r"\1", line)
    return " ".join(_ADDRESS.sub(lambda found: _known(found[0], facts), line).split())


def named_hosts(texts: Iterable[str]) -> frozenset[str]:
    """The hosts that `texts` name as bare words, in lower case.

    >>> sorted(named_hosts(["At Booking.com, in main.py; https://a.example/b.c"]))
    ['booking.com']
    """
    return frozenset(found[0].lower() for text in texts for found in _NAMED.finditer(text))


def _known(address: str, facts: SiteFacts) -> str:
    if _NAMED.fullmatch(address) and not address.lower().startswith("www."):
        return address if address.lower() in facts.hosts | facts.named else ""
    whole = address if "://" in address else f"http://{address}"
    return address if "@" not in address and may_link(whole, facts) else ""
