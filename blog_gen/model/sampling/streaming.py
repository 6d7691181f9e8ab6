"""Bytes of tokens into text, piece by piece: whole characters only, and never a part of a stop string."""

from __future__ import annotations

import codecs
from collections.abc import Sequence


class TextStream:
    """Feed it each token's bytes; it gives the text that is certain by now.

    >>> stream = TextStream(["STOP"])
    >>> [stream.push(piece) for piece in (b"caf\\xc3", b"\\xa9 S", b"et ST", b"OP and on")]
    ['caf', 'é ', 'Set ', '']
    >>> stream.stopped_by, stream.close()
    ('STOP', '')
    """

    def __init__(self, stop: Sequence[str] = ()) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._stop = tuple(stop)
        self._held = ""  # may yet turn out to begin a stop string
        self.text = ""  # all that was given out
        self.stopped_by: str | None = None

    def push(self, piece: bytes) -> str:
        """The text that `piece` makes certain; nothing after a stop string."""
        if self.stopped_by is not None:
            return ""
        self._held += self._decoder.decode(piece)
        found = [(self._held.find(stop), stop) for stop in self._stop if stop in self._held]
        if found:
            at, self.stopped_by = min(found)
            return self._give(at)
        return self._give(len(self._held) - self._uncertain())

    def close(self) -> str:
        """What was held back, when no more is to come; a character cut in two is dropped."""
        return self._give(len(self._held)) if self.stopped_by is None else ""

    def _give(self, length: int) -> str:
        given, self._held = self._held[:length], self._held[length:]
        self.text += given
        return given

    def _uncertain(self) -> int:
        """Length of the longest end of the held text that begins a stop string."""
        longest = max((len(stop) - 1 for stop in self._stop), default=0)
        for length in range(min(longest, len(self._held)), 0, -1):
            if any(stop.startswith(self._held[-length:]) for stop in self._stop):
                return length
        return 0
