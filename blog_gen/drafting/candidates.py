"""Candidates: for each seed a head and a body are sampled, parsed, trimmed and made safe to build.

What comes out is final: what is judged is what is written. Joins the sampler and the post text. Has never
heard of limits, of files or of days.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from blog_gen.config.settings import SamplingSettings
from blog_gen.drafting.heads import HeadWriter, known
from blog_gen.errors import DraftError
from blog_gen.judge import Candidate, trimmed
from blog_gen.judge.completeness import words_in
from blog_gen.judge.trimming import whole
from blog_gen.text.leftovers import without_leftovers
from blog_gen.text.post import Post, PostFormatError, parse
from blog_gen.text.safety.facts import Finding, SiteFacts
from blog_gen.text.safety.safe import make_safe
from blog_gen.text.writable import opened_with

if TYPE_CHECKING:
    from blog_gen.model.bpe import Tokenizer
    from blog_gen.model.sampling.sampling import Sample, Sampler


@dataclass(frozen=True)
class Lengths:
    """In tokens: where a text, head and body, may end and where it is helped to; and a body's most."""

    least: int
    usual: int
    most: int

    @classmethod
    def of(
        cls,
        texts: Iterable[str],
        tokenizer: Tokenizer,
        max_tokens: int | None = None,
        draft_words: int | None = None,
    ) -> Lengths:
        """5th and 50th percentile of `texts`; the 95th and a quarter more, or what a person set.

        Args:
            draft_words: what the base can carry, if less; in tokens by what a word of `texts` has.
        """
        counted = [(len(tokenizer.encode(text)), words_in(text)) for text in texts]
        lengths = sorted(tokens for tokens, _ in counted)
        low, middle, high = (lengths[int(share * (len(lengths) - 1))] for share in (0.05, 0.5, 0.95))
        if max_tokens is not None:
            return cls(0, middle, max_tokens)
        of_posts = cls(low, middle, high * 5 // 4)
        if draft_words is None:
            return of_posts
        return of_posts.within(draft_words * sum(lengths) // max(1, sum(words for _, words in counted)))

    def within(self, most: int) -> Lengths:
        """No body of more than `most` tokens, and from two thirds of them on it is helped to its end."""
        return Lengths(min(self.least, most // 3), min(self.usual, most * 2 // 3), min(self.most, most))


@dataclass(frozen=True)
class FinalText:
    """A candidate exactly as it would be written, and what was changed in it to make it safe to build."""

    candidate: Candidate
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class CandidateWriter:
    """Writes candidates with one sampler."""

    sampler: Sampler
    settings: SamplingSettings
    heads: HeadWriter
    lengths: Lengths
    facts: SiteFacts
    whole_ends: bool = False  # whether the site's posts end with a whole sentence
    title_first: bool = False  # whether they open with their title as a heading

    def write(
        self,
        request: Post,
        seeds: Sequence[int],
        unparsed: dict[int, str],
        progress: Callable[[int, int], None],
    ) -> list[FinalText]:
        """One for each seed, in their order, of what `request` says; why there is none goes to `unparsed`."""
        begun = self.heads.beginnings(request, seeds)
        unparsed |= {seed: "it has no title" for seed in seeds if seed not in begun}
        samples = []
        for done, sample in enumerate(self._bodies(begun), 1):
            samples.append(sample)
            progress(done, len(begun))
        texts = []
        for sample in samples:  # only now: scoring takes the cache from texts that still grow
            seed = sample.request.seed
            try:
                texts.append(self._final(begun[seed], sample))
            except (PostFormatError, DraftError) as reason:
                unparsed[seed] = f"not a post: {reason}"
        place = {seed: at for at, seed in enumerate(seeds)}
        return sorted(texts, key=lambda text: place[text.candidate.seed])

    def _bodies(self, begun: Mapping[int, str]) -> Iterator[Sample]:
        from blog_gen.model.sampling.processors import Length
        from blog_gen.model.sampling.sampling import Request

        tokenizer, lengths = self.sampler.tokenizer, self.lengths
        requests = [
            Request(tuple(tokenizer.encode(text)), seed, lengths.most) for seed, text in begun.items()
        ]
        ending = Length(tokenizer.end_of_text, lengths.least, lengths.usual)
        return self.sampler.generate(requests, self.settings, processors=(ending,))

    def _final(self, head: str, sample: Sample) -> FinalText:
        """Parse, trim what was cut off, make it safe.

        Raises:
            PostFormatError: it is no post, or nothing of it is left.
            DraftError: it cannot be made safe.
        """
        sampled = parse(head + sample.text)
        body = whole(sampled.body, self.whole_ends) if sample.ended else trimmed(sampled.body)
        if self.title_first and body:
            body = opened_with(sampled.title, body)
        safe = make_safe(without_leftovers(body, self.facts), self.facts)
        if not safe.body:
            raise PostFormatError("no whole sentence is left of the body")
        final = whole(safe.body, self.whole_ends)  # a sentence may have ended with what was taken out
        post = replace(sampled, body=make_safe(final, self.facts).body if final != safe.body else final)
        logprobs = sample.logprobs if post == sampled else self._logprobs(head, post.body)
        return FinalText(self._candidate(post, sample, logprobs), safe.findings)

    def _logprobs(self, head: str, body: str) -> Sequence[float]:
        """Of each token of a `body` that is not as it was sampled: natural logarithms, at temperature 1."""
        start, ids = (self.sampler.tokenizer.encode(text) for text in (head, body))
        found: list[float] = self.sampler.log_probabilities([*start, *ids])[len(start) :].tolist()
        return found

    def _candidate(self, post: Post, sample: Sample, logprobs: Sequence[float]) -> Candidate:
        habit = self.heads.habit
        return Candidate(
            title=post.title,
            body=post.body,
            tags=known(post.tags, habit.tags),
            category=next(iter(known((post.category or "",), habit.categories)), None),
            ended=sample.ended,
            seed=sample.request.seed,
            tokens=len(logprobs),
            logprob=sum(logprobs) / max(1, len(logprobs)),
        )
