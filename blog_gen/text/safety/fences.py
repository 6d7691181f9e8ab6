"""Where code begins and ends in a Markdown body, in a form that every renderer reads alike.

A post is only safe if kramdown, CommonMark and this module agree on what is code, since code is all that
is left as it stands. So either a body's code holds nothing that would be dangerous outside code, and then
it does not matter who agrees; or the body is *guarded*: every fence stands at the margin between blank
lines, is closed, and no other line looks like one. Knows nothing of links, HTML or Liquid.
"""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

# Quote and list markers before a fence inside them.
_PREFIX = r"(?:[ \t]|>|(?:[-+*]|\d{1,9}[.)])[ \t])*+"
_OPENING = re.compile(rf"(?P<prefix>{_PREFIX})(?P<ticks>`{{3,}}(?![^`]*`)|~{{3,}})[ \t]*(?P<info>[^~`].*)?$")
_LANGUAGE = re.compile(r"[\w+#.-]+", re.ASCII)
_INDENTED = re.compile(r"(?: {4}| {0,3}\t)[ \t]*\S")
_HEADING = re.compile(r"#{1,6}[ \t]")
_LIST_LIKE = re.compile(r" {0,3}(?:[-+*]|\d+[.)]|:|\[\^)")
_MARGIN = r"^(?:[^\S\n]|[>*+\-\d.):])*+"  # all that can stand before a block inside quotes and lists
_LIKE_A_FENCE = re.compile(rf"({_MARGIN})([~`]{{3,}})", re.MULTILINE)
_LIKE_MATH = re.compile(rf"({_MARGIN}\\?\$)\$", re.MULTILINE)


@dataclass(frozen=True)
class Prose:
    """Lines that are not fenced."""

    lines: tuple[str, ...]


@dataclass(frozen=True)
class Fence:
    """A fenced code block, as it was read."""

    lines: tuple[str, ...]  # fence lines and all
    prefix: str  # what stood before the opening fence: spaces, `>`, list markers
    ticks: str  # the opening run
    info: str  # the first word after it: the language
    content: tuple[str, ...]  # without the prefix
    closed: bool


Segment = Prose | Fence


def split(text: str) -> list[Segment]:
    """The fenced blocks of `text` and what lies between them, in order.

    A block without an end runs to the end of the text, or of the quote that it is in.

    >>> [type(part).__name__ for part in split("See:\\n```sh\\nls\\n```")]
    ['Prose', 'Fence']
    """
    lines, at = text.split("\n"), 0
    segments: list[Segment] = []
    prose: list[str] = []
    while at < len(lines):
        opening = _OPENING.match(lines[at])
        if opening is None:
            prose.append(lines[at])
            at += 1
            continue
        if prose:
            segments.append(Prose(tuple(prose)))
            prose = []
        fence = _fence(opening, lines, at)
        segments.append(fence)
        at += len(fence.lines)
    return [*segments, Prose(tuple(prose))] if prose else segments


def _fence(opening: re.Match[str], lines: Sequence[str], start: int) -> Fence:
    prefix, ticks = opening["prefix"], opening["ticks"]
    language = _LANGUAGE.match(opening["info"] or "")
    closing = re.compile(rf" {{0,3}}{re.escape(ticks[0])}{{{len(ticks)},}}[ \t]*$")
    without_prefix = _prefix_remover(prefix)
    content: list[str] = []
    closed = False
    for at in range(start + 1, len(lines)):
        if ">" in prefix and not lines[at].lstrip(" \t").startswith(">"):
            break
        line = without_prefix(lines[at])
        closed = closing.match(line) is not None
        if closed:
            break
        content.append(line)
    taken = lines[start : start + 1 + len(content) + closed]
    info = language[0] if language else ""
    return Fence(tuple(taken), prefix, ticks, info, tuple(content), closed)


def _prefix_remover(prefix: str) -> Callable[[str], str]:
    """What takes as many quote marks and as much indentation from a line as `prefix` has."""
    quotes = re.compile(rf"(?:[ \t]*>){{0,{prefix.count('>')}}}")
    width = len(prefix.rsplit(">", 1)[-1].expandtabs(4))

    def without_prefix(line: str) -> str:
        rest = quotes.sub("", line, count=1)
        words = rest.lstrip(" \t")
        indent = len(rest[: len(rest) - len(words)].expandtabs(4))
        return " " * (indent - width) + words if width else rest

    return without_prefix


def with_indented_code(segments: Iterable[Segment], dangerous: re.Pattern[str]) -> list[Segment]:
    """`segments`, with those indented code blocks turned into fences that hold something `dangerous`."""
    turned: list[Segment] = []
    for segment in segments:
        turned += _fenced_blocks(segment, dangerous) if isinstance(segment, Prose) else [segment]
    return list(_with_prose_together(turned))


