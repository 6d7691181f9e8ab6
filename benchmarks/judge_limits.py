"""How a blog's own posts, and known-bad texts made from them, fare under the blog's own limits.

Cross-validated: the limits by which a post is judged are made without it. It is trimmed first, as `generate`
trims what it samples: a fence or a last heading that was left open goes. It is compared with all other posts
in the language that is learned; copied is only what an earlier one has, since of two posts that share a
passage the later one copies. Posts of less than a phrase, pictures alone or a test, are left out. A post that
says little but what an earlier one says is no measure of the judge, which is to stop copies: it is counted by
itself. The known-bad texts are spoilt in every way that generated text is known to go wrong, and compared
with the posts of the other folds.

    python benchmarks/judge_limits.py [--site DIR] [--articles FOLDER] [--sample N | --full] [--json]

`--sample N` judges N posts, evenly spread over the blog, 60 unless given; `--full` judges all. A blog of up
to 40 posts is judged post by post, a larger one in ten folds. `--json` prints one object:

    {"posts": 120,          how many the blog has in the language that is learned
     "judged": 40,          how many of them were judged, without those that are an earlier post again
     "rejected": 2,         how many of these fail a check
     "posted again": {"texts": 1, "stopped": 1},    those of which most is copied from earlier ones
     "sample": [{"path": "_posts/2020-01-01-a.md", "fails": ["longest_copy"]}, …],
     "spoilt": {"copy": {"texts": 40, "stopped": 40, "by": {"copied_share": 40}}, …}}

A text that is cut is trimmed, too: where that takes the end away, it is stopped by `trimmed`. `fails` has the
names of the checks that the post fails. No trained run is needed: `surprise`, which is measured on held-out
posts by a model, is left out. `spoilt` leaves out texts of fewer than 100 words.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import textwrap
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import lru_cache, partial
from itertools import chain
from pathlib import Path
from typing import Any

from blog_gen import judge as judging
from blog_gen.config.loading import load_settings
from blog_gen.config.settings import CONFIG_KEY, Limits
from blog_gen.corpus import read_corpus
from blog_gen.judge import Candidate, Context, Scorecard, fluency, index, judge, trimmed
from blog_gen.judge.blocks import Block, blocks_of
from blog_gen.judge.calibration import REPOST, STUB, own_limits
from blog_gen.judge.completeness import usual_words, words_in
from blog_gen.judge.index import CorpusIndex
from blog_gen.judge.trimming import ends_whole, most_end_whole, whole
from blog_gen.judge.words import length_in_words, unspaced
from blog_gen.site.articles import oldest_first
from blog_gen.site.found import AUTO, with_posts_found

Post = tuple[str, str, str]
"""Name, title, body."""
Spoil = Callable[[str, Sequence[str], random.Random], str]
"""A body, the bodies of the posts learnt from, and a source of chance, to a worse body; empty where none can
be made that a reader would call bad."""


def paragraphs(body: str) -> list[str]:
    """Those of more than 15 words, or of as many characters as make these: what is shorter is a line.

    Without the indentation of a list, which would make them code elsewhere; what is a quotation without it is
    left out.
    """
    texts = [textwrap.dedent(block.text) for block in blocks_of(body) if _is_long(block)]
    return [text for text in texts if [block.kind for block in blocks_of(text)] == ["paragraph"]]


def _is_long(block: Block) -> bool:
    return block.kind == "paragraph" and length_in_words(block.text) > 15


def sentences(body: str) -> list[str]:
    parts = re.split(r"(?<=[.!?])\s+|(?<=[。！？])", " ".join(paragraphs(body)))
    return [part for part in parts if words_in(part) > 4]


def pieces(text: str) -> list[str]:
    """What is shuffled: words with the blanks after them, or characters where there are none."""
    return list(text) if unspaced(text) else re.findall(r"\S+\s*", text + " ")


def copy(body: str, learnt: Sequence[str], rng: random.Random) -> str:
    return rng.choice(learnt)


def mosaic(body: str, learnt: Sequence[str], rng: random.Random) -> str:
    every = [sentence for other in learnt for sentence in sentences(other)]
    chosen = rng.sample(every, len(sentences(body)))
    return "\n\n".join(" ".join(chosen[at : at + 5]) for at in range(0, len(chosen), 5))


def one_copied_paragraph(body: str, learnt: Sequence[str], rng: random.Random) -> str:
    """One that only one post has: what several share, such as a footer, is the blog's own to say again."""
    chosen = (rng.choice(paragraphs(other)) for other in rng.sample(learnt, len(learnt)))
    copied = next((text for text in chosen if sum(text in other for other in learnt) == 1), "")
    first = next(block for block in blocks_of(body) if _is_long(block))
    end = first.start + len(first.text)
    return f"{body[:end]}\n\n{copied}\n\n{body[end:].lstrip()}" if copied else ""


