"""A generated post as it would be written, before anything was decided about it.

Knows nothing of files, models or limits.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Candidate:
    """One sampled post."""

    title: str
    body: str  # final: trimmed if it was cut off, and safe to build
    tags: tuple[str, ...]
    category: str | None
    ended: bool  # by the end-of-text id, not cut at the length limit
    seed: int
    tokens: int
    logprob: float  # mean log-probability a token under the model at temperature 1: nats, ≤ 0
