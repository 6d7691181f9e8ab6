"""Lines of names from a list: whatever the model believes, it writes some of them, each once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blog_gen.model.bpe import Tokenizer
from blog_gen.model.sampling.listed import Listed
from blog_gen.model.sampling.rows import sample_tokens
from blog_gen.model.zoo import zoo

MINI = Tokenizer.load(zoo.EMBEDDED["mini"])
NAMES = st.lists(
    st.text(st.characters(codec="utf-8", exclude_characters=",\n\r"), min_size=1, max_size=8).map(
        lambda text: "-".join(text.split()) or "x"
    ),
    min_size=1,
    max_size=4,
    unique=True,
)


def written(names: list[str], several: bool, seed: int) -> str:
    """What a model that believes anything writes behind `tags:`."""
    listed, rng = Listed(names, MINI, several), np.random.default_rng(seed)
    begun = history = MINI.encode("title: Nothing, yet: no\ntags:")
    while not MINI.decode(history[len(begun) :]).endswith("\n"):
        logits = listed(rng.normal(size=(1, MINI.n_vocab)).astype(np.float32), [history])
        history = history + sample_tokens(logits, [rng])
    return MINI.decode(history[len(begun) :])


@given(NAMES, st.booleans(), st.integers(0, 2**31))
def test_only_names_of_the_list_are_written_each_once(names: list[str], several: bool, seed: int) -> None:
    line = written(names, several, seed)
    assert line.startswith(" ") and line.endswith("\n")
    found = line[1:-1].split(", ")
    assert set(found) <= set(names) and len(found) == len(set(found))
    assert several or len(found) == 1


@pytest.mark.parametrize("several", [False, True])
def test_every_name_can_be_written(several: bool) -> None:
    names = ["vim", "vim-script", "vi", "käse", "a b"]
    found = {name for seed in range(60) for name in written(names, several, seed)[1:-1].split(", ")}
    assert found == set(names)


def test_the_model_still_chooses_among_them() -> None:
    listed, history = Listed(["tin", "rain"], MINI, True), MINI.encode("tags:")
    logits = np.arange(MINI.n_vocab, dtype=np.float32)
    shaped = listed(logits[None], [history])[0]
    kept = np.flatnonzero(np.isfinite(shaped))
    assert {MINI.decode([int(token)])[:2] for token in kept} <= {" ", " t", " r"}
    assert np.array_equal(shaped[kept], logits[kept])