def loop_of_a_sentence(body: str, learnt: Sequence[str], rng: random.Random) -> str:
    return f"{half(body)}\n\n" + " ".join([rng.choice(sentences(body))] * 12)


def loop_of_three_words(body: str, learnt: Sequence[str], rng: random.Random) -> str:
    return f"{half(body)}\n\n" + "and so on, " * 40 + "and so on."


def shuffled_words(body: str, learnt: Sequence[str], rng: random.Random) -> str:
    parts = [pieces(part) for part in paragraphs(body)]
    return "\n\n".join("".join(rng.sample(part, len(part))) for part in parts)


def shuffled_nearby(body: str, learnt: Sequence[str], rng: random.Random) -> str:
    """Words keep to their place but for a few words."""
    near = (
        sorted(enumerate(pieces(part)), key=lambda at: at[0] + rng.random() * 6) for part in paragraphs(body)
    )
    return "\n\n".join("".join(word for _, word in part) for part in near)


def repeated_paragraph(body: str, learnt: Sequence[str], rng: random.Random) -> str:
    return "\n\n".join([half(body), *[rng.choice(paragraphs(body))] * 2])


def paragraph_again(body: str, learnt: Sequence[str], rng: random.Random) -> str:
    """The first long one once more at the end; a sentence or two may be a refrain."""
    long = next((text for text in paragraphs(body) if length_in_words(text) > 30), "")
    return f"{body}\n\n{long}" if long else ""


def template(body: str, learnt: Sequence[str], rng: random.Random) -> str:
    first = paragraphs(body)[0].split()
    return "\n\n".join(
        " ".join([*first[:4], word, *first[5:]]) for word in ["one", "two", "three", "four", "five", "six"]
    )


def unclosed_fence(body: str, learnt: Sequence[str], rng: random.Random) -> str:
    return f"{half(body)}\n\n```python\n" + "\n\n".join(paragraphs(body)[-3:])


def unclosed_link(body: str, learnt: Sequence[str], rng: random.Random) -> str:
    return f"{body}\n\nAnd see [the other post](https://example.org"


def headings_only(body: str, learnt: Sequence[str], rng: random.Random) -> str:
    return f"{half(body)}\n\n" + "\n\n".join(f"## {' '.join(part.split()[:4])}" for part in paragraphs(body))


def too_short(body: str, learnt: Sequence[str], rng: random.Random) -> str:
    """Six sentences, where they are less than a fifth of any post. In one of five blogs one post is as short
    beside all others, so above that it is a short post that ends well."""
    short = " ".join(sentences(body)[:6])
    return short if 5 * words_in(short) < min(map(words_in, learnt)) else ""


def cut(body: str, learnt: Sequence[str], rng: random.Random) -> str:
    """Cut in the middle of a sentence or of a word, for a model may end a text anywhere.

    A part of a list, of a table or of code may as well be the whole of it, so it is cut in paragraphs.
    """
    places = (int(len(body) * rng.uniform(0.4, 1)) for _ in range(20))
    texts = (body[:place].rstrip() for place in places)
    return next((text for text in texts if not ends_whole(text) and _in_a_paragraph(text)), "")


