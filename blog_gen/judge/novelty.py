"""Is it new? How much of a candidate stands in the documents already, and whose title it bears.

Knows the corpus index and the limits, nothing of files. To keep a generated post from copying an earlier
one, the earlier ones are documents of the index too.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from blog_gen.config.settings import Limits
from blog_gen.judge.blocks import Kind, blocks_of
from blog_gen.judge.candidate import Candidate
from blog_gen.judge.scorecard import Check, at_most
from blog_gen.judge.words import forms_of, length_in_words, quoted

if TYPE_CHECKING:
    from blog_gen.judge.index import CorpusIndex, Document, Rest
    from blog_gen.judge.overlap import Overlap

PHRASE = 6  # words; two people who write about the same thing hardly ever share six by chance
SHORTEST_RUN = 8  # words; shorter ones are idiom, not worth showing
# Quoting the same words or showing the same code again is not copying a post.
APART: frozenset[Kind] = frozenset({"quote", "fence", "code", "table", "html", "liquid"})


def copied(body: str, index: CorpusIndex | Rest) -> Overlap:
    """What of `body` stands in the documents: the phrases counted and the runs shown to a person."""
    blocks = blocks_of(body)
    apart = [(block.start, block.start + len(block.text)) for block in blocks if block.kind in APART]
    if len(apart) == len(blocks):
        apart = []  # of a text that is nothing else, that is what can be copied
    return index.overlap(body, PHRASE, SHORTEST_RUN, apart)


def novelty_checks(
    candidate: Candidate, index: CorpusIndex | Rest, titles: Sequence[Document], limits: Limits
) -> list[Check]:
    """The longest run and the share of phrases that are copied, and the likest of `titles` (name, title)."""
    overlap = copied(candidate.body, index)
    run = overlap.longest
    words, found = run.words if run else 0, "no word of it is in another post"
    if run:
        text = quoted(candidate.body[run.start : run.end])
        found = f"{words} words in a row are also in {run.document}, line {run.line}: {text}"
    share = f"{overlap.share:.1%} of it is copied from other posts, six words in a row or more"
    return [
        at_most("longest_copy", words, limits.longest_copy, found),
        at_most("copied_share", overlap.share, limits.copied_share, share),
        _paragraph_check(candidate.body, overlap, limits),
        _title_check(candidate.title, titles, limits),
    ]


def _paragraph_check(body: str, overlap: Overlap, limits: Limits) -> Check:
    words, text = longest_copied_paragraph(body, overlap)
    reason = f"a paragraph of {words} words is that of another post: {quoted(text)}"
    return at_most("copied_paragraph", words, limits.copied_paragraph, reason)


def longest_copied_paragraph(body: str, overlap: Overlap) -> tuple[int, str]:
    """The words and the text of the longest paragraph that stands whole in one document; 0 for none.

    What many posts say in passing does not hide the rest; a paragraph that is nothing else is nobody's.
    """
    longest = 0, ""
    for block in blocks_of(body):
        if block.kind == "paragraph":
            first = bisect_left(overlap.starts, block.start)
            end = bisect_left(overlap.starts, block.start + len(block.text))
            if overlap.own[first] < overlap.own[end] and end <= first + overlap.stands[first]:
                longest = max(longest, (length_in_words(block.text), block.text))
    return longest


def _title_check(title: str, titles: Sequence[Document], limits: Limits) -> Check:
    likeness, name, other = max(
        ((likeness_of(title, old), name, old) for name, old in titles), default=(0.0, "", "")
    )
    reason = (
        f"its title is very similar to {quoted(other)} ({name})" if likeness else "no other title is similar"
    )
    return at_most("title_likeness", likeness, limits.title_likeness, reason)


def likeness_of(one: str, other: str) -> float:
    """How alike two titles are: the Jaccard index of their letter trigrams, 0 to 1.

    Titles with different numbers in them are parts of a series and not alike at all.

    >>> likeness_of("Bread, slowly", "Bread Slowly!"), likeness_of("Week 7", "Week 8")
    (1.0, 0.0)
    >>> likeness_of("泡茶指南（一）", "泡茶指南（二）")
    0.0
    """
    (numbers, trigrams), (other_numbers, other_trigrams) = _features(one), _features(other)
    if numbers != other_numbers:
        return 0.0
    both = len(trigrams & other_trigrams)
    either = len(trigrams) + len(other_trigrams) - both
    return both / either if either else 0.0


@lru_cache(maxsize=10_000)  # a blog's titles are asked for again with every candidate
def _features(title: str) -> tuple[frozenset[str], frozenset[str]]:
    """The numbers in a title, and its letter trigrams."""
    words = forms_of(title)
    numbers = frozenset(word for word in words if any(character.isnumeric() for character in word))
    text = f"  {' '.join(words)} " if words else ""  # so that the first letter counts as much as the others
    return numbers, frozenset(text[at : at + 3] for at in range(len(text) - 2))
