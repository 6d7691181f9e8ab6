"""Is it whole? Ended, of a usual length, opened with prose, its headings and its Markdown in order.

Knows blocks and the site's usual length, nothing of documents.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from blog_gen.config.settings import Limits
from blog_gen.judge.blocks import PROSE, Block, blocks_of
from blog_gen.judge.candidate import Candidate
from blog_gen.judge.markup import Fault, heading_faults, markup_faults
from blog_gen.judge.scorecard import Check, at_most
from blog_gen.judge.trimming import broken_off, trimmed
from blog_gen.judge.words import forms_of, quoted

# What a paragraph ends with: a stop, perhaps in brackets, in emphasis or in the text of a link.
_STOP = re.compile(r"[.!?…:;,。！？：；，][)\]\"'”’»*_`」』）]*+(?:\([^()\n]*+\)[)*_.]*+)?\s*+\Z")


def completeness_checks(
    candidate: Candidate, words: tuple[int, int], limits: Limits, length: tuple[int, int] | None = None
) -> list[Check]:
    """Checks of a final body against the usual number of `words`, low and high.

    Args:
        length: the least and the most words; None: `words` and the slack.
    """
    blocks = blocks_of(candidate.body)
    opens = bool(blocks) and blocks[0].kind in PROSE
    faults, headings = markup_faults(blocks), heading_faults(blocks)
    return [
        _ended_check(candidate),
        _paragraphs_check(blocks),
        _length_check(candidate.body, words, length or length_bounds(words, limits.length_slack)),
        _prose_first_check(opens, limits.prose_first),
        _faults_check("heading_faults", [each for each in headings if not each.cut], limits.heading_faults),
        _faults_check("markup_faults", [each for each in faults if not each.stray], limits.markup_faults),
        _left_open_check(faults, headings, limits.left_open),
        _broken_off_check(candidate.body, limits),
        _faults_check("stray_marks", [each for each in faults if each.stray], limits.stray_marks),
    ]


def _ended_check(candidate: Candidate) -> Check:
    """Never fails: a text that was cut and trimmed is whole again, but worth less."""
    reason = "it ended by itself" if candidate.ended else "it was cut off, and trimmed to its last whole part"
    return Check("ended", int(candidate.ended), "", True, reason, merit=float(candidate.ended))


def _broken_off_check(body: str, limits: Limits) -> Check:
    """A draft was trimmed to its last whole sentence, so what stands under one is a name, a caption …"""
    text = "" if trimmed(body) else broken_off(body)
    reason = (
        f"it breaks off in the middle of {quoted(text)}" if text else "it has a whole sentence to end with"
    )
    return at_most("broken_off", words_in(text), limits.broken_off, reason)


def _paragraphs_check(blocks: Sequence[Block]) -> Check:
    """Never fails: many posts have captions and lists of lines, but of two texts the whole one is better."""
    texts = [block.text for block in blocks if block.kind == "paragraph" and forms_of(block.text)]
    open_ones = [text for text in texts if not _STOP.search(text)]
    share = 1 - len(open_ones) / len(texts) if texts else 1.0
    found = f", among them {quoted(open_ones[0])}" if open_ones else ""
    reason = f"{len(open_ones)} of {len(texts)} paragraphs do not end a sentence{found}"
    return Check("whole_paragraphs", share, "", True, reason, merit=share)


def length_bounds(usual: tuple[int, int], slack: float) -> tuple[int, int]:
    """The least and the most words, so far outside the usual."""
    low, high = usual
    return round(low * (1 - slack)), round(high * (1 + slack))


def words_in(body: str) -> int:
    """How many words a text has; where nothing is written between words, how many characters."""
    return len(forms_of(body))


def usual_words(bodies: Iterable[str]) -> tuple[int, int]:
    """The 5th and the 95th percentile of the numbers of words."""
    counts = sorted(map(words_in, bodies))
    if not counts:
        return 0, 0
    return counts[len(counts) // 20], counts[-1 - len(counts) // 20]


def _length_check(body: str, usual: tuple[int, int], bounds: tuple[int, int]) -> Check:
    (low, high), (least, most) = usual, bounds
    words = words_in(body)
    passed = least <= words <= most and words > 0
    reason = f"it has {words} words, where {low} to {high} are usual"
    return Check("length", words, f"{least} … {most}", passed, reason, merit=float(low <= words <= high))


def _prose_first_check(opens: bool, wanted: bool) -> Check:
    reason = (
        "it opens with prose" if opens else "it opens with something that is not prose, so has no excerpt"
    )
    return Check(
        "prose_first", int(opens), "= 1" if wanted else "", opens or not wanted, reason, float(opens)
    )


def _left_open_check(faults: Sequence[Fault], headings: Sequence[Fault], limit: int) -> Check:
    """A fence or a link counts twice: with a heading a blog may end, for what its layout adds."""
    counted = [(each, 2) for each in faults if each.cut] + [(each, 1) for each in headings if each.cut]
    reason = "; ".join(str(each) for each, _ in counted[:3]) or "nothing is left open"
    return at_most("left_open", sum(count for _, count in counted), limit, reason)


def _faults_check(name: str, faults: Sequence[Fault], limit: int) -> Check:
    return at_most(name, len(faults), limit, "; ".join(map(str, faults[:3])) or "nothing is broken")
