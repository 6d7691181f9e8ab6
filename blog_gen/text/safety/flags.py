"""What a person should look at before a post is published: keys, passwords, addresses, numbers.

Nothing is changed: a language model invents most of these, and only the author knows which are real.
"""

from __future__ import annotations

import re

from blog_gen.text.safety.facts import Finding, Kind, SafetyReport

# Nowhere may a match begin at each letter of a long word and look on to its end: a draft can be one word of
# 100 kB. So runs begin after what is not of them, or are bounded.
_TOKENS = (
    r"AKIA[0-9A-Z]{16}|gh[pousr]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{20,}|sk-[\w-]{20,}|sk_live_\w{10,}"
    r"|xox[abprs]-[\w-]{10,}|AIza[\w-]{30,}|-----BEGIN [A-Z ]*PRIVATE KEY-----"
    r"|(?<![\w-])eyJ[\w-]{10,}\.eyJ[\w-]{10,}"
)
_NAME = r"(?i:pass(?:word|wd|phrase)?|secret|token|api[_ -]?key|credentials?)[\"']?\s*(?:[:=]|\bis\b)\s*"
_ASSIGNED = rf"{_NAME}[\"'`]?(?=\S{{0,200}}[\d!@#$%^&*])[^\s\"'`<>]{{6,}}"
# A word of 24 and more letters and digits, with three digits or more: nobody's prose.
_RANDOM = r"(?<![\w/.+-])(?=(?:[A-Za-z+]*\d){3})(?=\d*[A-Za-z])[A-Za-z0-9+]{24,}(?![\w/.-])"
_INTERNATIONAL = r"\+\d{1,3}[ .-]?(?:\(?\d{1,4}\)?[ .-]?){2,5}\d{2,4}"
_NATIONAL = r"\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}"
_PATTERNS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    ("secret", re.compile(rf"(?:{_TOKENS})|{_RANDOM}|{_ASSIGNED}")),
    ("email", re.compile(r"(?<![\w.+-])[\w.+-]+@\u2060?[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}")),
    ("telephone", re.compile(rf"(?<![\w.+-])(?:{_INTERNATIONAL}|{_NATIONAL})(?![\w-])")),
)


def flags(body: str) -> tuple[Finding, ...]:
    """What looks private in `body`, in the order of its lines.

    >>> [(flag.kind, flag.line) for flag in flags("write to me@example.org\\nor call +49 30 1234567")]
    [('email', 1), ('telephone', 2)]
    """
    report = SafetyReport()
    for kind, pattern in _PATTERNS:
        for match in pattern.finditer(body):
            report.add(kind, match, match[0].replace("\u2060", ""))
    return tuple(sorted(report.findings, key=lambda finding: finding.line))
