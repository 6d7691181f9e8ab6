"""Byte-level BPE: text to token ids and back, from a model folder's `encoder.json` and `vocab.bpe`.

tiktoken does the work; this module only reads OpenAI's two files and keeps end-of-text apart: `encode`
never yields it, whatever the text says, and `decode` never shows it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path

import tiktoken

from blog_gen.errors import CorpusError, ModelError
from blog_gen.files import parse_json
from blog_gen.model.hparams import HParams

END_OF_TEXT = "<|endoftext|>"
# openai/gpt-2 src/encoder.py: contractions, words, numbers, other runs, white space.
SPLIT_PATTERN = r"""'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"""
# The same with every digit by itself, as SmolLM2 has it.
SPLIT_DIGITS_PATTERN = (
    r"""'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+|\s+(?=\p{N})|\s+(?!\S)|\s+"""
)


def printable_bytes() -> dict[str, int]:
    """OpenAI's printable stand-in for each of the 256 bytes, and the byte it stands for.

    >>> printable_bytes()["Ġ"], printable_bytes()["a"]
    (32, 97)
    """
    plain = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [byte for byte in range(256) if byte not in plain]
    return {chr(byte): byte for byte in plain} | {chr(256 + n): byte for n, byte in enumerate(others)}


class Tokenizer:
    """A byte-level tokenizer with the vocabulary of one model folder."""

    def __init__(self, ranks: dict[bytes, int], end_of_text: int, split_digits: bool = False) -> None:
        self._encoding = tiktoken.Encoding(
            "blog_gen",
            pat_str=SPLIT_DIGITS_PATTERN if split_digits else SPLIT_PATTERN,
            mergeable_ranks=ranks,
            special_tokens={END_OF_TEXT: end_of_text},
        )
        self.end_of_text = end_of_text
        self.n_vocab = len(ranks) + 1
        lacking = bytes(byte for byte in range(256) if bytes([byte]) not in ranks)
        self._lacking = re.compile(b"[" + re.escape(lacking) + b"]") if lacking else None

    @classmethod
    def load(cls, folder: Path) -> Tokenizer:
        """Read `encoder.json` and `vocab.bpe`, and from `hparams.json` how digits are split.

        Raises:
            ModelError: a file is missing, or the two contradict each other.
        """
        try:
            encoder, merges = (folder / "encoder.json").read_bytes(), (folder / "vocab.bpe").read_bytes()
        except FileNotFoundError as error:
            raise ModelError("a model folder needs encoder.json and vocab.bpe", path=error.filename) from None
        hparams = folder / "hparams.json"
        return cls.parse(encoder, merges, folder, hparams.exists() and HParams.load(folder).split_digits)

    @classmethod
    def parse(cls, encoder: bytes, merges: bytes, path: Path, split_digits: bool = False) -> Tokenizer:
        """The tokenizer of the two files' contents; `path` is where errors say they are from.

        Raises:
            ModelError: they are damaged, or contradict each other.
        """
        try:
            ids: dict[str, int] = parse_json(encoder)
            return cls(*_ranks(ids, merge_pairs(merges.decode("utf-8")), path), split_digits)
        except (ValueError, LookupError, AttributeError, TypeError) as error:
            raise ModelError(
                "encoder.json and vocab.bpe must be a GPT-2 vocabulary in UTF-8", got=repr(error), path=path
            ) from None

    def encode(self, text: str) -> list[int]:
        """Token ids of `text`; the end-of-text id is never among them.

        A character with a byte that the vocabulary lacks is left out first; GPT-2's lacks none, SmolLM2's
        some control characters.

        Raises:
            CorpusError: the text holds a lone surrogate, which UTF-8 cannot express.
        """
        try:
            data = text.encode("utf-8")
        except UnicodeEncodeError as error:
            raise CorpusError(
                "text must be valid Unicode", got=f"a lone surrogate at character {error.start}"
            ) from None
        if self._lacking is not None and self._lacking.search(data):
            text = "".join(each for each in text if not self._lacking.search(each.encode("utf-8")))
        return self._encoding.encode_ordinary(text)

    def decode_bytes(self, ids: Iterable[int]) -> bytes:
        """The bytes that `ids` stand for; end-of-text stands for none."""
        return self._encoding.decode_bytes([token for token in ids if token != self.end_of_text])

    def decode(self, ids: Iterable[int]) -> str:
        """The text of `ids`; bytes that are no UTF-8 (a character cut in two) become U+FFFD."""
        return self.decode_bytes(ids).decode("utf-8", errors="replace")

    @cached_property
    def token_bytes(self) -> Sequence[bytes]:
        """The bytes of each id, `n_vocab` of them; end-of-text has none."""
        return [self.decode_bytes([token]) for token in range(self.n_vocab)]


def merge_pairs(merges: str) -> list[tuple[str, str]]:
    """The pairs of `vocab.bpe`, first merged first.

    >>> merge_pairs("#version: 0.2\\nĠ t\\nh e\\n")
    [('Ġ', 't'), ('h', 'e')]

    Raises:
        ValueError: a line is no pair.
    """
    lines = [line for line in merges.split("\n") if line.strip() and not line.startswith("#version")]
    return [(left, right) for left, right in (line.split() for line in lines)]


def _ranks(
    encoder: dict[str, int], pairs: Sequence[tuple[str, str]], folder: Path
) -> tuple[dict[bytes, int], int]:
    """Bytes to ids in merge order, and the end-of-text id, which no merge makes."""
    byte_of = printable_bytes()

    def raw(piece: str) -> bytes:
        return bytes(byte_of[character] for character in piece)

    if END_OF_TEXT not in encoder:
        raise ModelError(f"encoder.json must hold {END_OF_TEXT}", path=folder)
    alone = [byte for byte in byte_of if byte in encoder]  # SmolLM2 lacks those that no text has
    pieces = [*alone, *("".join(pair) for pair in pairs)]
    ranks = {raw(piece): encoder[piece] for piece in pieces if piece in encoder}
    ids = sorted([*ranks.values(), encoder[END_OF_TEXT]])
    merged = list(ranks.values())[len(alone) :]
    if len(ranks) != len(pieces) or ids != list(range(len(encoder))) or merged != sorted(merged):
        raise ModelError("encoder.json and vocab.bpe must describe the same vocabulary", path=folder)
    return ranks, encoder[END_OF_TEXT]
