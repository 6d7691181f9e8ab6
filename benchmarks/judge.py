"""How long the judge takes: 8 candidates of 800 words against 300 articles of 800 words.

The words are the sample articles', in a random walk over the pairs that stand in them, so that runs and
n-grams are shared as often as between posts by one author; two candidates hold a copied passage.

    python benchmarks/judge.py [--json] [--repeats N]
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

from blog_gen.config.loading import load_settings
from blog_gen.judge import Candidate, Context, judge
from blog_gen.judge.index import CorpusIndex
from blog_gen.judge.index_file import kept_index
from blog_gen.site.articles import read_articles

ARTICLES, CANDIDATES, WORDS = 300, 8, 800


def walks(count: int, seed: int) -> list[str]:
    """`count` texts of `WORDS` words in paragraphs of fifty."""
    site = Path(__file__).resolve().parent.parent
    words = " ".join(article.body for article in read_articles(load_settings(site)).articles).split()
    after: dict[str, list[str]] = {}
    for word, following in pairwise(words):
        after.setdefault(word, []).append(following)
    rng, texts = random.Random(seed), []
    for _ in range(count):
        text = [rng.choice(words)]
        while len(text) < WORDS:
            text.append(rng.choice(after.get(text[-1], words)))
        texts.append("\n\n".join(" ".join(text[at : at + 50]) for at in range(0, WORDS, 50)))
    return texts


def seconds(work: Callable[[], object], repeats: int) -> float:
    """The median wall time of `work`."""
    times = []
    for _ in range(repeats):
        begun = time.perf_counter()
        work()
        times.append(time.perf_counter() - begun)
    return round(statistics.median(times), 4)


def measure(repeats: int) -> dict[str, float]:
    documents = [(f"article-{at}.md", text) for at, text in enumerate(walks(ARTICLES, seed=0))]
    bodies = walks(CANDIDATES, seed=1)
    bodies[:2] = [body[:1000] + documents[at][1][1000:3000] for at, body in enumerate(bodies[:2])]
    candidates = [
        Candidate(f"Post {at}", body, (), None, True, at, 1024, -3.0) for at, body in enumerate(bodies)
    ]
    titles = [(name, " ".join(text.split()[:6])) for name, text in documents]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "index.npz"
        context = Context(kept_index(path, documents), titles, (500, 1000), held_out=-3.0)
        return {
            "articles": ARTICLES,
            "candidates": CANDIDATES,
            "build_s": seconds(lambda: CorpusIndex.build(documents), repeats),
            "load_s": seconds(lambda: kept_index(path, documents), repeats),
            "judge_s": seconds(lambda: judge(candidates, context), repeats),
            "index_bytes": path.stat().st_size,
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    measured = measure(options.repeats)
    print(json.dumps(measured) if options.json else "\n".join(f"{k:12} {v}" for k, v in measured.items()))


if __name__ == "__main__":
    main()
