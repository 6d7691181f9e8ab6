"""What making a post safe needs to be told about the site, and what it tells back. Knows no Markdown."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal[
    "liquid",  # template code, now shown as text
    "script",  # code that a browser would have run, removed
    "html",  # other raw HTML, removed or shown as text
    "attributes",  # a kramdown attribute list or extension, removed
    "link",  # a link that the site would not make, unlinked
    "image",  # an image that is not in the site, removed
    "control",  # invisible characters, removed
    "secret",  # looks like a key or a password; only flagged
    "email",  # an e-mail address; only flagged
    "telephone",  # a telephone number; only flagged
]
_DETAIL_LENGTH = 80  # of a finding, in characters: one line of a table


@dataclass(frozen=True)
class SiteFacts:
    """What a post may rely on in the site it is written for."""

    hosts: frozenset[str] = frozenset()  # that the site's own posts link to, as `known_hosts` gives them
    files: frozenset[str] = frozenset()  # paths of images from the site's root, without a leading slash
    places: frozenset[str] | None = None  # that they link to, as `known_places` gives them; None: all
    excerpt_separator: str = "\n\n"  # Jekyll's setting: the excerpt is what comes before the first one
    backtick_fences: bool = True  # False where ``` is no fence: kramdown with `input: kramdown`
    named: frozenset[str] = frozenset()  # hosts that they name as bare words, as `named_hosts` gives them


@dataclass(frozen=True)
class Finding:
    """One thing that was removed, disarmed or flagged."""

    kind: Kind
    detail: str
    line: int  # of the body, from 1, as it was when found; of the finished body for what is only flagged


@dataclass
class SafetyReport:
    """Collects findings while one stretch of a body is worked on."""

    first_line: int = 1  # of the stretch, in the body
    findings: list[Finding] = field(default_factory=list)
    # a text, a place in it, and the line breaks up to there
    _counted: tuple[str, int, int] = field(default=("", 0, 0), init=False, repr=False)

    def add(self, kind: Kind, match: re.Match[str], detail: str | None = None) -> None:
        """Report what `match` found, at its place."""
        words = " ".join((match[0] if detail is None else detail).split())
        if len(words) > _DETAIL_LENGTH:
            words = words[: _DETAIL_LENGTH - 1] + "…"
        self.findings.append(Finding(kind, words, self.first_line + self._breaks_before(match)))

    def _breaks_before(self, match: re.Match[str]) -> int:
        """Line breaks before `match`, counted on from the finding before it in the same text."""
        text, at, breaks = self._counted
        if text is not match.string or at > match.start():
            text, at, breaks = match.string, 0, 0
        breaks += text.count("\n", at, match.start())
        self._counted = (text, match.start(), breaks)
        return breaks
