"""BPE: any text has the ids that transformers gives it, and those of the algorithm as OpenAI published it."""

from __future__ import annotations

import json
from functools import cache
from itertools import pairwise

import pytest
import regex
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st
from real_vocabulary import TORTURE, real_vocabulary

from blog_gen.model.bpe import SPLIT_PATTERN, Tokenizer, merge_pairs, printable_bytes

OURS = Tokenizer.load(real_vocabulary())
ENCODER: dict[str, int] = json.loads((real_vocabulary() / "encoder.json").read_text("utf-8"))
MERGES = merge_pairs((real_vocabulary() / "vocab.bpe").read_text("utf-8"))
THEIRS = transformers.GPT2TokenizerFast(vocab=ENCODER, merges=MERGES)
RANKS = {pair: rank for rank, pair in enumerate(MERGES)}
SPELLING = {byte: character for character, byte in printable_bytes().items()}

# Words that split at contractions and white space, and characters of all planes.
PIECES = st.sampled_from(
    [
        "'s",
        "'LL",
        "'t",
        " ",
        "  ",
        "\n",
        "\t",
        "\u00a0",
        "\u3000",
        "don't",
        "the",
        "0",
        "½",
        "é",
        "e\u0301",
        "日本",
        "🙂",
        "<|endoftext|>",
        "\0",
        "\r\n",
        "-",
        "...",
    ]
)
TEXTS = st.one_of(st.text(), st.lists(PIECES).map("".join), st.text("'sStTllLLvVeE \n", max_size=60))


def as_published(text: str) -> list[int]:
    """openai/gpt-2's `src/encoder.py` in other words: in each piece the lowest-ranked pair first."""
    return [ENCODER[part] for piece in regex.findall(SPLIT_PATTERN, text) for part in merged(piece)]


@cache
def merged(piece: str) -> tuple[str, ...]:
    parts = [SPELLING[byte] for byte in piece.encode()]
    while len(parts) > 1:
        best = min(pairwise(parts), key=lambda pair: RANKS.get(pair, len(RANKS)))
        if best not in RANKS:
            break
        joined: list[str] = []
        for part in parts:
            if joined and (joined[-1], part) == best:
                joined[-1] += part
            else:
                joined.append(part)
        parts = joined
    return tuple(parts)


@settings(max_examples=3000)
@given(TEXTS)
def test_any_text_has_the_ids_of_transformers(text: str) -> None:
    assert OURS.encode(text) == THEIRS(text, split_special_tokens=True)["input_ids"]


@settings(max_examples=3000)
@given(TEXTS)
def test_any_text_has_the_ids_of_the_published_algorithm(text: str) -> None:
    assert OURS.encode(text) == as_published(text)


@pytest.mark.parametrize("name", TORTURE)
def test_torture_texts_by_the_published_algorithm(name: str) -> None:
    assert OURS.encode(TORTURE[name]) == as_published(TORTURE[name])


@settings(max_examples=500)
@given(st.lists(st.integers(0, 50255), max_size=50))
def test_any_ids_have_the_text_of_transformers(ids: list[int]) -> None:
    assert OURS.decode(ids) == THEIRS.decode(ids, clean_up_tokenization_spaces=False)


def test_merges_are_in_the_order_of_ids() -> None:
    made = [ENCODER["".join(pair)] for pair in MERGES]
    assert made == list(range(256, 50256))