def _with_prose_together(segments: Iterable[Segment]) -> Iterator[Segment]:
    """`segments` with neighbouring prose as one, each line copied once however many there are."""
    for is_prose, group in itertools.groupby(segments, lambda segment: isinstance(segment, Prose)):
        if is_prose:
            yield Prose(tuple(line for segment in group for line in segment.lines))
        else:
            yield from group


def _fenced_blocks(prose: Prose, dangerous: re.Pattern[str]) -> list[Segment]:
    parts: list[Segment] = []
    in_list = False
    for block in _blocks(prose.lines):
        indented = all(_INDENTED.match(line) for line in block)
        if not indented and block[0][:1] not in ("", " ", "\t"):
            in_list = any(_LIST_LIKE.match(line) for line in block)
        code = tuple(line[4:] if line.startswith("    ") else line.lstrip(" ")[1:] for line in block)
        if indented and not in_list and dangerous.search("\n".join(code)):
            parts.append(Fence(block, "", "```", "", code, closed=True))
        else:
            parts.append(Prose(block))
    return parts


def _blocks(lines: Sequence[str]) -> list[tuple[str, ...]]:
    """Runs of lines that are all blank or all not; a heading is one, and indented code that begins one."""
    blocks: list[list[str]] = []
    kind = ""  # of the run that a line may go on
    for line in lines:
        before, kind = kind, _kind(line, kind)
        if kind == before != "heading":
            blocks[-1].append(line)
        else:
            blocks.append([line])
    return [tuple(block) for block in blocks]


def _kind(line: str, before: str) -> str:
    """What a run that `line` is in is, after one of the kind `before`."""
    if _is_blank(line):
        return "blank"
    if _HEADING.match(line):
        return "heading"
    return "text" if before == "text" or not _INDENTED.match(line) else "indented"


def _is_blank(line: str) -> bool:
    """To Markdown, a line of no-break spaces is a paragraph, and a fence after it may be part of that."""
    return not line.strip(" \t")


def at_margin(fence: Fence, backticks: bool) -> Fence:
    """`fence` as every renderer reads it: at the margin, closed, longer than any run of ticks within.

    >>> at_margin(split("- ~~~ c linenos\\n  a<b;")[0], backticks=True).lines
    ('~~~c', 'a<b;', '~~~')
    """
    mark = fence.ticks[0] if backticks else "~"
    runs = [re.match(rf"\s*({re.escape(mark)}*)", line) for line in fence.content]
    longest = max((len(run[1]) for run in runs if run), default=0)
    ticks = mark * max(3, len(fence.ticks), longest + 1 if longest >= 3 else 0)
    lines = (ticks + fence.info, *fence.content, ticks)
    return dataclasses.replace(fence, lines=lines, prefix="", ticks=ticks, closed=True)


def mended(fence: Fence) -> Fence:
    """`fence` in its place, with the closing line that it may lack and one word, the language, as its info.

    To kramdown, an opening line with more words than that is none.
    """
    opening = fence.lines[0]
    if len(opening[len(fence.prefix) :].lstrip(fence.ticks[0]).split()) > 1:
        opening = fence.prefix + fence.ticks + fence.info
    closing = () if fence.closed else (re.sub(r"[^>\s]", " ", fence.prefix) + fence.ticks,)
    return dataclasses.replace(fence, lines=(opening, *fence.lines[1:], *closing), closed=True)


def disarmed(prose: str) -> str:
    r"""`prose` without a line that kramdown could take for a fence or for the edge of a block of math.

    >>> disarmed("~`~ not ours\n$$ x")
    '\\~`~ not ours\n$\\$ x'
    """
    return _LIKE_MATH.sub(r"\1\\$", _LIKE_A_FENCE.sub(r"\1\\\2", prose))


def joined(segments: Iterable[Segment], guarded: bool, separator: str) -> str:
    """The text of `segments`; in a guarded body, blank lines set each fence apart from prose.

    Jekyll cuts an excerpt at the first `separator` (its `excerpt_separator`), even in the middle of code,
    where half a fence is none: a separator inside of code that would be the first is broken by a space.
    """
    lines: list[str] = []
    open_after: list[bool] = []  # is a fence open after this line?
    for segment in segments:
        if guarded and lines and not _is_blank(lines[-1]) and not _is_blank(segment.lines[0]):
            lines.append("")
            open_after.append(False)
        lines += segment.lines
        open_after += [isinstance(segment, Fence)] * (len(segment.lines) - 1) + [False]
    return _with_prose_first("\n".join(lines), open_after, separator)


def _with_prose_first(text: str, open_after: Sequence[bool], separator: str) -> str:
    """`text` in which no separator inside of code stands before the first one outside."""
    parts: list[str] = []
    start = line = 0
    at = text.find(separator) if len(separator) > 1 else -1
    while at >= 0:
        line += text.count("\n", start, at)
        if not open_after[line]:
            break
        parts += [text[start : at + 1], " "]
        line += text[at] == "\n"
        start = at + 1
        at = text.find(separator, start)
    return "".join([*parts, text[start:]])
