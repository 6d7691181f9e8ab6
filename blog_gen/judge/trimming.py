"""A text that was cut off, back to the last place where it is whole.

Knows nothing of candidates or limits.
"""

from __future__ import annotations

import re

from blog_gen.judge.blocks import PROSE, Block, blocks_of
from blog_gen.judge.markup import open_marks

_ITEM = re.compile(r"[ \t]*(?:[-*+]|\d{1,9}[.)])[ \t]")
_SENTENCES = 50  # that are tried as the last one, for where the first has a mark that is never closed
# A full stop, what may close after it, and no small letter next ("e.g. this" goes on).
_SENTENCE_END = re.compile(r"""(?:[.!?…][)\]"'”’»*_`]*(?=\s+[^\sa-z]|\s*$)|[。！？][」』）]*)""")


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
