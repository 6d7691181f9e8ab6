"""How candidates read under other sampling settings: where the defaults come from.

Draws candidates from a site's trained run under each setting and judges them with the site's limits. The
site's own posts, which nobody can fault, stand first.

    python benchmarks/defaults.py [--site DIR] [--candidates 16] [--json]
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from blog_gen.config.loading import load_settings
from blog_gen.config.settings import SamplingSettings
from blog_gen.corpus import Corpus, read_corpus
from blog_gen.drafting.drafter import Drafter
from blog_gen.drafting.request import DraftRequest
from blog_gen.judge import Scorecard
from blog_gen.judge.repetition import distinct, ngrams, said_again
from blog_gen.judge.words import forms_of
from blog_gen.site.days import moment_now

PLAIN = SamplingSettings(temperature=1.0, top_p=1.0)
WAYS: tuple[dict[str, float], ...] = (
    {},
    *({"temperature": temperature} for temperature in (0.7, 0.8, 0.9)),
    *({"top_p": p} for p in (0.8, 0.9, 0.95)),
    *({"temperature": t, "top_p": p} for t, p in ((0.8, 0.95), (0.9, 0.9), (0.9, 0.95))),
    *({"temperature": t, "min_p": p} for t, p in ((0.9, 0.02), (0.9, 0.05), (1.0, 0.05))),
    {"top_k": 40},
    {"typical_p": 0.9},
    {"temperature": 0.8, "top_p": 0.95, "repetition_penalty": 1.1},
    {"temperature": 0.9, "min_p": 0.05, "frequency_penalty": 0.1},
)


def measured(bodies: Sequence[str], known: set[str]) -> dict[str, float]:
    """Means over texts: words not among `known`, different pairs of words, five-word phrases said again."""
    words = [tuple(forms_of(body)) for body in bodies]
    return {
        "unknown_words": statistics.fmean(
            sum(form not in known for form in text) / len(text) for text in words
        ),
        "distinct_2": statistics.fmean(distinct(text, 2)[0] for text in words),
        "said_again": statistics.fmean(said_again(ngrams(text, 5))[0] for text in words),
    }


def of_cards(cards: Sequence[Scorecard], known: set[str]) -> dict[str, float]:
    values = [card.to_dict() for card in cards]
    passing = [card for card in cards if not card.rejected]
    return {
        "pass": len(passing) / len(cards),
        "ended": statistics.fmean(each["ended"] for each in values),
        "score": statistics.fmean(card.score for card in passing) if passing else 0.0,
        "surprise": statistics.fmean(each["surprise"] for each in values),
        **measured([card.candidate.body for card in cards if card.candidate.body.split()], known),
    }


def own_posts(corpus: Corpus) -> dict[str, float]:
    """The site's posts, each against the words of the others."""
    bodies = [article.body for article in corpus.articles]
    rows = []
    for at, body in enumerate(bodies):
        others = {form for other in bodies[:at] + bodies[at + 1 :] for form in forms_of(other)}
        rows.append(measured([body], others))
    return {name: statistics.fmean(row[name] for row in rows) for name in rows[0]}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--site", type=Path, default=Path())
    parser.add_argument("--candidates", type=int, default=16)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    settings = replace(load_settings(options.site), candidates=options.candidates)
    corpus = read_corpus(settings)
    known = {form for article in corpus.articles for form in forms_of(article.body)}
    day = moment_now(settings).date()
    table = {"the site's posts": own_posts(corpus)}
    for way in WAYS:
        name = ", ".join(f"{key} {value:g}" for key, value in way.items()) or "as the model believes"
        drafter = Drafter(replace(settings, sampling=replace(PLAIN, **way)), corpus)  # type: ignore[arg-type]
        table[name] = of_cards(drafter.judged(DraftRequest(day, seed=1)), known)
    for name, row in table.items():
        if not options.json:
            print(f"{name:56}" + "  ".join(f"{key} {value:.3f}" for key, value in row.items()))
    if options.json:
        print(json.dumps(table))


if __name__ == "__main__":
    main()
