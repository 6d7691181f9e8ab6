"""From a trained run to one draft: candidates are sampled, parsed, judged; the best becomes a post.

Joins the blog side and the model side. Imports LiteRT through the sampler only, and never TensorFlow
unless a run has no converted sampler yet.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from blog_gen import __version__
from blog_gen.config import Settings
from blog_gen.errors import RejectedError
from blog_gen.gpt2 import runs
from blog_gen.heads import HeadWriter
from blog_gen.judge import Candidate, Context, Scorecard, judge, pick
from blog_gen.learning import Corpus
from blog_gen.site.assets import image_files
from blog_gen.site.dates import zone_of
from blog_gen.site.drafts import Draft, drafts_in
from blog_gen.site.templates import render as render_template
from blog_gen.text.post import Post, PostFormatError, parse
from blog_gen.text.safe import Safe, SiteFacts, known_hosts, make_safe

if TYPE_CHECKING:
    from blog_gen.gpt2.sampling import Sample, Sampler

INDEX_FILE = "novelty.npz"


@dataclass(frozen=True)
class Wish:
    """What is wanted: the day, the post's number on it, and a title, category or tags to begin with."""

    day: date
    number: int = 0
    title: str | None = None
    category: str | None = None
    tags: tuple[str, ...] = ()
    seed: int | None = None  # of the first candidate; None: from the day and the number

    def seeds(self, attempt: int, count: int) -> list[int]:
        """The candidates' seeds: the same wish always has the same."""
        first = self.seed
        if first is None:
            text = f"{self.day}/{self.number}/{self.title}/{self.category}/{self.tags}"
            first = int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") >> 1
        return [(first + attempt * count + rank) % 2**31 for rank in range(count)]


@dataclass(frozen=True)
class Result:
    """The draft that was chosen, all scorecards, and what was mended to make it safe to build."""

    draft: Draft
    cards: list[Scorecard]
    safe: Safe
    unparsed: list[str] = field(default_factory=list)


