"""Training a byte-level BPE vocabulary, for maintainers; written in OpenAI's two files."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from blog_gen.errors import CorpusError
from blog_gen.files import write_text
from blog_gen.model.bpe import END_OF_TEXT, SPLIT_PATTERN, printable_bytes


def train_vocabulary(texts: Iterable[str], size: int, folder: Path) -> None:
    """Learn `size` tokens (256 bytes, merges, end-of-text) and write `encoder.json` and `vocab.bpe`.

    Raises:
        CorpusError: the texts are too few to fill the vocabulary.
    """
    # Imported here: only maintainers have it installed.
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(SPLIT_PATTERN), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=size - 1, initial_alphabet=list(printable_bytes()), show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    merges: list[tuple[str, str]] = [
        tuple(pair) for pair in json.loads(tokenizer.to_str())["model"]["merges"]
    ]
    if len(merges) + 257 < size:
        raise CorpusError(
            "the corpus is too small for the vocabulary", got=f"{len(merges) + 257} tokens of {size}"
        )
    pieces = [*printable_bytes(), *("".join(pair) for pair in merges), END_OF_TEXT]
    encoder = {piece: number for number, piece in enumerate(pieces)}
    write_text(folder / "encoder.json", json.dumps(encoder, ensure_ascii=True))
    lines = ["#version: 0.2", *(" ".join(pair) for pair in merges)]
    write_text(folder / "vocab.bpe", "\n".join(lines) + "\n")
