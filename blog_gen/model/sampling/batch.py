"""Rows that grow side by side through one cached network: who sits where, and when the cache must follow.

A row is one request while it grows. It leaves its seat when it ends, and a waiting row takes it. What a row
yields depends on its own request alone. Knows token ids and text, nothing of files.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from blog_gen.model.sampling.cached_network import CachedNetwork
from blog_gen.model.sampling.decoding import next_tokens
from blog_gen.model.sampling.processors import Processor
from blog_gen.model.sampling.streaming import TextStream


@dataclass(frozen=True)
class Request:
    """One text to be drawn. `prompt` comes without the end-of-text id that begins every row."""

    prompt: tuple[int, ...]
    seed: int
    max_tokens: int


@dataclass(eq=False)
class Row:
    """A request while it grows."""

    number: int  # of the request, in the order they came
    request: Request
    window: list[int]  # what the network sees: end-of-text, prompt and continuation, or their later part
    stream: TextStream
    rng: np.random.Generator | None  # None: greedy
    history: list[int] = field(default_factory=list)  # prompt and continuation
    logprobs: list[float] = field(default_factory=list)
    ended: bool = False  # by the model itself
    slid: bool = False  # has outgrown the context

    @property
    def done(self) -> bool:
        full = len(self.logprobs) >= self.request.max_tokens
        return self.ended or full or self.stream.stopped_by is not None

    def push(self, token: int, logprob: float, piece: bytes) -> None:
        """Grow by a token, whose bytes are `piece`."""
        self.window.append(token)
        self.history.append(token)
        self.logprobs.append(logprob)
        self.stream.push(piece)

    def slide(self, size: int) -> bool:
        """Keep only the later half of a context of `size` tokens, if the window has outgrown it."""
        if len(self.window) <= size:
            return False
        self.window = self.window[-max(1, size // 2) :]
        self.slid = True
        return True


class Batch:
    """At most `limit` rows in the seats of one network."""

    def __init__(self, network: CachedNetwork, limit: int, end_of_text: int, pieces: Sequence[bytes]) -> None:
        self._network, self._limit = network, limit
        self._end_of_text, self._pieces = end_of_text, pieces
        self.seats: list[Row | None] = []

    @property
    def rows(self) -> list[Row]:
        return [row for row in self.seats if row is not None]

    def admit(self, waiting: deque[Row], on_warning: Callable[[str], None]) -> None:
        """Seat waiting rows, take away seats that stay empty, and see that the cache fits every row."""
        size, plan = self._network.hparams.n_ctx, self._plan(waiting)
        rows = [row for row in plan if row is not None]
        first = [row for row in rows if not row.slid and len(row.window) > size]
        reread = {row for row in rows if row.slide(size)}
        for outgrown in first:
            on_warning(f"text {outgrown.number} outgrows {size} tokens: the model sees only what came last")
        longest = max(len(row.window) for row in rows)
        if plan == self.seats and not reread and longest <= self._network.slots:
            return
        places: list[int | tuple[int, ...]] = []
        for seat in plan:
            stays = seat in self.seats and seat not in reread
            places.append(self.seats.index(seat) if stays else tuple(seat.window[:-1]) if seat else ())
        self._network.arrange(places, longest)
        self.seats = plan

    def _plan(self, waiting: deque[Row]) -> list[Row | None]:
        room = min(self._limit, len(self.rows) + len(waiting))
        # Moving the cache costs some steps, so seats are only taken away by the half.
        seats = self.seats if 2 * room > len(self.seats) else list(self.rows)
        seats = seats + [None] * (room - len(seats))
        return [row or (waiting.popleft() if waiting else None) for row in seats]

    def step(self, chain: Sequence[Processor]) -> Iterator[Row]:
        """Grow every seated row by one token, and yield it."""
        tokens = [row.window[-1] if row else self._end_of_text for row in self.seats]
        positions = [len(row.window) - 1 if row else 0 for row in self.seats]
        prediction = self._network.step(tokens, positions)
        rows, seated = self.rows, [seat for seat, row in enumerate(self.seats) if row]
        logits = prediction.logits if len(rows) == len(self.seats) else prediction.logits[seated]
        rngs = [row.rng for row in rows if row.rng] or None
        chosen = next_tokens(logits, [row.history for row in rows], chain, rngs)
        logprobs = logits[range(len(rows)), chosen] - prediction.normaliser[seated]
        for row, token, logprob in zip(rows, chosen, logprobs.tolist(), strict=True):
            if token == self._end_of_text:
                row.ended = True
            else:
                row.push(token, logprob, self._pieces[token])
            yield row

    def leave(self, row: Row) -> None:
        self.seats[self.seats.index(row)] = None
