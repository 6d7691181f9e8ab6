"""Characters that are put together from tokens: valid, and those that the texts have."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from toy_models import write_vocabulary

from blog_gen.learning.finishing import write_words
from blog_gen.model.bpe import Tokenizer
from blog_gen.model.sampling.characters import WholeCharacters, load_characters, save_characters
from blog_gen.model.sampling.vocabulary_constraint import load_words, save_words

CHARACTERS = set("äß—日🎉")


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    """Every byte is a token, and no character that has several."""
    folder = tmp_path_factory.mktemp("toy") / "model"
    write_vocabulary(folder)
    return Tokenizer.load(folder)


@pytest.mark.parametrize(
    ("begun", "then", "may"),
    [
        ("Z", "ä", True),
        ("Z", "÷", False),  # begins with the same byte
        ("", "é", False),
        ("", "日", True),
        ("", "本", False),
        ("", "–", False),  # one bit from the dash that is known
        ("日", "🎉 the", True),
    ],
)
def test_only_known_characters_are_put_together(toy: Tokenizer, begun: str, then: str, may: bool) -> None:
    rule, history = WholeCharacters(toy, CHARACTERS), toy.encode(begun)
    found = True
    for token in toy.encode(then):
        found = found and bool(rule(np.zeros((1, toy.n_vocab), np.float32), [history])[0, token] == 0)
        history.append(token)
    assert found == may


@given(st.integers(0, 2**31))
def test_whatever_is_drawn_has_no_others(toy: Tokenizer, seed: int) -> None:
    rule, rng = WholeCharacters(toy, CHARACTERS), np.random.default_rng(seed)
    high = np.array([max(piece, default=0) >= 0x80 for piece in toy.token_bytes])
    history: list[int] = []
    for _ in range(24):
        logits = rule(rng.normal(high * 3.0, 1.0).astype(np.float32)[None], [history])[0]
        assert logits.max() > -np.inf
        history.append(int(logits.argmax()))
    text = b"".join(toy.token_bytes[token] for token in history).decode(errors="ignore")
    assert {letter for letter in text if letter > "\x7f"} <= CHARACTERS


def test_tokens_that_are_whole_characters_are_free() -> None:
    from blog_gen.model.zoo import zoo

    mini = Tokenizer.load(zoo.EMBEDDED["mini"])
    logits = WholeCharacters(mini, set())(np.zeros((1, mini.n_vocab), np.float32), [mini.encode("a ")])[0]
    (dash,) = mini.encode("—")
    assert logits[dash] == 0 and logits[mini.encode("☔")[0]] == -np.inf


def test_a_run_lists_the_characters_of_its_posts(tmp_path: Path) -> None:
    save_characters(["Ein Käse\u200c!", "日—\n"], tmp_path)
    assert load_characters(tmp_path) == set("ä\u200c日—")
    assert load_characters(tmp_path / "none") is None


def test_a_run_takes_over_the_words_of_its_base_and_only_its_own_signs(tmp_path: Path) -> None:
    base, run = tmp_path / "base", tmp_path / "run"
    save_words({"kettle", "käse", "÷"}, base)
    run.mkdir()
    corpus: Any = SimpleNamespace(texts={"a.md": "title: Zähler\n---\nEin Zähler → zwei."})
    write_words(base, corpus, run)
    assert load_words(run) == {"kettle", "käse", "title", "zähler", "ein", "zwei", "→"}
    assert load_characters(run) is None
    write_words(tmp_path / "no list", corpus, tmp_path)
    assert load_characters(tmp_path) == set("ä→") and load_words(tmp_path) is None