def _in_a_paragraph(text: str) -> bool:
    blocks = blocks_of(text)
    return bool(blocks) and blocks[-1].kind == "paragraph" and words_in(blocks[-1].text) > 0


def half(body: str) -> str:
    return trimmed(body[: len(body) // 2])


SPOILS: Sequence[Spoil] = (
    copy, mosaic, one_copied_paragraph, loop_of_a_sentence, loop_of_three_words, repeated_paragraph,
    paragraph_again, template, shuffled_words, shuffled_nearby, unclosed_fence, unclosed_link, headings_only,
    too_short, cut,
)  # fmt: skip


LEAST = 100  # words; of a shorter text there is too little to spoil
FOLDS = 10  # for a blog of more than `ALONE` posts; in a smaller one, each post is left out alone
ALONE = 40
SAMPLE = 60  # posts that are judged unless told otherwise


def candidate(title: str, body: str, ended: bool = True) -> Candidate:
    return Candidate(title, body, (), None, ended, seed=0, tokens=0, logprob=0.0)


def index_of(posts: Sequence[Post]) -> CorpusIndex:
    return CorpusIndex.build([(name, body) for name, _, body in posts])


def context_of(posts: Sequence[Post], indexed: CorpusIndex) -> Context:
    """What candidates are judged by when `posts`, of which `indexed` is, are the blog."""
    own = own_limits(posts, indexed)
    titles = [(name, title) for name, title, _ in posts]
    words = usual_words(body for _, _, body in posts)
    return Context(indexed, titles, words, own.length, limits=own.over(Limits()))


def cards_of(
    posts: Sequence[Post], sample: int | None = None, processes: int = 1
) -> dict[str, list[Scorecard]]:
    """The scorecards of each kind of text: `real` and every way of spoiling, of `sample` posts or of all."""
    folds = len(posts) if len(posts) <= ALONE else FOLDS
    chosen = _spread(len(posts), sample or len(posts))
    judge_fold = partial(_cards_of_fold, posts, as_drafts(posts), chosen, folds)
    if processes == 1:
        return _together(map(judge_fold, range(folds)))
    with ProcessPoolExecutor(processes) as pool:
        return _together(pool.map(judge_fold, range(folds)))


Cards = list[tuple[str, Scorecard]]
"""The kind of a text, and its scorecard."""


def _together(folds: Iterable[Cards]) -> dict[str, list[Scorecard]]:
    cards: dict[str, list[Scorecard]] = {"real": []}
    for kind, card in chain.from_iterable(folds):
        cards.setdefault(kind, []).append(card)
    return cards


def _cards_of_fold(
    posts: Sequence[Post], drafts: Sequence[Post], chosen: Sequence[int], folds: int, fold: int
) -> Cards:
    judged = [at for at in chosen if at % folds == fold]
    rest = [post for at, post in enumerate(posts) if at % folds != fold]
    if not judged:
        return []
    context, every = context_of(rest, index_of(rest)), index_of(drafts)
    cards: Cards = []
    for at in judged:
        titles = [(name, title) for name, title, _ in posts[:at]]
        real = replace(context, index=every.rest(at), titles=titles)
        cards += [("real", card) for card in judge([candidate(*drafts[at][1:])], real)]
        for kind, worse in _spoilt(posts[at], rest, random.Random(at)):
            cards += [(kind, card) for card in judge([worse], context)]
    return cards


def as_drafts(posts: Sequence[Post]) -> list[Post]:
    """The posts as `generate` would have written them, had they been sampled."""
    sentences_end = most_end_whole([body for _, _, body in posts])
    return [(name, title, whole(body, sentences_end)) for name, title, body in posts]


def remember() -> None:
    """Fold after fold the same posts are read and judged: what needs no other post is found once."""
    for module, name in ((judging, "repetition_checks"), (index, "words_of"), (fluency, "prose_of")):
        setattr(module, name, lru_cache(10_000)(getattr(module, name)))


def _spread(count: int, wanted: int) -> list[int]:
    """`wanted` numbers below `count`, evenly spread."""
    return sorted(
        {at * count // wanted for at in range(min(wanted, count))} if wanted < count else range(count)
    )


def _spoilt(post: Post, rest: Sequence[Post], rng: random.Random) -> Iterator[tuple[str, Candidate]]:
    """Each way of spoiling a post that has enough text for it."""
    _, title, body = post
    if words_in(body) < LEAST or not sentences(body) or not rest:
        return
    yield "title of another", candidate(rng.choice(rest)[1], body)
    learnt = [other for _, _, other in rest if paragraphs(other)]
    for spoil in SPOILS if learnt else ():
        if worse := spoil(body, learnt, rng):
            final = whole(worse, most_end_whole([other for _, _, other in rest])) if spoil is cut else worse
            yield spoil.__name__.replace("_", " "), candidate(title, final, final == worse)


def summary_of(posts: Sequence[Post], sample: int | None = None, processes: int = 1) -> dict[str, Any]:
    """As `--json` prints it."""
    cards = cards_of(posts, sample, processes)
    names = {(title, body): name for name, title, body in as_drafts(posts)}
    real = cards.pop("real")
    again = [card for card in real if card.to_dict()["copied_share"] >= REPOST]
    own = [card for card in real if card not in again]
    return {
        "posts": len(posts),
        "judged": len(own),
        "rejected": sum(card.rejected for card in own),
        "posted again": {"texts": len(again), "stopped": sum(card.rejected for card in again)},
        "sample": sorted(
            (
                {
                    "path": names[card.candidate.title, card.candidate.body],
                    "fails": [check.name for check in card.failed],
                }
                for card in real
            ),
            key=lambda each: str(each["path"]),
        ),
        "spoilt": {
            kind: {
                "texts": len(of_kind),
                "stopped": sum(card.rejected or not card.candidate.ended for card in of_kind),
                "by": dict(Counter(chain.from_iterable(map(_stopped_by, of_kind))).most_common()),
            }
            for kind, of_kind in cards.items()
        },
    }


def _stopped_by(card: Scorecard) -> list[str]:
    return [check.name for check in card.failed] + ["trimmed"] * (not card.candidate.ended)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--site", type=Path, default=Path(__file__).resolve().parent.parent)
    parser.add_argument("--articles", help="the folder with the posts, where the settings name another")
    how_many = parser.add_mutually_exclusive_group()
    how_many.add_argument("--sample", type=int, metavar="N", default=SAMPLE, help="judge N posts")
    how_many.add_argument("--full", action="store_true", help="judge all posts")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    settings = load_settings(options.site)
    if options.articles or CONFIG_KEY not in settings.jekyll:
        settings = with_posts_found(replace(settings, articles=options.articles or AUTO))
    articles = oldest_first(read_corpus(settings).articles)  # those in the language that is learned
    posts = [
        (each.path.as_posix(), each.title, each.body) for each in articles if words_in(each.body) >= STUB
    ]
    remember()
    summary = summary_of(posts, None if options.full else options.sample, processes=os.cpu_count() or 1)
    print(json.dumps(summary) if options.json else as_text(summary))


def as_text(summary: Mapping[str, Any]) -> str:
    lines = ["{posts} posts, {judged} judged, {rejected} rejected".format(**summary)]
    lines[0] += ", and of {texts} posted again {stopped}".format(**summary["posted again"])
    lines += [f"  {each['path']}: {', '.join(each['fails'])}" for each in summary["sample"] if each["fails"]]
    for kind, of in summary["spoilt"].items():
        lines.append(f"  {kind:22} {of['stopped']:4} of {of['texts']:4} stopped  {of['by']}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
