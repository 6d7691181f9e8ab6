"""Texts of a random model: always valid UTF-8, and only of listed words where a folder lists them."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blog_gen.config.settings import SamplingSettings
from blog_gen.model.bpe import Tokenizer
from blog_gen.model.sampling.characters import WholeCharacters
from blog_gen.model.sampling.rows import sample_tokens
from blog_gen.model.sampling.sampling import Request, Sampler
from blog_gen.model.sampling.vocabulary_constraint import (
    VocabularyConstraint,
    common_words,
    load_words,
    save_words,
    words_in,
)
from blog_gen.model.zoo import zoo

WORDS = {"the", "kettle", "ket", "don", "t", "a", "café", "screw", "käse", "über", *"☔„®中文，"}
MINI = Tokenizer.load(zoo.EMBEDDED["mini"])


def allowed(begun: str, then: str) -> bool:
    """Whether the tokens of `then` may follow `begun`."""
    known, logits, history = (
        VocabularyConstraint(WORDS, MINI),
        np.zeros((1, MINI.n_vocab), np.float32),
        MINI.encode(begun),
    )
    for token in MINI.encode(then):
        if known(logits, [history])[0, token] != 0:
            return False
        history.append(token)
    return True


@pytest.mark.parametrize(
    ("begun", "then", "may"),
    [
        ("", "t", True),
        ("", "z", False),
        ("the", " k", True),
        ("the k", " ", False),  # a word ends only where it is known
        ("the ke", "t", True),
        ("the ket", ".", True),
        ("the ket", "x", False),
        ("THE K", "E", True),
        ("the k", "E", False),
        ("Don", "'t", True),
        ("the ", "7", True),
        ("the zebr", "a", True),  # a prompt's own word is not interfered with
        ("k", "ä", True),  # of two tokens here
        ("kä", "s", True),
        ("kä", "f", False),
        ("t", "ä", False),
        ("", "Ü", True),
        ("Ü", "b", True),
        ("K", "Ä", True),
        ("the ", "☔", True),
        ("☔", " ", True),
        ("the ", "🎉", False),
        ("the ", "“", True),  # a token of its own, and no letter
        ("the ", "„the kettle®☔☔", True),  # signs of several tokens end words and begin none
        ("don", "☔t", True),
        ("the k", "☔", False),
        ("", "中，文", True),
        ("k", "×", False),  # begins with the same byte as ä
    ],
)
def test_a_word_goes_on_to_a_known_one_or_ends_as_one(begun: str, then: str, may: bool) -> None:
    assert allowed(begun, then) == may


def test_a_text_cannot_end_within_a_word() -> None:
    known, logits = VocabularyConstraint(WORDS, MINI), np.zeros((1, MINI.n_vocab), np.float32)
    end = MINI.end_of_text
    assert (
        known(logits, [MINI.encode("the k")])[0, end] == -np.inf
        and known(logits, [MINI.encode("the")])[0, end] == 0
    )


@given(st.integers(0, 2**31))
def test_whatever_is_drawn_is_utf_8(seed: int) -> None:
    whole, rng = _WHOLE, np.random.default_rng(seed)
    history: list[int] = []
    for _ in range(30):
        # Parts of characters are rare in the vocabulary: make them likely.
        logits = rng.normal(_RAW * 9.0, 1.0).astype(np.float32)[None]
        (token,) = sample_tokens(whole(logits, [history]), [rng])
        if token == MINI.end_of_text:
            break
        history.append(token)
    data = b"".join(MINI.token_bytes[token] for token in history)
    assert "\ufffd" not in data.decode("utf-8", errors="replace")[:-1]
    if token == MINI.end_of_text:
        data.decode()


_WHOLE = WholeCharacters(MINI, None)
_RAW = np.array([max(MINI.token_bytes[token], default=0) >= 0x80 for token in range(MINI.n_vocab)])


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_a_folder_with_words_writes_no_others(tiny_folder: Path, tmp_path: Path, temperature: float) -> None:
    folder = tmp_path / "model"
    shutil.copytree(tiny_folder, folder)
    save_words(WORDS, folder)
    assert load_words(folder) == WORDS and load_words(tiny_folder) is None
    sampler = Sampler.open(folder)
    settings = SamplingSettings(temperature=temperature, top_p=0.9)
    wanted = [Request((), seed, 60) for seed in range(6)]
    texts = {sample.request.seed: sample.text for sample in sampler.generate(wanted, settings)}
    words = [word for text in texts.values() for word in list(words_in(text))[:-1]]  # the last may be cut
    words = [word for word in words if word.isalpha()]  # signs with a token of their own are free
    assert set(words) <= WORDS and len(words) > 10
    assert texts[3] == "".join(sampler.stream(wanted[3], settings))
    free = SamplingSettings(temperature=temperature, top_p=0.9, vocabulary_constraint=False)
    (other,) = sampler.generate(wanted[:1], free)
    assert other.text != texts[0]


def test_common_words_stand_in_several_texts() -> None:
    texts = ["The kettle", "the Screw", "THE screw screw screw", "the", "the screw", "screw", "screw"]
    assert common_words(texts) == {"the", "screw"}
