"""The sampler file's own words: what it was converted from, and the tables the host looks tokens up in.

A sampler file is a LiteRT model with a trailer: one JSON object, then its length in eight bytes. The object
holds the SHA-256 of all that stands before it, so that a damaged file is recognised, and that of the weights
it was converted from, so that a foreign one is. Knows nothing of running the graph.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np

from blog_gen.errors import ModelError
from blog_gen.files import parse_json
from blog_gen.model.arrays import Array
from blog_gen.model.hparams import HParams

Precision = Literal["int8", "float32"]
_BROKEN = (OSError, ValueError, TypeError, KeyError, OverflowError)  # what reading no trailer raises
FORMAT = 3  # of the graph and its trailer; a file of another format is made anew


@dataclass(frozen=True)
class SamplerFile:
    """What the trailer says."""

    path: Path
    format: int
    precision: Precision
    weights: str  # SHA-256 of the weights file it was converted from
    hparams: HParams
    tables: dict[str, int]  # byte offsets of wte, wte/scales and wte/channels (int8) and wpe
    digest: str  # SHA-256 of everything before the trailer

    @classmethod
    def open(cls, path: Path) -> SamplerFile:
        """Read the trailer and check the file against it.

        Raises:
            ModelError: there is no such file, it is damaged, or of another format.
        """
        try:
            about, length = _trailer(path)
            about["hparams"] = HParams(**about["hparams"])
            found = cls(path, **about)
        except _BROKEN as error:
            raise ModelError("a sampler file must be complete", got=error, path=path) from None
        if found.format != FORMAT or found.digest != _digest(path, length):
            raise ModelError("a sampler file must be complete and of this version's format", path=path)
        return found

    def trailer(self) -> bytes:
        about = {key: value for key, value in dataclasses.asdict(self).items() if key != "path"}
        about["hparams"] = self.hparams.values()
        text = json.dumps(about).encode()
        return text + len(text).to_bytes(8, "little")

    def embed(self, tokens: Array, positions: Array) -> Array:
        """Token embeddings, with learned positions added: (M,), (M,) -> float32 (M, C)."""
        rows = self._table("wte")[tokens]
        if self.precision == "int8":
            rows = rows * self._table("wte/scales")[tokens, None]
        if "wte/channels" in self.tables:
            rows = rows * self._table("wte/channels")
        if self.hparams.positions == "learned":
            rows = rows + self._table("wpe")[positions]
        total: Array = rows
        return total

    def rotation(self, positions: Array) -> tuple[Array, Array]:
        """Cosines and sines (M, D) by which the graph turns queries and keys, the first sines negative.

        Source: Su et al. 2021, section 3.2.2; `network.rotation_of` has the same.
        """
        frequencies = np.array(self.hparams.rotary_frequencies, np.float32)
        angles = np.asarray(positions, np.float32)[:, None] * frequencies
        cosine, sine = np.cos(angles), np.sin(angles)
        return np.concatenate([cosine, cosine], axis=1), np.concatenate([-sine, sine], axis=1)

    def _table(self, name: str) -> Array:
        hp = self.hparams
        shapes = {"wte": (hp.n_vocab, hp.n_embd), "wte/scales": (hp.n_vocab,), "wpe": (hp.n_ctx, hp.n_embd)}
        shapes["wte/channels"] = (hp.n_embd,)
        quantised = name == "wte" and self.precision == "int8"
        return _mapped(
            self.path, self.digest, "int8" if quantised else "float32", self.tables[name], shapes[name]
        )


def is_whole(path: Path) -> bool:
    """Whether a file is as some version of blog-gen wrote it, in whatever format."""
    try:
        about, length = _trailer(path)
        return bool(about["digest"] == _digest(path, length))
    except _BROKEN:
        return False


def _trailer(path: Path) -> tuple[dict[str, Any], int]:
    """The trailer, and how many bytes stand before it."""
    with path.open("rb") as file:
        end = file.seek(-8, 2)
        length = int.from_bytes(file.read(8), "little")
        file.seek(end - length)
        return parse_json(file.read(length)), end - length


@lru_cache(16)
def _mapped(path: Path, digest: str, dtype: str, offset: int, shape: tuple[int, ...]) -> Array:
    """`digest` tells a file from another one that took its place: trained again, or another model."""
    return np.asarray(np.memmap(path, dtype, "r", offset, shape))  # plain arrays are looked up faster


def _digest(path: Path, length: int) -> str:
    """SHA-256 of the first `length` bytes."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while length > 0 and (piece := file.read(min(length, 1 << 20))):
            digest.update(piece)
            length -= len(piece)
    return digest.hexdigest()
