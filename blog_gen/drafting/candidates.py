"""Candidates: for each seed a head, then a body that ends where it would best, parsed into what is judged.

Joins the sampler and the post text. Has never heard of judging, of files or of days.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from blog_gen.config.settings import SamplingSettings
from blog_gen.drafting.heads import HeadWriter, known
from blog_gen.judge import Candidate
from blog_gen.text.post import Post, PostFormatError, parse

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
    def of(cls, texts: Iterable[str], tokenizer: Tokenizer, max_tokens: int | None = None) -> Lengths:
        """5th and 50th percentile of `texts`; the 95th and a quarter more, or what a person set."""
        lengths = sorted(len(tokenizer.encode(text)) for text in texts)
        low, middle, high = (lengths[int(share * (len(lengths) - 1))] for share in (0.05, 0.5, 0.95))
        return cls(low, middle, high * 5 // 4) if max_tokens is None else cls(0, middle, max_tokens)


@dataclass(frozen=True)
class CandidateWriter:
    """Writes candidates with one sampler."""

    sampler: Sampler
    settings: SamplingSettings
    heads: HeadWriter
    lengths: Lengths

    def write(
        self, request: Post, seeds: Sequence[int], unparsed: list[str], progress: Callable[[int, int], None]
    ) -> list[Candidate]:
        """One for each seed, in their order, of what `request` says; why there is none goes to `unparsed`."""
        begun = self.heads.beginnings(request, seeds)
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

    def _bodies(self, begun: Mapping[int, str]) -> Iterator[Sample]:
        from blog_gen.model.sampling.decoding import Length
        from blog_gen.model.sampling.sampling import Request

        tokenizer, lengths = self.sampler.tokenizer, self.lengths
        requests = [
            Request(tuple(tokenizer.encode(text)), seed, lengths.most) for seed, text in begun.items()
        ]
        ending = Length(tokenizer.end_of_text, lengths.least, lengths.usual)
        return self.sampler.generate(requests, self.settings, processors=(ending,))

    def _candidate(self, post: Post, sample: Sample) -> Candidate:
        habit = self.heads.habit
        return Candidate(
            title=post.title,
            body=post.body,
            tags=known(post.tags, habit.tags),
            category=next(iter(known((post.category or "",), habit.categories)), None),
            ended=sample.ended,
            seed=sample.request.seed,
            tokens=len(sample.tokens),
            logprob=sum(sample.logprobs) / max(1, len(sample.logprobs)),
        )
