"""Make a sampled post safe to build: `make_safe` for its body, `safe_line` for its title and tags.

What comes out holds no Liquid that runs, no HTML, no attribute and no link that the site would not make,
whichever Markdown renderer the site uses; code stays as it was. Knows nothing of front matter and files.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from itertools import pairwise

from blog_gen.errors import DraftError
from blog_gen.text.safety import code, fences, html, limits, links, liquid
from blog_gen.text.safety.facts import Finding, SafetyReport, SiteFacts
from blog_gen.text.safety.fences import Fence, Prose, Segment
from blog_gen.text.safety.flags import flags
from blog_gen.text.safety.links import known_hosts

__all__ = ["Finding", "Safe", "SiteFacts", "known_hosts", "make_safe", "safe_line", "typographic"]

_ROUNDS = 50  # removing one thing can bring another to light; ordinary posts need two, hostile ones a few
_LINE_ENDS = re.compile(r"\r\n?|[\v\f\x85\u2028\u2029]")
# Controls, byte-order marks, lone surrogates, non-characters, and the marks that reorder text on screen.
_INVISIBLE = re.compile(
    r"[\x00-\x08\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb\ufffe\uffff\ud800-\udfff]"
)
# A body must not begin with what could be read as front matter, nor with a line that an excerpt ends at.
_BEGINNING = re.compile(r"\A(?:[ \t]*(?:(?:[-*_=.][ \t]*){3,})?\n|[ \t]*(?:[-*_=.][ \t]*){3,}\Z)++")
_LABEL = re.compile(r"\n {0,3}\[(.+)", re.DOTALL)


@dataclass(frozen=True)
class Safe:
    """A body that can be built, and what was done to make it so."""

    body: str
    findings: tuple[Finding, ...]


def make_safe(body: str, site_facts: SiteFacts) -> Safe:
    """`body` with nothing in it that runs, hides or leads where the site does not lead.

    A law: `make_safe(make_safe(x).body).body == make_safe(x).body`.

    >>> make_safe("Hi {{ site }}<script>x</script>", SiteFacts()).body
    'Hi {{ "{{" }} site }}'

    Raises:
        DraftError: the text changes with every round (none that does is known).
    """
    report = SafetyReport()
    text = liquid.in_markdown(_visible(body, report))
    for match in liquid.tags(text):
        report.add("liquid", match)
    text = liquid.armed(text)
    for _ in range(_ROUNDS):
        before, text = text, _round(text, site_facts, report)
        if text == before:
            text = liquid.disarmed(text)
            findings = sorted([*report.findings, *flags(text)], key=lambda finding: finding.line)
            return Safe(text, tuple(findings))
    raise DraftError("making a post safe must reach a fixed point", got=f"changes after {_ROUNDS} rounds")


def safe_line(text: str) -> str:
    """`text` as one line that is inert in HTML, in Markdown and in Liquid: a title, a tag, a description.

    Layouts print these as they are, escaped, or through `markdownify`; look-alikes survive all three.

    >>> safe_line("Why <b> is\\n{{ bad }} [x](y)")
    'Why ‹b> is { { bad }} [x] (y)'
    """
    text = " ".join(_INVISIBLE.sub("", _LINE_ENDS.sub("\n", text)).split())
    text = re.sub(r"(?<!<)<++(?![\s=\d])", lambda run: "‹" * len(run[0]), text)
    text = re.sub(r"(?<=\{)(?=[{%:])|(?<=\])(?=[(\[:])|(?<=!)(?=\[)", " ", text)
    return re.sub(r"&(?=#|\w+;)", "＆", text)


def typographic(text: str) -> str:
    """One line with the quotation marks of print: none ends the attribute that a layout prints it in.

    >>> typographic("It's a <b>, 'so'"), typographic('Why "not"?')
    ('It’s a ‹b›, ‘so’', 'Why “not”?')
    """
    text = re.sub(r"(?<![^\s(\[{—–-])\"", "“", text).replace('"', "”")
    text = re.sub(r"(?<![^\s(\[{—–“-])'(?=[^\W\d_][^'\s]*+')", "‘", text).replace("'", "’")
    return text.replace("<", "‹").replace(">", "›")


def _visible(body: str, report: SafetyReport) -> str:
    """`body` with LF line ends and without characters that do not show."""

    def gone(match: re.Match[str]) -> str:
        report.add("control", match, f"U+{ord(match[0]):04X}")
        return ""

    return _INVISIBLE.sub(gone, _LINE_ENDS.sub("\n", body))


def _round(text: str, facts: SiteFacts, report: SafetyReport) -> str:
    """One pass over the whole body: code set apart, prose disarmed."""
    segments = fences.with_indented_code(fences.split(_BEGINNING.sub("", text).strip()), code.DANGEROUS)
    blocks = [segment for segment in segments if isinstance(segment, Fence)]
    guarded = any(_is_dangerous("\n".join(block.lines)) for block in blocks)
    segments = _safe_prose(segments, guarded, facts, report)
    segments = [_safe_fence(segment, guarded, facts) for segment in segments]
    text = fences.joined(segments, guarded, facts.excerpt_separator).strip()
    return _without_borrowed_labels(text, blocks, facts.excerpt_separator)


def _is_dangerous(lines: str) -> bool:
    """Whether code would do harm as prose: to a reader, or to whoever has to build it."""
    return code.DANGEROUS.search(lines) is not None or limits.eased(lines) != lines


def _safe_fence(segment: Segment, guarded: bool, facts: SiteFacts) -> Segment:
    if not isinstance(segment, Fence):
        return segment
    return fences.at_margin(segment, facts.backtick_fences) if guarded else fences.mended(segment)


def _safe_prose(
    segments: Sequence[Segment], guarded: bool, facts: SiteFacts, report: SafetyReport
) -> list[Segment]:
    """`segments` with their prose made safe; link definitions count for the whole body."""
    hidden = {}
    defined: dict[str, str] = {}
    line = 1
    for at, segment in enumerate(segments):
        report.first_line = line
        if isinstance(segment, Prose):
            text, shown = code.masked(code.with_inert_spans("\n".join(segment.lines)))
            text, labels = links.with_definitions(text, facts, report)
            for label, url in labels.items():
                defined.setdefault(label, url)
            hidden[at] = (text, shown, line)
        line += len(segment.lines)
    done = list(segments)
    for at, (text, shown, line) in hidden.items():
        report.first_line = line
        text = limits.eased(shown(_disarmed(text, defined, facts, report)))
        text = fences.disarmed(text) if guarded else text
        done[at] = Prose(tuple(text.split("\n")))
    return done


def _disarmed(text: str, defined: dict[str, str], facts: SiteFacts, report: SafetyReport) -> str:
    """Prose without code, disarmed: links first, since what is no link may be HTML."""
    text = links.with_links(text, defined, facts, report)
    text = html.without_markup(text, report, facts.excerpt_separator)
    text = html.as_text(text, report, facts.excerpt_separator)
    text = html.without_attributes(text, report)
    text = links.without_bare_addresses(links.without_loose_ends(text, facts), facts, report)
    return limits.with_closed_brackets(text)


def _without_borrowed_labels(text: str, blocks: Sequence[Fence], separator: str) -> str:
    """`text` whose excerpt names no label that a line of code seems to define.

    Jekyll adds to an excerpt each line after it that looks like the definition of a label in it, out of
    code blocks too, and there the line is no longer code.
    """
    head, cut, tail = text.partition(separator)
    borrowed = {label for block in blocks for label in _labels("\n".join(block.lines))}
    borrowed &= set(_labels(tail)) if borrowed else set()
    if not borrowed:
        return text
    *spans, rest = head.split("]")
    escaped = [span + ("\\]" if _names(span, borrowed) else "]") for span in spans]
    return "".join([*escaped, rest, cut, tail])


def _labels(text: str) -> Iterator[str]:
    """What Jekyll would take for the labels of link definitions in `text`, over several lines too."""
    *spans, rest = f"\n{text}".split("]")
    for span, after in pairwise([*spans, rest]):
        found = _LABEL.search(span)
        if found and after.startswith(":") and after[1:2] not in ("", "\n"):
            yield links.label_of(found[1])


def _names(span: str, labels: Set[str]) -> bool:
    """Whether `span` ends in a bracket and one of `labels`, letter case and white space aside."""
    parts = span.rsplit("[", limits.DEPTH)
    return any(" ".join("[".join(parts[at:]).lower().split()) in labels for at in range(1, len(parts)))
