"""From a trained run to one draft: candidates are sampled, parsed, judged; the best becomes a post.

Joins the blog side and the model side. Imports LiteRT through the sampler only, and never imports TensorFlow.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from blog_gen import runs
from blog_gen.config.base_defaults import sampling_of
from blog_gen.config.settings import SamplingSettings, Settings
from blog_gen.corpus import Corpus
from blog_gen.drafting import disclosure
from blog_gen.drafting.candidates import CandidateWriter, FinalText, Lengths
from blog_gen.drafting.facts import site_facts
from blog_gen.drafting.heads import HeadWriter
from blog_gen.drafting.provenance import Provenance
from blog_gen.drafting.request import DraftRequest, site_identity
from blog_gen.errors import RejectedError
from blog_gen.judge import Context, Scorecard, judge, pick
from blog_gen.judge.calibration import OwnLimits
from blog_gen.judge.completeness import usual_words
from blog_gen.judge.trimming import most_end_whole
from blog_gen.site.composing import Draft
from blog_gen.site.drafts import all_drafts
from blog_gen.text.post import Post
from blog_gen.text.safety.facts import Finding, SiteFacts
from blog_gen.text.writable import opens_with

if TYPE_CHECKING:
    from blog_gen.drafting.parts import Sampled
    from blog_gen.model.sampling.sampling import Sampler

INDEX_FILE = "novelty.npz"


@dataclass(frozen=True)
class Result:
    """The draft that was chosen, all scorecards, and what was changed to make it safe to build."""

    draft: Draft
    cards: list[Scorecard]
    findings: tuple[Finding, ...]
    scores: Mapping[str, float]  # of the chosen one
    unparsed: Mapping[int, str]  # why there is no post, by seed


class Drafter:
    """What it takes to write drafts for a site, loaded once: the sampler, the index, the site's facts."""

    def __init__(
        self,
        settings: Settings,
        corpus: Corpus,
        lengths: Lengths | None = None,
        sampling: SamplingSettings | None = None,
    ) -> None:
        """`lengths`: None for those of the site's posts; `sampling`: None for the settings'."""
        self.settings, self.corpus, self._lengths = settings, corpus, lengths
        self.meta = runs.read_meta(settings.run_folder)
        self.sampled: Sampled | None = None  # candidates that are there already
        self.sampling = sampling or sampling_of(settings, self.meta.sampling if self.meta else {})

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
        sampler, sampling, corpus = self.sampler, self.sampling, self.corpus
        heads = HeadWriter(sampler, sampling, corpus.keys, corpus.habit, self.facts)
        lengths = self._lengths or Lengths.of(
            corpus.texts.values(), sampler.tokenizer, sampling.max_tokens, self._draft_words
        )
        posts, half = corpus.articles, len(corpus.articles) / 2
        whole_ends = most_end_whole([post.body for post in posts])
        title_first = sum(opens_with(post.title, post.body) for post in posts) >= half
        return CandidateWriter(sampler, sampling, heads, lengths, self.facts, whole_ends, title_first)

    @cached_property
    def earlier(self) -> list[Draft]:
        """What was written before, wherever review has moved it, rejected ones too."""
        return all_drafts(self.settings)

    @cached_property
    def context(self) -> Context:
        """Its index over articles and drafts is kept in the state folder, renewed when they change.

        The line under every draft that says how it was made is no text that could be copied.
        """
        from blog_gen.judge.index_file import kept_index

        documents = [(article.path.as_posix(), article.body) for article in self.corpus.articles]
        titles = [(article.path.as_posix(), article.title) for article in self.corpus.articles]
        for draft in self.earlier:
            if draft.path is not None:
                documents.append((draft.path.name, disclosure.without(draft, self.settings)))
                titles.append((draft.path.name, draft.title))
        return Context(
            index=kept_index(self.settings.state_folder / INDEX_FILE, documents),
            titles=titles,
            words=self._shortened(usual_words(article.body for article in self.corpus.articles)),
            length=self._length,
            held_out=self.meta.held_out_logprob if self.meta else None,
            limits=self.own_limits.over(self.settings.limits, self.settings.chosen_limits),
            own=self.own_limits.names(self.settings.limits, self.settings.chosen_limits),
        )

    @cached_property
    def own_limits(self) -> OwnLimits:
        """The blog's own limits of the judge, as they were when the run learned; none in an older run."""
        return OwnLimits.of(self.meta.own_limits if self.meta else {})

    @property
    def _length(self) -> tuple[int, int] | None:
        length = self.own_limits.length
        return (
            self._shortened(length) if length and "length_slack" not in self.settings.chosen_limits else None
        )

    def _shortened(self, words: tuple[int, int]) -> tuple[int, int]:
        """A person who sets a length wants shorter posts; a small base loses the thread in longer ones."""
        low, high = words
        if self.settings.sampling.max_tokens is not None:
            return 0, high
        return low if self._draft_words is None else min(low, self._draft_words // 3), high

    @property
    def _draft_words(self) -> int | None:
        return self.meta.draft_words if self.meta else None

    @cached_property
    def facts(self) -> SiteFacts:
        return site_facts(self.corpus.articles, self.settings)

    def remember(self, path: Path, draft: Draft) -> None:
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
        findings: dict[int, tuple[Finding, ...]] = {}
        unparsed: dict[int, str] = {}
        for attempt in range(self.settings.attempts):
            texts = self._final_texts(request, attempt, unparsed, progress)
            findings |= {text.candidate.seed: text.findings for text in texts}
            cards += self._judge(request, texts)
            best = pick(cards)
            if best is not None:
                found = findings[best.candidate.seed]
                draft = self._draft(request, moment, best, found)
                return Result(draft, cards, found, best.to_dict(), unparsed)
        tried = len(cards) + len(unparsed)
        all_were = "the one candidate was" if tried == 1 else f"all {tried} candidates were"
        verdicts = [(card.candidate.seed, card.verdict) for card in cards]
        raise RejectedError(
            f"{all_were} rejected and nothing was written",
            report="\n".join(f"seed {seed}: {verdict}" for seed, verdict in [*verdicts, *unparsed.items()]),
            fix="Loosen `blog_gen.limits`, raise `candidates`, or train on more posts",
        )

    def seeds(self, request: DraftRequest, attempt: int) -> list[int]:
        """Of the candidates that are sampled in a round."""
        return request.seeds(attempt, self.settings.candidates, site_identity(self.settings))

    def _final_texts(
        self,
        request: DraftRequest,
        attempt: int,
        unparsed: dict[int, str],
        progress: Callable[[int, int], None],
    ) -> list[FinalText]:
        seeds = self.seeds(request, attempt)
        found = self.sampled.of(seeds, unparsed) if self.sampled else None
        if found is not None:
            return found
        progress(0, len(seeds))  # the sampler may have to be made first
        return self.writer.write(
            Post(request.title or "", "", request.tags, request.category), seeds, unparsed, progress
        )

    def _judge(self, request: DraftRequest, texts: Sequence[FinalText]) -> list[Scorecard]:
        """A title that a person gave is not compared with others: they know what they want."""
        context = dataclasses.replace(self.context, titles=()) if request.title else self.context
        return judge([text.candidate for text in texts], context)

    def judged(self, request: DraftRequest) -> list[Scorecard]:
        """The first round of candidates, with what was found of each."""
        return self._judge(request, self._final_texts(request, 0, {}, lambda done, total: None))

    def body_again(self, request: DraftRequest) -> str | None:
        """The body that the request's own seed gives, unjudged; None where it is no post any more."""
        texts = self._final_texts(request, 0, {}, lambda done, total: None)
        return texts[0].candidate.body if texts else None

    def _draft(
        self, request: DraftRequest, moment: datetime, best: Scorecard, found: Sequence[Finding]
    ) -> Draft:
        """The chosen text as a post, under which stands how it was made."""
        return Draft(
            title=best.candidate.title,
            body=disclosure.added_to(best.candidate.body, self._base, self.settings, self.corpus.language),
            date=moment,
            tags=request.tags or best.candidate.tags,
            category=request.category or best.candidate.category,
            provenance=self._provenance(request, best),
            published=self.settings.review == "auto" and not _needs_a_human(found),
        )

    def _provenance(self, request: DraftRequest, best: Scorecard) -> Mapping[str, Any]:
        return Provenance(
            model=self._base,
            weights=self.sampler.weights_sha256,
            seed=best.candidate.seed,
            day=request.day,
            sampling=self.sampling,
            length=dataclasses.astuple(self.writer.lengths),
            title=request.title,
            category=request.category,
            tags=request.tags,
        ).to_mapping()


def _needs_a_human(findings: Sequence[Finding]) -> bool:
    """Whether the text holds what only looks harmful: such a post is never published unread."""
    return any(finding.kind in ("secret", "email", "telephone") for finding in findings)
