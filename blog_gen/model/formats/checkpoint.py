"""A checkpoint of any format, seen alike: five numbers, a vocabulary, and tensors read one at a time.

Knows the published names and shapes, not how a format keeps them. Nothing here ever holds more than one
tensor, so that a model larger than the memory can be converted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from blog_gen.errors import ModelError
from blog_gen.model.arrays import Array
from blog_gen.model.bpe import Tokenizer
from blog_gen.model.hparams import HParams
from blog_gen.model.tensor_file import DamagedError, Stored

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
LISTED_FAULTS = 40  # of a checkpoint of some other network, the rest of hundreds is only counted


@dataclass(frozen=True)
class Checkpoint:
    """What every format is opened as and written from."""

    path: Path
    format: str
    hparams: HParams
    encoder: bytes  # encoder.json
    merges: bytes  # vocab.bpe
    tensors: Mapping[str, Stored]  # by published name, less `model/`
    meta: Mapping[str, Any] = field(default_factory=dict)  # what is known of its making
    words: bytes | None = None  # words.txt, if the model keeps to a vocabulary constraint
    notes: tuple[tuple[str, str], ...] = ()  # what is not GPT-2's, and what was done about it

    def __post_init__(self) -> None:
        """Without byte-order marks: no file that is written gets one."""
        object.__setattr__(self, "encoder", self.encoder.removeprefix(BYTE_ORDER_MARK))
        object.__setattr__(self, "merges", self.merges.removeprefix(BYTE_ORDER_MARK))

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """The tokenizer of its vocabulary.

        Raises:
            ModelError: the two files contradict each other.
        """
        return Tokenizer.parse(self.encoder, self.merges, self.path, self.hparams.split_digits)

    def with_rows(self, rows: Sequence[int]) -> Checkpoint:
        """With only these rows of the embedding and of an output head: those of tokens in the vocabulary."""
        tables = {name: self.tensors[name] for name in ("wte", "head") if name in self.tensors}
        if any(len(table.shape) != 2 or max(rows) >= table.shape[0] for table in tables.values()):
            return self  # which is a fault, and will be said
        kept = {name: _rows_of(table, rows) for name, table in tables.items()}
        return replace(
            self, hparams=replace(self.hparams, n_vocab=len(rows)), tensors={**self.tensors, **kept}
        )

    def dtypes(self) -> dict[str, str]:
        """The dtype of every tensor, in the published order.

        Raises:
            ModelError: names or shapes do not fit; all that is wrong is listed, values included.
        """
        if self.faults():
            for _ in self.verified():
                pass
        return {name: self.tensors[name].dtype for name in self.hparams.shapes()}

    def faults(self) -> list[str]:
        """What can be seen without reading a tensor: names, shapes, and the size of the vocabulary."""
        faults = self.hparams.faults({name: tensor.shape for name, tensor in self.tensors.items()})
        if self.tokenizer.n_vocab != self.hparams.n_vocab:
            faults.append(f"the vocabulary has {self.tokenizer.n_vocab} tokens, not {self.hparams.n_vocab}")
        return faults

    def verified(self) -> Iterator[tuple[str, Array]]:
        """Each tensor in the published order, checked; write what comes out where a failure undoes it.

        Raises:
            ModelError: at the end, for all that is missing, extra, mis-shaped, damaged or not finite.
        """
        faults = self.faults()
        for name in self.hparams.shapes():
            if name not in self.tensors:
                continue
            try:
                value = self.tensors[name].read()
            except DamagedError as damage:
                faults.append(f"{name} is damaged ({damage})")
                continue
            if not np.isfinite(value).all():
                faults.append(f"{name} is not finite")
            if not faults:
                yield name, value
        if faults:
            more = [f"and {len(faults) - LISTED_FAULTS} more"] if len(faults) > LISTED_FAULTS else []
            got = "; ".join(faults[:LISTED_FAULTS] + more)
            raise ModelError("the checkpoint must be a complete GPT-2", got=got, path=self.path)


def _rows_of(table: Stored, rows: Sequence[int]) -> Stored:
    if tuple(rows) == tuple(range(table.shape[0])):
        return table
    return Stored((len(rows), table.shape[1]), table.dtype, lambda: table.read()[list(rows)])
