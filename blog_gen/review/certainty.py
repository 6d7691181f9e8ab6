"""How sure the model was of each word of a draft. Joins the post text, the sampler and a cache on disk.

Measured by the run as it is now, at temperature 1, on the text as it is now: a word that was edited in is
one that the model was asked about, not one that it wrote.
"""

from __future__ import annotations

import hashlib
import re
import threading
from bisect import bisect_right
from collections.abc import Sequence
from contextlib import suppress
from itertools import accumulate

from blog_gen import runs
from blog_gen.config.settings import Settings
from blog_gen.corpus import read_corpus
from blog_gen.drafting import disclosure
from blog_gen.errors import BlogGenError, DraftError
from blog_gen.files import read_json, write_json
from blog_gen.review.entries import Entry
from blog_gen.review.marking import Shade
from blog_gen.text.post import Post, PostFormatError, render

FOLDER = "certainty"  # in the state folder
# Nats at which a word is one level less sure: it had one chance in 400, 20, 5, 2.
THRESHOLDS = (-6.0, -3.0, -1.6, -0.7)
_one_at_a_time = threading.Lock()


def shades_of(entry: Entry, settings: Settings) -> list[Shade]:
    """A shade for each word of `entry.body`; a few seconds the first time, then from the cache.

    Raises:
        ModelError: there is no trained run.
        DraftError: the draft is no post that the model could have written.
    """
    meta = runs.require(settings.run_folder)
    text, body = _post_text(entry, settings)
    name = hashlib.sha256(f"{meta.weights}\0{text}".encode()).hexdigest()
    kept = settings.state_folder / FOLDER / f"{name}.json"
    try:
        return [Shade(*shade) for shade in read_json(kept)]
    except (OSError, ValueError, TypeError):
        pass  # not measured yet
    with _one_at_a_time:
        shades = _measured(text, body, settings)
    with suppress(BlogGenError):  # where the site cannot be written, it is measured each time
        write_json(kept, [[shade.start, shade.end, shade.level] for shade in shades])
    return shades


def _post_text(entry: Entry, settings: Settings) -> tuple[str, str]:
    """What the model would have read, and its body: without the line that says how it was made."""
    if entry.draft is None:
        raise DraftError(entry.fault or "the draft has a fault", path=entry.path)
    draft = entry.draft
    post = Post(draft.title, disclosure.without(draft, settings), draft.tags, draft.category)
    try:
        text = render(post, read_corpus(settings).keys)
    except PostFormatError as error:
        raise DraftError(str(error), path=entry.path) from error
    return text, post.body.strip()


def _measured(text: str, body: str, settings: Settings) -> list[Shade]:
    from blog_gen.model.sampling.sampling import Sampler

    sampler = Sampler.open(settings.run_folder)
    ids = sampler.tokenizer.encode(text)
    logprobs = sampler.log_probabilities(ids).tolist()
    lengths = [len(sampler.tokenizer.token_bytes[token]) for token in ids]
    return word_shades(text, body, lengths, logprobs)


def word_shades(text: str, body: str, lengths: Sequence[int], logprobs: Sequence[float]) -> list[Shade]:
    """The words of `body`, in which `text` ends, each as sure as its tokens together.

    `lengths` are those of the tokens in bytes of UTF-8.

    >>> word_shades("x: é no", "é no", [3, 2, 3], [-1.0, -9.0, -0.1])
    [Shade(start=0, end=1, level=0), Shade(start=2, end=4, level=4)]
    """
    ends = list(accumulate(lengths))
    first = len(text.encode()) - len(body.encode())
    shades = []
    for word in re.finditer(r"\S+", body):
        start = first + len(body[: word.start()].encode())
        end = start + len(word[0].encode())
        tokens = range(bisect_right(ends, start), min(bisect_right(ends, end - 1) + 1, len(ends)))
        level = sum(sum(logprobs[at] for at in tokens) > threshold for threshold in THRESHOLDS)
        shades.append(Shade(*word.span(), level))
    return shades
