"""Drawing text from a model folder: many requests through one cached network. Never imports TensorFlow.

Each request has its own seed, and what it yields depends on nothing but itself, the settings and the weights.
Knows tokens and text, nothing of blogs.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from blog_gen.config.settings import SamplingSettings
from blog_gen.errors import ModelError, SamplingError
from blog_gen.files import sha256_of
from blog_gen.model.arrays import Array
from blog_gen.model.bpe import Tokenizer
from blog_gen.model.integrity import require_whole, weights_file
from blog_gen.model.sampling import decoding
from blog_gen.model.sampling.batch import Batch, Request, Row
from blog_gen.model.sampling.cached_network import CachedNetwork
from blog_gen.model.sampling.characters import WholeCharacters, load_characters
from blog_gen.model.sampling.processors import Processor
from blog_gen.model.sampling.sampler_file import Precision, SamplerFile
from blog_gen.model.sampling.streaming import TextStream
from blog_gen.model.sampling.vocabulary_constraint import VocabularyConstraint, load_words
from blog_gen.model.weights import MissingBaseError
from blog_gen.model.zoo import zoo

__all__ = ["MAX_ROWS", "Request", "Sample", "Sampler"]

OWN_FILE = "sampler-{}.tflite"  # in a model folder, by its precision
MAX_ROWS = 8  # texts that grow side by side (docs/sampling.md has what more would bring)


@dataclass(frozen=True)
class Sample:
    """What a request yielded: the continuation only, never with a special token in it."""

    request: Request
    tokens: tuple[int, ...]  # those that stand wholly before a stop string
    text: str  # whole characters, cut exactly where a stop string began
    ended: bool  # by the model itself
    logprobs: tuple[float, ...]  # nats, ≤ 0: at temperature 1, before any processor
    stopped_by: str | None  # the stop string that ended it


class Sampler:
    """A model ready to write."""

    def __init__(
        self,
        network: CachedNetwork,
        tokenizer: Tokenizer,
        words: set[str] | None = None,
        characters: set[str] | None = None,
    ) -> None:
        """`words`: all that may be written; `characters`: all of several tokens; None for any."""
        self.network, self._words, self._characters = network, words, characters
        self.tokenizer = tokenizer
        self.hparams = network.hparams
        self.weights_sha256 = network.file.weights

    @classmethod
    def open(cls, folder: Path, cache: Path | None = None, precision: Precision = "int8") -> Sampler:
        """Open a model folder's sampler, which is made first if there is none for these weights.

        It is kept in `folder`, or in `cache` (None: the user's) if that is read-only or the package's own.

        Raises:
            ModelError: the folder is incomplete or damaged.
        """
        network = CachedNetwork(sampler_path(folder, cache, precision))  # first: it looks for damage
        return cls(network, Tokenizer.load(folder), load_words(folder), load_characters(folder))

    def generate(
        self,
        requests: Iterable[Request],
        settings: SamplingSettings,
        *,
        stop: Sequence[str] = (),
        processors: Sequence[Processor] = (),
        rows: int = MAX_ROWS,
        on_token: Callable[[int, int, float], None] | None = None,
        on_warning: Callable[[str], None] = lambda _: None,
        cancel: Callable[[], bool] | None = None,
    ) -> Iterator[Sample]:
        """Yield each request's sample as it ends, in any order; `cancel` ends those begun, as they are.

        `processors` come before those of `settings`. `on_token` hears the request's number, a token and its
        log-probability; `on_warning` of texts longer than the context.

        Raises:
            SamplingError: a setting or a request is out of range.
        """
        chain = (*processors, *self._chain(settings))
        waiting = deque(self._row(*numbered, settings, stop) for numbered in enumerate(requests))
        batch = self._batch(rows)
        while waiting or batch.rows:
            batch.admit(waiting, on_warning)
            for row in batch.step(chain):
                if on_token and not row.ended:
                    on_token(row.number, row.history[-1], row.logprobs[-1])
            cancelled = cancel is not None and cancel()
            for row in batch.rows:
                if row.done or cancelled:
                    batch.leave(row)
                    yield self._sample(row)
            if cancelled:
                return

    def stream(
        self,
        request: Request,
        settings: SamplingSettings,
        *,
        stop: Sequence[str] = (),
        processors: Sequence[Processor] = (),
        on_warning: Callable[[str], None] = lambda _: None,
    ) -> Iterator[str]:
        """The text of one request in pieces, each as soon as it is certain; errors as of `generate`."""
        chain = (*processors, *self._chain(settings))
        row = self._row(0, request, settings, stop)
        waiting, batch, given = deque([row]), self._batch(1), 0
        while not row.done:
            batch.admit(waiting, on_warning)
            list(batch.step(chain))
            if len(row.stream.text) > given:
                yield row.stream.text[given:]
                given = len(row.stream.text)
        if rest := row.stream.close():
            yield rest

    def log_probabilities(self, tokens: Sequence[int]) -> Array:
        """Natural log-probability of each token given those before it: float32 (n,).

        The row begins with end-of-text. Beyond the context, the later half is read again, as in sampling.
        """
        context, size = [self.tokenizer.end_of_text, *tokens], self.hparams.n_ctx
        found: list[Array] = []
        begin = done = 0
        while done < len(tokens):
            end, at = min(begin + size, len(tokens)), begin
            for chunk in self.network.read(context[begin:end])[1]:
                targets = np.asarray(tokens[at : at + len(chunk.logits)])
                known = chunk.logits[np.arange(len(targets)), targets] - chunk.normaliser
                found.append(known[max(0, done - at) :])
                at += len(targets)
            done, begin = end, end + 1 - max(1, size // 2)
        return np.concatenate(found) if found else np.empty(0, np.float32)

    def _chain(self, settings: SamplingSettings) -> tuple[Processor, ...]:
        words = (self._vocabulary_constraint,) if settings.vocabulary_constraint and self._words else ()
        return (self._whole_characters, *words, *decoding.processors(settings))

    @cached_property
    def _whole_characters(self) -> WholeCharacters:
        return WholeCharacters(self.tokenizer, self._characters)

    @cached_property
    def _vocabulary_constraint(self) -> VocabularyConstraint:
        return VocabularyConstraint(self._words or set(), self.tokenizer)

    def _batch(self, rows: int) -> Batch:
        if rows < 1:
            raise SamplingError("a batch must have at least one row", got=rows)
        return Batch(self.network, rows, self.tokenizer.end_of_text, self.tokenizer.token_bytes)

    def _row(self, number: int, request: Request, settings: SamplingSettings, stop: Sequence[str]) -> Row:
        if request.max_tokens < 1:
            raise SamplingError("a text must have at least one token", got=request.max_tokens)
        if not all(0 <= token < self.hparams.n_vocab for token in request.prompt):
            raise SamplingError(f"a prompt's token ids must be from 0 to {self.hparams.n_vocab - 1}")
        if any(not text for text in stop):
            raise SamplingError("a stop string must not be empty")
        if request.seed < 0:
            raise SamplingError("a seed must be 0 or more", got=request.seed)
        window = [self.tokenizer.end_of_text, *request.prompt]
        rng = np.random.default_rng(request.seed) if settings.temperature else None
        return Row(number, request, window, TextStream(stop), rng, list(request.prompt))

    def _sample(self, row: Row) -> Sample:
        row.stream.close()
        tokens, text = row.history[len(row.request.prompt) :], row.stream.text
        if row.stream.stopped_by is not None:
            while not text.startswith(self.tokenizer.decode(tokens)):
                tokens.pop()
        logprobs = tuple(row.logprobs[: len(tokens)])
        return Sample(row.request, tuple(tokens), text, row.ended, logprobs, row.stream.stopped_by)


def sampler_path(folder: Path, cache: Path | None = None, precision: Precision = "int8") -> Path:
    """The sampler file for the folder's weights: found, or made. As `Sampler.open` says."""
    weights = weights_file(folder)
    own = folder / OWN_FILE.format(precision)
    digest = sha256_of(weights) if weights.exists() else None
    if digest is not None:
        require_whole(folder, digest)
    cache = cache or zoo.cache_folder() / "samplers"
    places = [own] + ([cache / f"{digest}-{precision}.tflite"] if digest else [])
    for path in places:
        if _fits(path, digest, precision):
            return path
    from blog_gen.model.sampling.conversion import convert

    path = places[0] if _writable(folder) and folder not in zoo.EMBEDDED.values() else places[-1]
    try:
        convert(folder, path, precision)
    except MissingBaseError as error:
        raise no_sampler(own, error) from None
    return path


def no_sampler(path: Path, error: MissingBaseError) -> MissingBaseError:
    """`error`, met where a sampler had to be made since there is none in `path`, or none that can be used."""
    is_there = "it is damaged or of another version of blog-gen" if path.exists() else "there is none"
    rule = f"the sampler of this run must be made anew ({is_there}), and {error.rule}"
    return MissingBaseError(rule, got=error.got, fix=error.fix, path=path)


def has_sampler(folder: Path) -> bool:
    """Whether the int8 sampler of its weights lies in the model's own folder."""
    weights = weights_file(folder)
    digest = sha256_of(weights) if weights.exists() else None
    return _fits(folder / OWN_FILE.format("int8"), digest, "int8")


def _writable(folder: Path) -> bool:
    return os.access(folder, os.W_OK, effective_ids=os.access in os.supports_effective_ids)


def _fits(path: Path, weights: str | None, precision: Precision) -> bool:
    """Whether `path` is a whole sampler of these weights; without the weights its own word is taken."""
    try:
        found = SamplerFile.open(path)
    except ModelError:
        return False
    return found.precision == precision and weights in (None, found.weights)
