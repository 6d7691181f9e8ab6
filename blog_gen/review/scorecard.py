"""A draft's scorecard in words: rows for a table, and the whole as Markdown for a pull request.

Markdown that comes from a draft is shown as code there, so that nothing in it is a link or calls a person.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from blog_gen.config.settings import Settings
from blog_gen.judge.calibration import OwnLimits
from blog_gen.judge.words import quoted
from blog_gen.review import measures
from blog_gen.review.entries import Entry
from blog_gen.review.evidence import Evidence
from blog_gen.review.store import REJECTED, reason_of
from blog_gen.runs import read_meta
from blog_gen.text.safety.flags import flags

_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True)
class ScorecardRow:
    """One measured thing."""

    name: str
    value: str
    limit: str


def visible(text: str) -> str:
    """`text` without what a terminal would obey or reorder, or what is no text, as file names may hold."""
    return _CONTROLS.sub("\ufffd", text.encode("utf-8", "backslashreplace").decode("utf-8"))


def words(entry: Entry) -> int:
    return len(entry.body.split())


def novel_share(entry: Entry) -> float | None:
    """The share of its phrases that stood nowhere when it was written."""
    share = measures.number(entry.scores.get("copied_share"))
    return None if share is None else round(1 - share, 3)


def novelty(entry: Entry) -> str:
    """The same as a percentage."""
    share = novel_share(entry)
    return "–" if share is None else f"{share:.0%}"


def score(entry: Entry) -> str:
    value = measures.number(entry.scores.get("score"))
    return "–" if value is None else f"{value:.2f}"


def flag_words(entry: Entry) -> str:
    """What is to be looked at, in a few words; empty where there is nothing."""
    kinds = dict.fromkeys(finding.kind for finding in flags(entry.body))
    return ", ".join((["cannot be read"] if entry.fault else []) + list(kinds))


def rows(entry: Entry, settings: Settings) -> list[ScorecardRow]:
    """What the judge measured when the draft was written, with today's limits: the blog's own, if learned."""
    meta = read_meta(settings.run_folder)
    own = OwnLimits.of(meta.own_limits if meta else {})
    limits = vars(own.over(settings.limits, settings.chosen_limits))
    return [
        ScorecardRow(
            measures.name_of(name), measures.value_of(name, value), measures.limit_of(name, limits.get(name))
        )
        for name, value in ((str(key), value) for key, value in entry.scores.items())
    ]


def provenance(entry: Entry) -> dict[str, str]:
    """How the draft was made, without the scores and the review."""
    values: Mapping[str, Any] = entry.draft.provenance if entry.draft else {}
    return {str(key): str(value) for key, value in values.items() if key not in ("scores", REJECTED)}


def passages(body: str, evidence: Evidence) -> list[str]:
    """Each passage that stands in an article, on one line."""
    return [
        f"line {body.count(chr(10), 0, run.start) + 1}: {run.words} words are also in {run.document}, "
        f"line {run.line}: {quoted(body[run.start : run.end])}"
        for run in evidence.runs
    ]


def as_markdown(entry: Entry, evidence: Evidence, settings: Settings) -> str:
    """The scorecard and the text, for where Markdown is rendered and people are called by `@name`."""
    lines = [f"## {_code(entry.title)}", ""]
    facts = {"file": entry.name, "date": entry.day, "words": str(words(entry)), "state": entry.state}
    facts |= {"rejected": reason_of(entry)} if entry.state == "rejected" else {}
    facts |= {"fault": entry.fault} if entry.fault else {}
    lines += [f"- {name}: {_code(value)}" for name, value in facts.items()]
    if table := rows(entry, settings):
        lines += ["", "| measured | value | limit |", "| --- | ---: | ---: |"]
        lines += [f"| {_cell(row.name)} | {_cell(row.value)} | {_cell(row.limit)} |" for row in table]
    for heading, items in _lists(entry, evidence).items():
        lines += ["", f"### {heading}", "", *[f"- {_code(item)}" for item in items]]
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", entry.text)), default=0))
    return "\n".join([*lines, "", f"{fence}markdown", visible(entry.body or entry.text), fence]) + "\n"


def _lists(entry: Entry, evidence: Evidence) -> dict[str, list[str]]:
    found = [f"line {each.line}: {each.kind}: {each.detail}" for each in evidence.findings]
    copied = [evidence.missing] if evidence.missing else passages(entry.body, evidence)
    origin = [f"{key}: {value}" for key, value in provenance(entry).items()]
    return {
        "Also in your posts": copied or ["nothing of eight words or more"],
        "To look at": found or ["nothing"],
        "Made with": origin or ["unknown"],
    }


def _code(text: str) -> str:
    """`text` as a code span on one line."""
    return "`" + " ".join(visible(text).replace("`", "'").split()) + "`"


def _cell(text: str) -> str:
    return _code(text).replace("|", "¦") if text else ""
