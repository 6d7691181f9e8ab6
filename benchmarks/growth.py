"""How what a blogger waits for grows: with the posts, with the tokens of a draft, with the candidates.

Posts: reading and rendering them (the first time, and again), their fingerprint (anew, and where no file
changed), the judge's index (built, and loaded), the list of drafts for review (a draft to ten posts), and
`blog-gen run` with nothing to do. Tokens: sampling one text with `mini`. Candidates: sampling them, eight
side by side, and judging them against a hundred posts. Seconds of processor time, which other work on the
machine changes less than wall time. "growth" is the largest size's time over that of the one before it, as a
share of how many times as large it is: at most 1 is well.

    python benchmarks/growth.py [--full] [--json] [--posts 10 100 1000] [--repeats 1]

Without arguments it goes up to 10,000 posts; `--full` measures everything three times.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np

from blog_gen import runs
from blog_gen.config.loading import load_settings
from blog_gen.config.settings import STAT_CACHE_FILE, STATE_FOLDER, SamplingSettings, Settings
from blog_gen.corpus import read_corpus
from blog_gen.judge import Candidate, Context, judge
from blog_gen.judge.index import CorpusIndex
from blog_gen.judge.index_file import load_index, save_index
from blog_gen.learning.staleness import depends_on
from blog_gen.model.sampling.processors import Length
from blog_gen.model.sampling.sampling import Request, Sampler
from blog_gen.model.weights import save_weights
from blog_gen.model.zoo import zoo
from blog_gen.review.store import Store
from blog_gen.site.articles import read_articles
from blog_gen.site.fingerprint import fingerprint

WORDS = 300  # of a post
SAMPLE = Path(__file__).resolve().parent.parent
FIRST = datetime.date(2000, 1, 1)
Times = dict[str, float]


def make_site(folder: Path, posts: int) -> Settings:
    """Posts of words of the sample blog, one a day; a tenth as many drafts, the last of them today's."""
    rng, words = random.Random(0), _words()
    for kind in ("_articles", "_generated", STATE_FOLDER):
        (folder / kind).mkdir()
    (folder / "_config.yml").write_text("timezone: UTC\nblog_gen: {articles: _articles}\n")
    for number in range(posts):
        day = FIRST + datetime.timedelta(number % 9000)
        head = f"title: Post {number} {rng.choice(words)}\ndate: {day} 08:00:00 +0000\n"
        _write(folder / f"_articles/{day}-{number}.md", head, _body(rng, words))
    for number in range(max(1, posts // 10)):
        day = datetime.datetime.now(datetime.UTC).date() - datetime.timedelta(number)
        head = f"title: Draft {number}\ndate: {day} 08:00:00 +0000\npublished: false\n"
        head += f"blog_gen: {{version: 0.2.0, model: mini, weights: 0, seed: {number}, day: {day}}}\n"
        _write(folder / f"_generated/{day}-draft-{number}.md", head, _body(rng, words))
    return load_settings(folder)


def _words() -> list[str]:
    return " ".join(article.body for article in read_articles(load_settings(SAMPLE)).articles).split()


def _body(rng: random.Random, words: list[str]) -> str:
    """Passages of the sample blog, so that posts share runs of words as those of one author do."""
    starts = [rng.randrange(len(words) - 20) for _ in range(WORDS // 20)]
    return "\n\n".join(" ".join(words[start : start + 20]) for start in starts)


def _write(path: Path, head: str, body: str) -> None:
    path.write_text(f"---\n{head}---\n\n{body}\n")


def say_learned(settings: Settings) -> None:
    """A run of exactly these posts, as far as `blog-gen run` looks where nothing is to do."""
    folder = settings.run_folder
    folder.mkdir(parents=True)
    save_weights({"wte": np.zeros((1, 1), np.float32)}, folder, identity="growth")
    meta = runs.Meta(
        identity="growth",
        base="mini",
        base_weights="",
        weights=runs.weights_sha256(folder),
        articles="",
        fingerprint=fingerprint(settings),
        settings=depends_on(settings),
        recipe={},
        posts=1,
        tokens=1,
        held_out=[],
        held_out_logprob=None,
        best_step=1,
        seconds=1.0,
        stopped="",
        summary="",
    )
    runs.write_meta(folder, meta)


def seconds(work: Callable[[], object], repeats: int) -> float:
    """The median processor time of `work`, its children's included."""
    times = []
    for _ in range(repeats):
        begun = os.times()
        work()
        times.append(sum(os.times()[:4]) - sum(begun[:4]))
    return statistics.median(times)


def nothing_to_do(settings: Settings) -> None:
    words = [sys.executable, "-c", "from blog_gen.cli import main; main()", "run"]
    done = subprocess.run(words, cwd=settings.site, capture_output=True, text=True, check=True)
    assert "othing" in done.stdout, done


def fingerprint_anew(settings: Settings) -> None:
    (settings.state_folder / STAT_CACHE_FILE).unlink(missing_ok=True)
    fingerprint(settings)


def with_posts(posts: int, repeats: int) -> Times:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        settings = make_site(folder, posts)
        found = {"read first": seconds(lambda: read_corpus(settings), 1)}
        found["read again"] = seconds(lambda: read_corpus(settings), repeats)
        documents = [(str(a.path), a.body) for a in read_corpus(settings).articles]
        index = CorpusIndex.build(documents)
        found["index built"] = seconds(lambda: CorpusIndex.build(documents), repeats)
        save_index(index, folder / "index.npz")
        found["index loaded"] = seconds(lambda: load_index(folder / "index.npz"), repeats)
        found["review list"] = seconds(lambda: Store(settings).entries(), repeats)
        say_learned(settings)
        found["fingerprint anew"] = seconds(lambda: fingerprint_anew(settings), repeats)
        found["fingerprint"] = seconds(lambda: fingerprint(settings), repeats)
        nothing_to_do(settings)  # the first look at files that may have been too new to be remembered
        found["nothing to do"] = seconds(lambda: nothing_to_do(settings), max(3, repeats))
        return found


def with_tokens(tokens: int, repeats: int) -> Times:
    return {"one text": seconds(lambda: sample(1, tokens), repeats)}


def with_candidates(candidates: int, repeats: int) -> Times:
    rng, words = random.Random(1), _words()
    documents = [(f"{number}.md", _body(rng, words)) for number in range(100)]
    context = Context(CorpusIndex.build(documents), documents, (100, 500), held_out=-3.0)
    made = [
        Candidate(f"Post {number}", _body(rng, words), (), None, True, number, WORDS, -3.0)
        for number in range(candidates)
    ]
    found = {"sampled": seconds(lambda: sample(candidates, 64), repeats)}
    return found | {"judged": seconds(lambda: judge(made, context), repeats)}


def sample(texts: int, tokens: int) -> None:
    """Texts of just so many tokens, by `mini`."""
    unending = [Length(sampler().tokenizer.end_of_text, tokens, tokens)]
    requests = [Request((), seed, tokens) for seed in range(texts)]
    settings = SamplingSettings(vocabulary_constraint=False)
    assert len(list(sampler().generate(requests, settings, processors=unending))) == texts


@cache
def sampler() -> Sampler:
    return Sampler.open(zoo.EMBEDDED["mini"])


# What grows: its sizes, and what is timed at each.
PARTS: dict[str, tuple[list[int], Callable[[int, int], Times]]] = {
    "posts": ([10, 100, 1000, 10_000], with_posts),
    "tokens": ([64, 128, 256, 512], with_tokens),
    "candidates": ([8, 16, 32, 64], with_candidates),
}


def show(part: str, found: dict[int, Times]) -> None:
    sizes = list(found)
    print(f"{part:22}" + "".join(f"{size:10,}" for size in sizes) + f"{'growth':>10}")
    for name in found[sizes[0]]:
        times = [found[size][name] for size in sizes]
        growth = times[-1] / max(times[-2], 0.01) / (sizes[-1] / sizes[-2]) if len(sizes) > 1 else 0.0
        print(f"{name:22}" + "".join(f"{each:10.3f}" for each in times) + f"{growth:10.2f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--posts", type=int, nargs="+", default=PARTS["posts"][0])
    parser.add_argument("--repeats", type=int)
    options = parser.parse_args()
    repeats, named = options.repeats or (3 if options.full else 1), Times()
    for part, (sizes, times) in PARTS.items():
        sizes = options.posts if part == "posts" else sizes
        found = {size: times(size, repeats) for size in sizes}
        named |= {f"{part}.{at}.{name}": value for at in sizes for name, value in found[at].items()}
        if not options.json:
            show(part, found)
    if options.json:
        print(json.dumps(named, indent=2))


if __name__ == "__main__":
    main()
