"""Vocabularies of other tools: what no merge makes goes with its rows; what is no byte-level BPE is named."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from toy_models import MERGES, TOY, write_model

from blog_gen.errors import ModelError
from blog_gen.model.bpe import Tokenizer
from blog_gen.model.formats import open_checkpoint, write_checkpoint
from blog_gen.model.hparams import HParams
from blog_gen.model.weights import load_weights

TEXT = "the weather, and the theory of it <|pad|> all"
WTE = "transformer.wte.weight"


@pytest.fixture
def hf(tmp_path: Path) -> Path:
    write_checkpoint(open_checkpoint(write_model(tmp_path / "model")), "hf", tmp_path / "hf")
    return tmp_path / "hf"


def imported(hf: Path, tmp_path: Path) -> tuple[Path, tuple[tuple[str, str], ...]]:
    checkpoint = open_checkpoint(hf)
    write_checkpoint(checkpoint, "folder", tmp_path / "back")
    return tmp_path / "back", checkpoint.notes


def edit(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    value = json.loads(path.read_text("utf-8"))
    change(value)
    path.write_text(json.dumps(value), "utf-8")


def with_rows(hf: Path, rows: Callable[[Any], Any]) -> None:
    """The embedding changed, and config.json with it."""
    tensors = load_file(hf / "model.safetensors")
    tensors[WTE] = np.ascontiguousarray(rows(tensors[WTE]))
    save_file(tensors, hf / "model.safetensors")
    edit(hf / "config.json", lambda config: config.update(vocab_size=len(tensors[WTE])))


def same_as_original(back: Path, tmp_path: Path) -> bool:
    one, other = (load_weights(folder, HParams.load(folder)) for folder in (back, tmp_path / "model"))
    ids = [Tokenizer.load(folder).encode(TEXT) for folder in (back, tmp_path / "model")]
    return ids[0] == ids[1] and all(np.array_equal(one[name], other[name]) for name in other)


@pytest.mark.parametrize("resized", [False, True])
@pytest.mark.parametrize("where", ["added_tokens.json", "vocab.json", "tokenizer.json"])
def test_a_padding_token_is_left_out_with_its_row(
    hf: Path, tmp_path: Path, where: str, resized: bool
) -> None:
    if where == "tokenizer.json":  # as transformers 5 writes it, alone
        table = json.loads((hf / "vocab.json").read_text("utf-8"))
        added = [{"id": 259, "content": "<|endoftext|>"}, {"id": 260, "content": "<|pad|>"}]
        model = {"type": "BPE", "vocab": table, "merges": [merge.split() for merge in MERGES]}
        split = {"type": "ByteLevel", "add_prefix_space": False, "use_regex": True}
        tokenizer = {"model": model, "added_tokens": added, "pre_tokenizer": split, "normalizer": None}
        (hf / where).write_text(json.dumps(tokenizer), "utf-8")
        (hf / "vocab.json").unlink()
        (hf / "merges.txt").unlink()
    else:
        if where == "added_tokens.json":
            (hf / where).write_text("{}")
        edit(hf / where, lambda table: table.update({"<|pad|>": 260}))
    if resized:
        with_rows(hf, lambda rows: np.vstack([rows, rows.mean(0, keepdims=True)]))
    back, notes = imported(hf, tmp_path)
    assert notes == (("no merge makes the tokens <|pad|>", "they are left out"),)
    assert same_as_original(back, tmp_path)


def test_rows_that_no_token_has_are_left_out(hf: Path, tmp_path: Path) -> None:
    with_rows(hf, lambda rows: np.vstack([rows, np.zeros((60, rows.shape[1]), np.float32)]))
    back, _ = imported(hf, tmp_path)
    assert same_as_original(back, tmp_path)


def test_special_tokens_before_the_bytes_are_left_out(hf: Path, tmp_path: Path) -> None:
    """As `tokenizers` numbers them: special ones first, and the end of a text called otherwise."""
    table = json.loads((hf / "vocab.json").read_text("utf-8"))
    del table["<|endoftext|>"]
    first = {"<s>": 0, "<pad>": 1, "</s>": 2}
    (hf / "vocab.json").write_text(
        json.dumps(first | {piece: 3 + at for piece, at in table.items()}), "utf-8"
    )
    with_rows(hf, lambda rows: np.vstack([0 * rows[:2], rows[-1:], rows[:-1]]))
    edit(hf / "config.json", lambda config: config.update(eos_token_id=2))
    back, notes = imported(hf, tmp_path)
    tokenizer = Tokenizer.load(back)
    assert notes[1] == ("the token that ends a text is called </s>", "it is kept as <|endoftext|>")
    assert (tokenizer.end_of_text, tokenizer.n_vocab) == (0, TOY.n_vocab)
    assert tokenizer.decode(tokenizer.encode(TEXT)) == TEXT
    embedding = load_weights(back, HParams.load(back))["wte"]
    theirs = load_weights(tmp_path / "model", TOY)["wte"]
    np.testing.assert_array_equal(embedding, np.vstack([theirs[-1:], theirs[:-1]]))


def test_two_pairs_that_make_one_token_are_one(hf: Path, tmp_path: Path) -> None:
    (hf / "merges.txt").write_text(
        "\n".join(["#version: 0.2", "t h", "h e", *MERGES[1:], "t he", ""]), "utf-8"
    )
    edit(
        hf / "vocab.json",
        lambda table: table.update({"he": 257, "the": 258, "Ġthe": 259, "<|endoftext|>": 260}),
    )
    with_rows(hf, lambda rows: np.vstack([rows, rows[:1]]))
    back, _ = imported(hf, tmp_path)
    tokenizer = Tokenizer.load(back)
    assert (tokenizer.n_vocab, tokenizer.decode(tokenizer.encode(TEXT))) == (261, TEXT)


@pytest.mark.parametrize("kind", ["hf", "openai", "folder"])
def test_a_byte_order_mark_never_comes_out(tmp_path: Path, kind: str) -> None:
    write_checkpoint(open_checkpoint(write_model(tmp_path / "model")), kind, tmp_path / "marked")
    names = ("vocab.json", "merges.txt") if kind == "hf" else ("encoder.json", "vocab.bpe")
    for name in names:
        path = tmp_path / "marked" / name
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    back, notes = imported(tmp_path / "marked", tmp_path)
    for name in ("encoder.json", "vocab.bpe"):
        assert (back / name).read_bytes() == (tmp_path / "model" / name).read_bytes()
    assert notes == ()


@pytest.mark.parametrize(
    ("model", "split", "named"),
    [
        ({"type": "WordPiece", "vocab": {}}, None, "WordPiece"),
        ({"type": "Unigram", "vocab": []}, {"type": "Metaspace"}, "Unigram"),
        ({"type": "BPE"}, {"type": "Whitespace"}, "a BPE whose text is first split by Whitespace"),
    ],
)
def test_other_tokenizers_are_refused_by_name(
    hf: Path, model: dict[str, Any], split: dict[str, Any] | None, named: str
) -> None:
    (hf / "tokenizer.json").write_text(json.dumps({"model": model, "pre_tokenizer": split}))
    with pytest.raises(ModelError, match=f"must be GPT-2's byte-level BPE; got {named}"):
        open_checkpoint(hf)


@pytest.mark.parametrize(
    ("name", "named"), [("vocab.txt", "BERT's word pieces"), ("spiece.model", "SentencePiece")]
)
def test_files_of_other_tokenizers_are_refused_by_name(hf: Path, name: str, named: str) -> None:
    (hf / "vocab.json").rename(hf / name)
    with pytest.raises(ModelError, match=f"must be GPT-2's byte-level BPE; got {named}"):
        open_checkpoint(hf)


def test_a_vocabulary_of_words_is_no_bpe(tmp_path: Path) -> None:
    words = {f"word{number}": number for number in range(2000)}
    hf = tmp_path / "hf"
    write_checkpoint(open_checkpoint(write_model(tmp_path / "model")), "hf", hf)
    edit(hf / "vocab.json", lambda table: table.update(words))
    with pytest.raises(ModelError, match="2000 tokens that no merge makes, such as 'word0'"):
        open_checkpoint(hf)


@pytest.mark.parametrize("name", ["model.safetensors", "pytorch_model.bin", "vocab.json", "config.json"])
def test_a_pointer_of_git_lfs_is_called_one(hf: Path, name: str) -> None:
    if name == "pytorch_model.bin":
        (hf / "model.safetensors").unlink()
    (hf / name).write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 548118077\n")
    with pytest.raises(ModelError, match=rf"{name}: .*Git LFS pointer.*git lfs pull"):
        open_checkpoint(hf)


def test_pickled_weights_in_one_file_and_in_several(hf: Path, tmp_path: Path) -> None:
    """Of what a golden file holds, so small a model can be made: one mapping, under two names."""
    golden = Path(__file__).with_name("golden") / "zip.bin"
    (hf / "model.safetensors").unlink()
    shutil.copy(golden, hf / "pytorch_model.bin")
    assert sorted(open_checkpoint(hf).tensors) == ["brain", "double", "half", "plain", "turned"]
    (hf / "pytorch_model.bin").rename(hf / "pytorch_model-00001-of-00001.bin")
    index = {"weight_map": {"plain": "pytorch_model-00001-of-00001.bin"}}
    (hf / "pytorch_model.bin.index.json").write_text(json.dumps(index))
    assert "plain" in open_checkpoint(hf).tensors
    index = {"weight_map": {"plain": "../elsewhere.bin"}}
    (hf / "pytorch_model.bin.index.json").write_text(json.dumps(index))
    with pytest.raises(ModelError, match="files beside it"):
        open_checkpoint(hf)


def test_a_longer_context_holds(tmp_path: Path) -> None:
    long = HParams(TOY.n_vocab, 2048, 8, 2, 1)
    write_checkpoint(open_checkpoint(write_model(tmp_path / "model", long)), "hf", tmp_path / "hf")
    back, _ = imported(tmp_path / "hf", tmp_path)
    assert HParams.load(back) == long
