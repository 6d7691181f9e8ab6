"""What the judge's checks are called for a reader who has never heard of them. Knows words, no drafts."""

from __future__ import annotations

# By the check's name: what is measured, and whether its limit of the same name is the most or the least.
_WORDS = {
    "score": ("score, of 1", ""),
    "longest_copy": ("longest passage from another post, in words", "at most"),
    "copied_share": ("words copied from other posts, share", "at most"),
    "copied_paragraph": ("longest paragraph of another post, in words", "at most"),
    "title_likeness": ("similarity to an earlier title", "at most"),
    "title_repeats": ("repeated words in its title", "at most"),
    "loop_words": ("words in a loop", "at most"),
    "repeated_phrases": ("repeated phrases, share", "at most"),
    "repeated_lines": ("repeated lines, share", "at most"),
    "repeated_paragraphs": ("repeated paragraphs", "at most"),
    "distinct_1": ("different words in any hundred, share", "at least"),
    "distinct_2": ("different pairs of words, share", "at least"),
    "distinct_3": ("different runs of three words, share", "at least"),
    "ended": ("ended by itself", ""),
    "whole_paragraphs": ("paragraphs that end a sentence, share", ""),
    "length": ("length, in words of prose", ""),
    "prose_first": ("opens with prose", ""),
    "heading_faults": ("faults in headings", "at most"),
    "markup_faults": ("faults in Markdown", "at most"),
    "left_open": ("left open at its end", "at most"),
    "broken_off": ("words of a sentence that breaks off at its end", "at most"),
    "stray_marks": ("stray * and _", "at most"),
    "word_order": ("word pairs in your usual order, share", "at least"),
    "surprise": ("surprise to the model, where your posts are 1", ""),
}
_YES_OR_NO = frozenset({"ended", "prose_first"})


def name_of(check: str) -> str:
    """What `check` measures, in words.

    >>> name_of("distinct_2"), name_of("new_one")
    ('different pairs of words, share', 'new one')
    """
    return _WORDS.get(check, (check.replace("_", " "), ""))[0]


def value_of(check: str, value: object) -> str:
    """What was measured, for a person.

    >>> value_of("ended", 1), value_of("score", 0.75)
    ('yes', '0.75')
    """
    measured = number(value)
    if measured is None:
        return str(value)
    return ("yes" if measured else "no") if check in _YES_OR_NO else f"{measured:g}"


def number(value: object) -> float | None:
    """`value` as a number, whatever somebody wrote into a draft's front matter; None where it is none.

    >>> number(7), number("7"), number(10**400)
    (7.0, None, None)
    """
    try:
        return float(value) if isinstance(value, int | float) else None
    except OverflowError:
        return None


def limit_of(check: str, limit: float | None) -> str:
    """What is allowed; empty where there is no one limit.

    >>> limit_of("longest_copy", 20), limit_of("ended", None)
    ('at most 20', '')
    """
    side = _WORDS.get(check, ("", ""))[1]
    return "" if limit is None or check in _YES_OR_NO else f"{side} {limit:g}".strip()
