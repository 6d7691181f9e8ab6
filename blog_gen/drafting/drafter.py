"""From a trained run to one draft: candidates are sampled, parsed, judged; the best becomes a post.

Joins the blog side and the model side. Imports LiteRT through the sampler only, and never TensorFlow
unless a run has no converted sampler yet.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from blog_gen import __version__, runs
from blog_gen.config.settings import Settings
from blog_gen.corpus import Corpus
from blog_gen.drafting.candidates import CandidateWriter, Lengths
from blog_gen.drafting.heads import HeadWriter
from blog_gen.errors import RejectedError
from blog_gen.judge import Candidate, Context, Scorecard, judge, pick
from blog_gen.site.assets import image_files
from blog_gen.site.drafts import Draft, all_drafts
from blog_gen.site.templates import render as render_template
from blog_gen.text.post import Post
from blog_gen.text.safety.safe import Safe, SiteFacts, known_hosts, make_safe

if TYPE_CHECKING:
    from blog_gen.model.sampling.sampling import Sampler

INDEX_FILE = "novelty.npz"


@dataclass(frozen=True)
class DraftRequest:
    """What is wanted: the day, the post's number on it, and a title, category or tags to begin with."""

    day: date
    number: int = 0
    title: str | None = None
    category: str | None = None
    tags: tuple[str, ...] = ()
    seed: int | None = None  # of the first candidate; None: from the day and the number

    def seeds(self, attempt: int, count: int) -> list[int]:
        """The candidates' seeds: the same request always has the same."""
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


class Drafter:
    """What it takes to write drafts for a site, loaded once: the sampler, the index, the site's facts."""

    def __init__(self, settings: Settings, corpus: Corpus, lengths: Lengths | None = None) -> None:
        """`lengths`: None for those of the site's posts."""
        self.settings, self.corpus, self._lengths = settings, corpus, lengths
        self.meta = runs.read_meta(settings.run_folder)

    @property
    def _base(self) -> str:
        """The base of the run that writes, which may be older than the settings."""
        return self.meta.base if self.meta else self.settings.model

    @cached_property
    def sampler(self) -> Sampler:
        from blog_gen.model.sampling.sampling import Sampler

        return Sampler.open(self.settings.run_folder)

    @cached_property
    def writer(self) -> CandidateWriter:
        """Writes candidates of the lengths of the site's posts, or of those it was made for."""
        sampler, sampling, corpus = self.sampler, self.settings.sampling, self.corpus
        heads = HeadWriter(sampler, sampling, corpus.keys, corpus.habit)
        lengths = self._lengths or Lengths.of(corpus.texts.values(), sampler.tokenizer, sampling.max_tokens)
        return CandidateWriter(sampler, sampling, heads, lengths)

    @cached_property
    def earlier(self) -> list[Draft]:
        """What was written before, wherever review has moved it, rejected ones too."""
        return all_drafts(self.settings)

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
            words=self._usual_words,
            held_out=self.meta.held_out_logprob if self.meta else None,
            limits=self.settings.limits,
        )

    @property
    def _usual_words(self) -> tuple[int, int]:
        """Of the site's posts; who sets a length wants shorter ones too."""
        low, high = self.corpus.habit.words
        return (low if self.settings.sampling.max_tokens is None else 0), high

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

    def _context_for(self, request: DraftRequest) -> Context:
        """A title that a person gave is not compared with others: they know what they want."""
        return dataclasses.replace(self.context, titles=()) if request.title else self.context

    def wrote(self, path: Path, draft: Draft) -> None:
        """Take a new draft into account: the next one must not be like it."""
        self.earlier.append(dataclasses.replace(draft, path=path))
        self.__dict__.pop("context", None)

    def draft(
        self,
        request: DraftRequest,
        moment: datetime,
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> Result:
        """Sample, judge and pick until a candidate passes every check.

        Raises:
            RejectedError: none did in `attempts` rounds; its report is the table of all.
        """
        cards: list[Scorecard] = []
        unparsed: list[str] = []
        for attempt in range(self.settings.attempts):
            candidates = self._candidates(request, attempt, unparsed, progress)
            cards += judge(candidates, self._context_for(request))
            best = pick(cards)
            if best is not None:
                return self._result(request, moment, best, cards, unparsed)
        raise RejectedError(
            f"all {len(cards) + len(unparsed)} candidates were rejected and nothing was written",
            report="\n".join([*(f"seed {card.candidate.seed}: {card.verdict}" for card in cards), *unparsed]),
            fix="Loosen `blog_gen.limits`, raise `candidates`, or train on more posts",
        )

    def _candidates(
        self, request: DraftRequest, attempt: int, unparsed: list[str], progress: Callable[[int, int], None]
    ) -> list[Candidate]:
        seeds = request.seeds(attempt, self.settings.candidates)
        return self.writer.write(
            Post(request.title or "", "", request.tags, request.category), seeds, unparsed, progress
        )

    def _result(
        self,
        request: DraftRequest,
        moment: datetime,
        best: Scorecard,
        cards: list[Scorecard],
        unparsed: list[str],
    ) -> Result:
        safe, body = self._finished(best)
        draft = Draft(
            title=best.candidate.title,
            body=body,
            date=moment,
            tags=request.tags or best.candidate.tags,
            category=request.category or best.candidate.category,
            provenance=self._provenance(request, best),
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

    def judged(self, request: DraftRequest) -> list[Scorecard]:
        """The first round of candidates, with what was found of each."""
        candidates = self._candidates(request, 0, [], lambda done, total: None)
        return judge(candidates, self._context_for(request))

    def body_again(self, request: DraftRequest) -> str | None:
        """The body that the request's own seed gives, unjudged; None where it is no post any more."""
        cards = self.judged(request)
        return self._finished(cards[0])[1] if cards else None

    def _provenance(self, request: DraftRequest, best: Scorecard) -> Mapping[str, Any]:
        """What `reproduce` needs, and what a reader may want to know."""
        asked = {"title": request.title, "category": request.category, "tags": list(request.tags) or None}
        return {
            "version": __version__,
            "day": request.day.isoformat(),
            "model": self._base,
            "weights": self.sampler.weights_sha256,
            "articles": self.corpus.sha256,
            "seed": best.candidate.seed,
            **dataclasses.asdict(self.settings.sampling),
            "length": dataclasses.asdict(self.writer.lengths),
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
