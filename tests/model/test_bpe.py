"""Byte-level BPE: laws on a toy vocabulary, and OpenAI's ids on texts made to break it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from real_vocabulary import TORTURE, real_vocabulary
from toy_models import write_vocabulary

from blog_gen.errors import CorpusError, ModelError
from blog_gen.model.bpe import SPLIT_DIGITS_PATTERN, Tokenizer
from blog_gen.model.zoo.downloads import SAME_FOR_ALL

GOLDEN_IDS: dict[str, list[int]] = json.loads(
    (Path(__file__).parent / "golden" / "bpe.json").read_text(encoding="utf-8")
)["ids"]


@pytest.fixture(scope="module")
def real() -> Tokenizer:
    return Tokenizer.load(real_vocabulary())


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    folder = tmp_path_factory.mktemp("toy")
    write_vocabulary(folder)
    return Tokenizer.load(folder)


def test_the_vocabulary_is_the_published_one(real: Tokenizer) -> None:
    for name, expected in SAME_FOR_ALL.items():
        assert expected.fault(real_vocabulary() / name) is None
    assert (real.n_vocab, real.end_of_text) == (50257, 50256)


@pytest.mark.parametrize("name", TORTURE)
def test_ids_are_those_of_transformers(real: Tokenizer, name: str) -> None:
    assert real.encode(TORTURE[name]) == GOLDEN_IDS[name]
    assert real.decode(GOLDEN_IDS[name]) == TORTURE[name]


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_decoding_undoes_encoding(real: Tokenizer, toy: Tokenizer, text: str) -> None:
    for tokenizer in (real, toy):
        ids = tokenizer.encode(text)
        assert tokenizer.decode(ids) == text
        assert tokenizer.end_of_text not in ids
        assert b"".join(tokenizer.token_bytes[token] for token in ids) == text.encode()


@given(st.lists(st.integers(0, 259)))
def test_any_ids_have_a_text(toy: Tokenizer, ids: list[int]) -> None:
    assert toy.decode(ids) == toy.decode_bytes(ids).decode("utf-8", "replace")
    assert toy.decode([*ids, toy.end_of_text]) == toy.decode(ids)


@given(st.text(max_size=5), st.integers(0xD800, 0xDFFF), st.text(max_size=5))
def test_a_lone_surrogate_is_refused(toy: Tokenizer, before: str, surrogate: int, after: str) -> None:
    with pytest.raises(
        CorpusError, match=r"text must be valid Unicode; got a lone surrogate at character \d"
    ):
        toy.encode(before + chr(surrogate) + after)


def test_merges_are_made_in_their_order(toy: Tokenizer) -> None:
    assert [toy.token_bytes[token] for token in toy.encode("then the th")] == [
        b"the",
        b"n",
        b" the",
        b" ",
        b"th",
    ]


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("encoder.json", "[1, 2]"),
        ("encoder.json", "{"),
        ("encoder.json", '{"a": 1}'),
        ("encoder.json", b"\xff"),
        ("vocab.bpe", "one two three\n"),
        ("vocab.bpe", "t h\nth e\n"),
        ("vocab.bpe", "th e\nt h\nĠ the\n"),
        ("vocab.bpe", "t h\nth e\nĠ 的\n"),
        ("vocab.bpe", b"\xff"),
    ],
)
def test_a_wrong_vocabulary_is_one_explained_error(tmp_path: Path, file: str, content: str | bytes) -> None:
    write_vocabulary(tmp_path)
    (tmp_path / file).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ModelError, match=str(tmp_path)):
        Tokenizer.load(tmp_path)


def test_a_character_with_a_byte_that_the_vocabulary_lacks_is_left_out(tmp_path: Path) -> None:
    write_vocabulary(tmp_path)
    encoder = json.loads((tmp_path / "encoder.json").read_text())
    names = [name for name in encoder if name != "é"]  # the stand-in of byte 0xE9, which begins many letters
    (tmp_path / "encoder.json").write_text(json.dumps({name: token for token, name in enumerate(names)}))
    lacking = Tokenizer.load(tmp_path)
    assert lacking.decode(lacking.encode("the \u9cff end")) == "the  end"


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("in 2024", ["in", " ", "2", "0", "2", "4"]),
        ("a  5", ["a", "  ", "5"]),
        ("a  b", ["a", " ", " b"]),
        ("x5!", ["x", "5", "!"]),
        (" (7) ½", [" (", "7", ")", " ", "½"]),
    ],
)
def test_digits_one_by_one(text: str, pieces: list[str]) -> None:
    """What a run of digits and the blanks before it become, as Hugging Face's `Digits` has it."""
    import regex

    assert regex.findall(SPLIT_DIGITS_PATTERN, text) == pieces
