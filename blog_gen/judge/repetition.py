"""Does it go round in circles? Loops, phrases, lines and paragraphs said again, and a poor vocabulary.

Knows words and blocks, nothing of documents. All but lines are measured on prose: code and tables repeat
themselves for good reasons.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from itertools import pairwise

from blog_gen.config.settings import Limits
from blog_gen.judge.blocks import PROSE, Block, blocks_of
from blog_gen.judge.scorecard import Check, at_least, at_most
from blog_gen.judge.words import forms_of, length_in_words, quoted, unspaced

Words = tuple[str, ...]

PHRASE = 6  # words
LONG = 4  # letters; shorter words may come often in a title
WINDOW = 100  # n-grams; long texts use their words again, so distinct-n is taken over stretches of this
LONGEST_PERIOD = 60  # words of the longest phrase looked for back to back
SHORTEST_LINE = 3  # words; a shorter line ("end", "}") may come as often as it likes
SHORTEST_PARAGRAPH = 15  # words; who has much to explain says shorter ones again
REFRAIN = 24  # words; up to so many may come again further on, but not at once


def repetition_checks(title: str, body: str, limits: Limits) -> list[Check]:
    """Loops, in the title too, repeated phrases, lines and paragraphs, and distinct-1 to distinct-3."""
    blocks = [(block, tuple(forms_of(block.text))) for block in blocks_of(body)]
    prose = tuple(form for block, forms in blocks if block.kind in PROSE for form in forms)
    lines = [tuple(forms_of(line)) for line in body.split("\n")]
    looped, loop = longest_loop(prose)
    phrases, phrase = said_again(ngrams(prose, PHRASE))
    again, line = said_again([line for line in lines if len(line) >= SHORTEST_LINE])
    copies, paragraph = repeated_paragraphs(blocks)
    return [
        _title_repeats_check(title, limits),
        at_most("loop_words", looped, limits.loop_words, _found("it keeps saying", loop)),
        at_most("repeated_phrases", phrases, limits.repeated_phrases, _found("it often says", phrase)),
        at_most("repeated_lines", again, limits.repeated_lines, _found("a line is repeated", line)),
        at_most(
            "repeated_paragraphs",
            copies,
            limits.repeated_paragraphs,
            _found("a paragraph is repeated", paragraph),
        ),
        _distinct_check(prose, 1, limits.distinct_1),
        _distinct_check(prose, 2, limits.distinct_2),
        _distinct_check(prose, 3, limits.distinct_3),
    ]


def repeated_paragraphs(blocks: Sequence[tuple[Block, Words]]) -> tuple[int, Words]:
    """How many paragraphs say an earlier one again, and the last of them.

    One that is no refrain (a standing sentence, a caption) counts wherever it comes again.
    """
    copies, said = 0, set[Words]()
    which: Words = ()
    before: Words = ()
    for block, forms in blocks:
        words = length_in_words(block.text)
        if not unspaced(block.text):
            words = min(words, len(block.text.split()))  # an address or a path is one word here
        if block.kind == "paragraph" and words >= SHORTEST_PARAGRAPH:
            if forms == before or (words > REFRAIN and forms in said):
                copies, which = copies + 1, forms
            said.add(forms)
        before = forms
    return copies, which


def _found(what: str, words: Words) -> str:
    return f"{what} {quoted(' '.join(words))}" if words else "it does not repeat itself"


def _title_repeats_check(title: str, limits: Limits) -> Check:
    repeats = title_repeats(title)
    reason = f"its title repeats itself: {quoted(title)}" if repeats else "its title does not repeat itself"
    return at_most("title_repeats", repeats, limits.title_repeats, reason)


def title_repeats(title: str) -> int:
    """Words of four letters and more that the title has said before; a word said twice at once counts twice.

    >>> [title_repeats(title) for title in ("A nail, a nail", "Saturday Saturday", "The art of the deal")]
    [1, 2, 0]
    """
    forms = forms_of(title)
    words = [word for word in forms if len(word) >= LONG]
    return len(words) - len(set(words)) + sum(one == other for one, other in pairwise(forms))


def ngrams(words: Words, n: int) -> list[Words]:
    """All runs of `n` words.

    >>> ngrams(("a", "b", "c"), 2)
    [('a', 'b'), ('b', 'c')]
    """
    return [words[at : at + n] for at in range(len(words) - n + 1)]


def longest_loop(words: Words) -> tuple[int, Words]:
    """The words that only say again what was said just before, in a phrase said three times or more.

    >>> longest_loop(tuple("so it goes it goes it goes on".split()))
    (4, ('it', 'goes'))
    """
    longest = 0
    phrase: Words = ()
    last: dict[str, deque[int]] = {}  # where each word stood, as far back as matters
    streaks: dict[int, int] = {}  # for each period: words in a row that repeat the one so far back
    for at, word in enumerate(words):
        earlier = last.setdefault(word, deque(maxlen=LONGEST_PERIOD))
        streaks = {
            at - place: streaks.get(at - place, 0) + 1 for place in earlier if at - place <= LONGEST_PERIOD
        }
        for period, streak in streaks.items():
            if streak > longest and streak >= 2 * period:
                longest, phrase = streak, words[at - streak - period + 1 : at - streak + 1]
        earlier.append(at)
    return longest, phrase


def said_again(items: Sequence[Words]) -> tuple[float, Words]:
    """The share of items that have come before, and the one that comes most often, if any comes twice.

    >>> said_again([("a",), ("b",), ("a",), ("a",)])
    (0.5, ('a',))
    """
    if not items:
        return 0.0, ()
    counts = Counter(items)
    item, times = counts.most_common(1)[0]
    return 1 - len(counts) / len(items), item if times > 1 else ()


def distinct(words: Words, n: int) -> tuple[float, int]:
    """The least distinct-n (different n-grams over n-grams) of any `WINDOW` n-grams, and where these begin.

    >>> distinct(("a", "b", "a", "b"), 2)
    (0.6666666666666666, 0)
    """
    grams = ngrams(words, n)
    width = min(WINDOW, len(grams))
    if not width:
        return 1.0, 0
    counts = Counter(grams[:width])
    least, where = len(counts), 0
    for at in range(width, len(grams)):
        counts[grams[at]] += 1
        gone = grams[at - width]
        counts[gone] -= 1
        if not counts[gone]:
            del counts[gone]
        if len(counts) < least:
            least, where = len(counts), at - width + 1
    return least / width, where


def _distinct_check(words: Words, n: int, limit: float) -> Check:
    value, where = distinct(words, n)
    unit = "words" if n == 1 else f"runs of {n} words"
    from_there = quoted(" ".join(words[where : where + WINDOW]), words=8)
    place = f"only {value:.0%} of its {unit} are different from {from_there} on"
    return at_least(f"distinct_{n}", value, limit, place)
