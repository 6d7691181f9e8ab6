"""A text that was cut off, back to the last place where it is whole.

Knows nothing of candidates or limits.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from blog_gen.judge.blocks import PROSE, Block, blocks_of
from blog_gen.judge.markup import open_marks

_ITEM = re.compile(r"[ \t]*(?:[-*+]|\d{1,9}[.)])[ \t]")
_SENTENCES = 50  # that are tried as the last one, for where the first has a mark that is never closed
# A full stop, what may close after it, and no small letter next ("e.g. this" goes on).
_SENTENCE_END = re.compile(r"""(?:[.!?…][)\]"'”’»*_`]*(?=\s+[^\sa-z]|\s*$)|[。！？][」』）]*)""")
_SMILEY = re.compile(r"[:;=8xX]['^o-]?[()DPpOo3]")
_SIGNED = re.compile(r"\\?[—–~-]+ ?\w")  # who said it
_GOES_ON = ",;:(-–—&/"
_STOPS = (".", "!", "?", "…", ")", "。", "！", "？")
_ITEMS = 6  # of a list that are looked at


def trimmed(body: str) -> str:
    """The beginning of `body` that ends with a whole block, or at least with a whole sentence.

    The last block is the one that was cut: of prose its whole sentences are kept, of anything else only
    a closed fence. What led up to a lost part, a heading or a line that ends with a colon, goes too.

    >>> trimmed("It rained. So we read.\\n\\n## Books\\n\\nThe first was")
    'It rained. So we read.'
    """
    for lost, block in enumerate(reversed(blocks_of(body))):
        kept = _whole_part(block) if lost == 0 or _leads_on(block) else block.text
        if kept:
            return body[: block.start] + kept.rstrip()
    return ""


def whole(body: str, sentences: bool) -> str:
    """`body`, a text that ended by itself, without a last sentence that is not whole.

    The help to end may come in the middle of one. What has no whole part stays.

    Args:
        sentences: whether the blog's posts end so, as `most_end_whole` says: then any other end is cut off,
            too, and else only what breaks off is.

    >>> whole("It rained. And we", False), whole("It rained. (Rain)", False), whole("It rained. (Rain)", True)
    ('It rained.', 'It rained. (Rain)', 'It rained.')
    """
    ends = not broken_off(body) and (ends_whole(body) or not sentences)
    return body if ends else trimmed(body) or body


def ends_whole(body: str) -> bool:
    """Whether the last block of `body` is one, or ends with a sentence.

    >>> ends_whole("It rained."), ends_whole("It rained. And we"), ends_whole("It rained.\\n\\n## Books")
    (True, False, False)
    """
    blocks = blocks_of(body.rstrip())
    if not blocks or _leads_on(blocks[-1]):
        return False
    last = blocks[-1]
    if last.kind not in PROSE or _ITEM.match(last.text):
        return True
    return any(match.end() == len(last.text.rstrip()) for match in _SENTENCE_END.finditer(last.text))


def most_end_whole(bodies: Sequence[str]) -> bool:
    """Whether at least half of a blog's posts end whole, and not with a name or a caption."""
    return 2 * sum(map(ends_whole, bodies)) >= len(bodies)


def broken_off(body: str) -> str:
    """The last sentence of `body` where it breaks off, in the middle of it or of a word; else nothing.

    Posts end with a link, an emoji, a name in brackets: what ends with a letter, a digit or a comma breaks
    off. The last item of a list does where those before it end with a stop. So does a fence without an end.

    >>> broken_off("It rained. And we"), broken_off("It rained. 🌧"), broken_off("- rain\\n- wind")
    ('And we', '', '')
    """
    blocks = blocks_of(body.rstrip())
    if blocks and not blocks[-1].closed:
        return blocks[-1].text
    if not blocks or blocks[-1].kind not in PROSE or (blocks[-1].kind == "item" and not _stops(blocks[:-1])):
        return ""
    text = blocks[-1].content.rstrip()
    if (
        not text
        or not (text[-1].isalnum() or text[-1] in _GOES_ON)
        or _stands_alone(text.rsplit(None, 1)[-1])
    ):
        return ""
    ends = [match.end() for match in _SENTENCE_END.finditer(text)]
    last = text[ends[-1] :].strip() if ends else text
    return "" if _SIGNED.match(last.rpartition("\n")[2]) else last


def _stands_alone(word: str) -> bool:
    """Does a text end well with `word`, a smiley, `:emoji:`, address or tag, without a full stop?"""
    return (
        ("://" in word and word[0] != "<")
        or "@" in word[1:]
        or word.startswith("#")
        or word.endswith("]:")
        or (word.endswith(":") and ":" in word[:-1])
        or _SMILEY.fullmatch(word) is not None
    )


def _stops(blocks: Sequence[Block]) -> bool:
    """Do most of the last items end with a full stop?"""
    items = [block.text.rstrip() for block in blocks if block.kind == "item"][-_ITEMS:]
    return 2 * sum(text.endswith(_STOPS) for text in items) > len(items)


def _leads_on(block: Block) -> bool:
    return block.kind in ("heading", "rule") or (block.kind in PROSE and block.text.rstrip().endswith(":"))


def _whole_part(block: Block) -> str:
    """The beginning of a block that is sure to be whole; may be empty."""
    if block.kind == "fence" and block.closed:
        return block.text
    if block.kind not in PROSE:
        return ""
    after = len(block.text) - len(block.content)  # the full stop of "1." ends no sentence
    ends = [match.end() for match in _SENTENCE_END.finditer(block.text, after) if match.start() > after]
    return next(
        (block.text[:end] for end in reversed(ends[-_SENTENCES:]) if not open_marks(block.text[:end])), ""
    )
