"""Heads of texts: whatever a model believes, what it writes parses; what is no head is left alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blog_gen.model.bpe import Tokenizer
from blog_gen.model.sampling.characters import WholeCharacters
from blog_gen.model.sampling.decoding import process_logits
from blog_gen.model.sampling.keyed_lines import KeyedLines
from blog_gen.model.sampling.rows import sample_tokens
from blog_gen.model.zoo import zoo
from blog_gen.text.post import FENCE, KEYS, parse

MINI = Tokenizer.load(zoo.EMBEDDED["mini"])
HEAD = KeyedLines(KEYS, FENCE, MINI)
WHOLE = WholeCharacters(MINI, None)
# Ends of lines and the letters of keys, or a random text would go on for ever.
LIKELY = np.array([4.0 * (piece in (b"\n", b"---", b"---\n", b":", b"tags")) for piece in MINI.token_bytes])


def written(prompt: str, seed: int) -> str:
    """A head by a model that believes anything."""
    rng, history = np.random.default_rng(seed), MINI.encode(prompt)
    while "\n---\n" not in MINI.decode(history):
        logits = (rng.normal(size=(1, MINI.n_vocab)) + LIKELY).astype(np.float32)
        history = history + sample_tokens(process_logits(logits, [history], (WHOLE, HEAD)), [rng])
    return MINI.decode(history)


@given(
    st.sampled_from(["", "t", "title:", "title: Why Vim?\n", "title: A\ncategory: b\nta", "title: A\n"]),
    st.integers(0, 2**31),
)
def test_whatever_is_drawn_parses(prompt: str, seed: int) -> None:
    text = written(prompt, seed)
    assert text.startswith(prompt) and text.endswith("\n---\n") and parse(f"{text}Body.").title


@pytest.mark.parametrize(
    "text",
    ["Once upon a time", "tags: a\n", "title: A\ntitle: B\n", "title: A\n---\nx", "title: A\n\n", "---\n"],
)
def test_what_is_no_head_is_free(text: str) -> None:
    logits = np.random.default_rng(0).normal(size=(1, MINI.n_vocab)).astype(np.float32)
    assert np.array_equal(HEAD(logits, [MINI.encode(text)]), logits)


def test_a_long_head_is_held_to_its_lines_and_a_long_body_is_free() -> None:
    logits = np.zeros((1, MINI.n_vocab), np.float32)
    title = f"title:{' long' * 100}"
    assert not np.isfinite(HEAD(logits, [MINI.encode(title)])[0, MINI.end_of_text])
    assert np.array_equal(HEAD(logits, [MINI.encode(f"{title}\n---\nBody.")]), logits)
    assert np.array_equal(HEAD(logits, [MINI.encode("Once upon a time" * 40)]), logits)


@pytest.mark.parametrize(
    ("begun", "then", "may"),
    [
        ("", "title", True),
        ("", "tags", False),
        ("", "The", False),
        ("title:", " Why", True),
        ("title:", "Why", False),
        ("title:", "\n", False),
        ("title: Why", "\n", True),
        ("title: Why", "\n\n", False),
        ("title: Why\n", "tags", True),
        ("title: Why\n", "category", True),
        ("title: Why\n", "title", False),
        ("title: Why\n", "---", True),
        ("title: Why\n", "\n", False),
        ("title: Why\ntags: a\n", "category", False),
        ("title: Why\ntags: a\n", "---", True),
    ],
)
def test_keys_come_in_order_each_once(begun: str, then: str, may: bool) -> None:
    history, logits, found = MINI.encode(begun), np.zeros((1, MINI.n_vocab), np.float32), True
    for token in MINI.encode(then):
        found = found and bool(np.isfinite(HEAD(logits, [history])[0, token]))
        history.append(token)
    assert found == may


def test_a_text_ends_neither_in_its_head_nor_without_a_body() -> None:
    logits = np.zeros((1, MINI.n_vocab), np.float32)
    for text, may in (("title: A", False), ("title: A\n---\n", False), ("title: A\n---\nB", True)):
        assert np.isfinite(HEAD(logits, [MINI.encode(text)])[0, MINI.end_of_text]) == may