class Desk:
    """What it takes to write drafts for a site, loaded once: the sampler, the index, the site's facts."""

    def __init__(self, settings: Settings, corpus: Corpus) -> None:
        self.settings, self.corpus = settings, corpus
        self.meta = runs.read_meta(settings.run_folder)

    @property
    def _base(self) -> str:
        """The base of the run that writes, which may be older than the settings."""
        return self.meta.base if self.meta else self.settings.model

    @cached_property
    def sampler(self) -> Sampler:
        from blog_gen.gpt2.sampling import Sampler

        return Sampler.open(self.settings.run_folder)

    @cached_property
    def earlier(self) -> list[Draft]:
        return drafts_in(self.settings.output_folder, zone_of(self.settings))[0]

    @cached_property
    def context(self) -> Context:
        """Its index over articles and drafts is kept in the state folder, renewed when they change."""
        from blog_gen.judge.index import kept_index

        documents = [(article.path.as_posix(), article.body) for article in self.corpus.articles]
        documents += [(draft.path.name, draft.body) for draft in self.earlier if draft.path]
        titles = [(article.path.as_posix(), article.title) for article in self.corpus.articles]
        titles += [(draft.path.name, draft.title) for draft in self.earlier if draft.path]
        return Context(
            index=kept_index(self.settings.state_folder / INDEX_FILE, documents),
            titles=titles,
            words=self.corpus.habit.words,
            held_out=self.meta.held_out_logprob if self.meta else None,
            limits=self.settings.limits,
        )

    @cached_property
    def facts(self) -> SiteFacts:
        jekyll = self.settings.jekyll
        own = f"<{jekyll.get('url') or ''}>"  # the site may always link to itself
        renderer = jekyll.get("kramdown")
        return SiteFacts(
            hosts=known_hosts([own, *(article.body for article in self.corpus.articles)]),
            files=image_files(self.settings),
            excerpt_separator=str(jekyll.get("excerpt_separator") or "\n\n"),
            backtick_fences=not isinstance(renderer, dict) or renderer.get("input", "GFM") == "GFM",
        )

    def wrote(self, path: Path, draft: Draft) -> None:
        """Take a new draft into account: the next one must not be like it."""
        self.earlier.append(dataclasses.replace(draft, path=path))
        self.__dict__.pop("context", None)

    def draft(
        self, wish: Wish, moment: datetime, progress: Callable[[int, int], None] = lambda done, total: None
    ) -> Result:
        """Sample, judge and pick until a candidate passes every check.

        Raises:
            RejectedError: none did in `attempts` rounds; its report is the table of all.
        """
        cards: list[Scorecard] = []
        unparsed: list[str] = []
        for attempt in range(self.settings.attempts):
            candidates = self._candidates(wish, attempt, unparsed, progress)
            cards += judge(candidates, self.context)
            best = pick(cards)
            if best is not None:
                return self._result(wish, moment, best, cards, unparsed)
        raise RejectedError(
            f"all {len(cards) + len(unparsed)} candidates were rejected and nothing was written",
            report="\n".join([*(f"seed {card.candidate.seed}: {card.verdict}" for card in cards), *unparsed]),
            fix="Loosen `blog_gen.limits`, raise `candidates`, or train on more posts",
        )

    def _candidates(
        self, wish: Wish, attempt: int, unparsed: list[str], progress: Callable[[int, int], None]
    ) -> list[Candidate]:
        """Samples that parse as posts; why the others do not is added to `unparsed`."""
        seeds = wish.seeds(attempt, self.settings.candidates)
        begun = self._heads.beginnings(Post(wish.title or "", "", wish.tags, wish.category), seeds)
        unparsed += [f"seed {seed}: it has no title" for seed in seeds if seed not in begun]
        candidates = []
        for done, sample in enumerate(self._bodies(begun), 1):
            progress(done, len(begun))
            seed = sample.request.seed
            try:
                candidates.append(self._candidate(parse(begun[seed] + sample.text), sample))
            except PostFormatError as reason:
                unparsed.append(f"seed {seed}: not a post: {reason}")
        return sorted(candidates, key=lambda candidate: seeds.index(candidate.seed))

    @cached_property
    def _heads(self) -> HeadWriter:
        corpus = self.corpus
        return HeadWriter(self.sampler, self.settings.sampling, corpus.keys, corpus.habit)

    def _bodies(self, begun: Mapping[int, str]) -> Iterator[Sample]:
        from blog_gen.gpt2.decoding import Length
        from blog_gen.gpt2.sampling import Request

        tokenizer, length = self.sampler.tokenizer, self._length
        requests = [Request(tuple(tokenizer.encode(text)), seed, length) for seed, text in begun.items()]
        least, usual, _ = self._usual_tokens
        if self.settings.sampling.max_tokens is not None:
            least = 0
        lengths = Length(tokenizer.end_of_text, least, usual)
        return self.sampler.generate(requests, self.settings.sampling, processors=(lengths,))

    @cached_property
    def _length(self) -> int:
        """Tokens of a body, at most: the site's longest usual post and a quarter more."""
        return self.settings.sampling.max_tokens or self._usual_tokens[2] * 5 // 4

    @cached_property
    def _usual_tokens(self) -> tuple[int, int, int]:
        """Tokens of the site's posts: 5th, 50th and 95th percentile."""
        encode = self.sampler.tokenizer.encode
        lengths = sorted(len(encode(text)) for text in self.corpus.texts.values())
        low, middle, high = (lengths[int(share * (len(lengths) - 1))] for share in (0.05, 0.5, 0.95))
        return low, middle, high

    def _candidate(self, post: Post, sample: Sample) -> Candidate:
        return Candidate(
            title=post.title,
            body=post.body,
            tags=post.tags,
            category=post.category,
            ended=sample.ended,
            seed=sample.request.seed,
            tokens=len(sample.tokens),
            logprob=sum(sample.logprobs) / max(1, len(sample.logprobs)),
        )

    def _result(
        self, wish: Wish, moment: datetime, best: Scorecard, cards: list[Scorecard], unparsed: list[str]
    ) -> Result:
        safe, body = self._finished(best)
        draft = Draft(
            title=best.candidate.title,
            body=body,
            date=moment,
            tags=best.candidate.tags,
            category=best.candidate.category,
            provenance=self._provenance(wish, best),
            published=self.settings.review == "auto" and not _needs_a_human(safe),
        )
        return Result(draft, cards, safe, unparsed)

    def _finished(self, best: Scorecard) -> tuple[Safe, str]:
        """The chosen text as it is written: safe to build, and with the line that says how it was made."""
        safe = make_safe(best.candidate.body, self.facts)
        if not self.settings.disclosure:
            return safe, safe.body
        line = render_template("disclosure.md", self.settings.site, model=self._base)
        return safe, f"{safe.body}\n\n{line}".strip()

    def judged(self, wish: Wish) -> list[Scorecard]:
        """The first round of candidates, with what was found of each."""
        return judge(self._candidates(wish, 0, [], lambda done, total: None), self.context)

    def body_again(self, wish: Wish) -> str | None:
        """The body that the wish's own seed gives, unjudged; None where it is no post any more."""
        cards = self.judged(wish)
        return self._finished(cards[0])[1] if cards else None

    def _provenance(self, wish: Wish, best: Scorecard) -> Mapping[str, Any]:
        """What `reproduce` needs, and what a reader may want to know."""
        asked = {"title": wish.title, "category": wish.category, "tags": list(wish.tags) or None}
        return {
            "version": __version__,
            "day": wish.day.isoformat(),
            "model": self._base,
            "weights": self.sampler.weights_sha256,
            "articles": self.corpus.sha256,
            "seed": best.candidate.seed,
            **dataclasses.asdict(self.settings.sampling),
            "length": self._length,
            **(
                {"asked": {key: value for key, value in asked.items() if value}}
                if any(asked.values())
                else {}
            ),
            "scores": best.to_dict(),
        }


def _needs_a_human(safe: Safe) -> bool:
    """Whether the text holds what only looks harmful: such a post is never published unread."""
    return any(finding.kind in ("secret", "email", "telephone") for finding in safe.findings)
