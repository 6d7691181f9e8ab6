"""How real posts and known-bad texts made from them score: where the default limits come from.

Each post of the site stands in turn for a candidate that nobody could fault, and is judged against the rest.
Then it is spoilt in every way that generated text is known to go wrong.

    python benchmarks/judge_limits.py [--site DIR] [--json]
"""

from __future__ import annotations

import argparse
import json
import random
import re
import statistics
from collections.abc import Callable, Sequence
from pathlib import Path

from blog_gen.config.settings import load_settings
from blog_gen.judge import Candidate, Context, Scorecard, judge, trimmed
from blog_gen.judge.index import CorpusIndex
from blog_gen.site.articles import read_articles

Post = tuple[str, str, str]
"""Name, title, body."""
Spoil = Callable[[str, Sequence[str], random.Random], str]
"""A body, the bodies of the posts learnt from, and a source of chance, to a worse body."""


def paragraphs(body: str) -> list[str]:
    return [part for part in body.split("\n\n") if len(part.split()) > 15 and "```" not in part]


def sentences(body: str) -> list[str]:
    return [part for part in re.split(r"(?<=[.!?])\s+", " ".join(paragraphs(body))) if len(part.split()) > 4]


def copy(body: str, learnt: Sequence[str], rng: random.Random) -> str:
    return rng.choice(learnt)


def mosaic(body: str, learnt: Sequence[str], rng: random.Random) -> str:
    every = [sentence for other in learnt for sentence in sentences(other)]
    chosen = rng.sample(every, len(sentences(body)))
    return "\n\n".join(" ".join(chosen[at : at + 5]) for at in range(0, len(chosen), 5))


def one_copied_paragraph(body: str, learnt: Sequence[str], rng: random.Random) -> str:
    own = body.split("\n\n")
    return "\n\n".join([*own[:2], rng.choice(paragraphs(rng.choice(learnt))), *own[2:]])


def loop_of_a_sentence(body: str, learnt: Sequence[str], rng: random.Random) -> str:
    return f"{half(body)}\n\n" + " ".join([rng.choice(sentences(body))] * 12)


def loop_of_three_words(body: str, learnt: Sequence[str], rng: random.Random) -> str:
    return f"{half(body)}\n\n" + "and so on, " * 40 + "and so on."


def shuffled_words(body: str, learnt: Sequence[str], rng: random.Random) -> str:
    return "\n\n".join(" ".join(rng.sample(part.split(), len(part.split()))) for part in paragraphs(body))


def shuffled_nearby(body: str, learnt: Sequence[str], rng: random.Random) -> str:
    """Words keep to their place but for a few words."""
    near = (
        sorted(enumerate(part.split()), key=lambda at: at[0] + rng.random() * 6) for part in paragraphs(body)
    )
    return "\n\n".join(" ".join(word for _, word in part) for part in near)


def repeated_paragraph(body: str, learnt: Sequence[str], rng: random.Random) -> str:
    return "\n\n".join([half(body), *[rng.choice(paragraphs(body))] * 2])


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
    return " ".join(sentences(body)[:6])


def half(body: str) -> str:
    return trimmed(body[: len(body) // 2])


SPOILS: Sequence[Spoil] = (
    copy, mosaic, one_copied_paragraph, loop_of_a_sentence, loop_of_three_words, repeated_paragraph, template,
    shuffled_words, shuffled_nearby, unclosed_fence, unclosed_link, headings_only, too_short,
)  # fmt: skip


def candidate(title: str, body: str, ended: bool = True) -> Candidate:
    return Candidate(title, body, (), None, ended, seed=0, tokens=0, logprob=0.0)


def context_of(posts: Sequence[Post]) -> Context:
    index = CorpusIndex.build([(name, body) for name, _, body in posts])
    lengths = sorted(len(body.split()) for _, _, body in posts)
    cuts = statistics.quantiles(lengths, n=20, method="inclusive")
    return Context(index, [(name, title) for name, title, _ in posts], (round(cuts[0]), round(cuts[-1])))


def cards_of(posts: Sequence[Post]) -> dict[str, list[Scorecard]]:
    """The scorecards of each kind of text: `real`, `cut at a random place` and every way of spoiling."""
    cards: dict[str, list[Scorecard]] = {}
    for at, (_, title, body) in enumerate(posts):
        rest = [*posts[:at], *posts[at + 1 :]]
        context, rng = context_of(rest), random.Random(at)
        cut = candidate(title, trimmed(body[: int(len(body) * rng.uniform(0.8, 1))]), ended=False)
        kinds = {"real": candidate(title, body), "cut, then trimmed": cut}
        kinds["title of another"] = candidate(rng.choice(rest)[1], body)
        for spoil in SPOILS:
            worse = spoil(body, [other for _, _, other in rest], rng)
            kinds[spoil.__name__.replace("_", " ")] = candidate(title, worse)
        for kind, card in zip(kinds, judge(list(kinds.values()), context), strict=True):
            cards.setdefault(kind, []).append(card)
    return cards


def summary_of(cards: dict[str, list[Scorecard]]) -> dict[str, object]:
    """For each kind the share rejected and by which checks; for each check its range on real posts."""
    kinds = {
        kind: {"rejected": _share([card.rejected for card in of_kind]), "by": _by(of_kind)}
        for kind, of_kind in cards.items()
    }
    checks = {}
    for columns in zip(*(card.checks for card in cards["real"]), strict=True):
        values = sorted(check.value for check in columns)
        ends = [
            values[0],
            values[len(values) // 20],
            values[len(values) // 2],
            values[-1 - len(values) // 20],
            values[-1],
        ]
        checks[columns[0].name] = {"limit": columns[0].limit, "real": [round(value, 3) for value in ends]}
    return {"posts": len(cards["real"]), "kinds": kinds, "checks": checks}


def _share(flags: Sequence[bool]) -> float:
    return round(sum(flags) / len(flags), 3)


def _by(cards: Sequence[Scorecard]) -> dict[str, float]:
    names = dict.fromkeys(check.name for card in cards for check in card.failed)
    return {name: _share([name in {check.name for check in card.failed} for card in cards]) for name in names}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--site", type=Path, default=Path(__file__).resolve().parent.parent)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    articles = read_articles(load_settings(options.site)).articles
    summary = summary_of(cards_of([(str(each.path), each.title, each.body) for each in articles]))
    if options.json:
        print(json.dumps(summary))
        return
    print(f"{summary['posts']} posts; checks on real ones: least, 5 %, median, 95 %, most")
    for name, check in summary["checks"].items():  # type: ignore[attr-defined]
        print(f"  {name:20} {check['limit']:12} {check['real']}")
    for kind, result in summary["kinds"].items():  # type: ignore[attr-defined]
        print(f"  {kind:22} rejected {result['rejected']:6.1%}  {result['by']}")


if __name__ == "__main__":
    main()
