"""transformers: the same logits, the same continuation, the same files in both directions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from ours import PROMPTS, Array, Ours
from real_vocabulary import TORTURE
from transformers import AutoModelForCausalLM, AutoTokenizer

from blog_gen.model.bpe import Tokenizer
from blog_gen.model.formats import open_checkpoint, recognise, write_checkpoint
from blog_gen.model.weights import load_weights
from blog_gen.model.zoo.exchange import export_model

TOLERANCE = 1e-4  # float32


def theirs(ours: Ours, scratch: Path) -> Any:
    folder = export_model(ours.folder, "hf", scratch / "hf")
    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()


def assert_same_logits(ours: Ours, peer: Any, length: int, tolerance: float = TOLERANCE) -> None:
    tokens = np.random.default_rng(length).integers(0, ours.hparams.n_vocab, length)
    with torch.no_grad():
        expected = peer(torch.tensor(tokens)[None]).logits[0].numpy()
    found = ours.logits(tokens)
    most, spread = np.abs(found - expected).max(), expected.std()
    print(f"{ours.hparams.parameters} parameters, {length} tokens: {most:.2e}, of a spread of {spread:.2f}")
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)


def test_logits_of_a_small_model(small: Ours, scratch: Path) -> None:
    peer = theirs(small, scratch)
    for length in (1, 2, 17, 255, 256, 257, 600, 1024):
        assert_same_logits(small, peer, length)


def test_logits_and_continuation_at_the_shape_of_124m(full: Ours, scratch: Path) -> None:
    peer = theirs(full, scratch)
    for length in (1, 100, 513, 1024):
        assert_same_logits(full, peer, length)
    assert_same_continuation(full, peer, 24)


def test_continuation_of_a_small_model(small: Ours, scratch: Path) -> None:
    assert_same_continuation(small, theirs(small, scratch), 100)


def assert_same_continuation(ours: Ours, peer: Any, length: int) -> None:
    prompt = Tokenizer.load(ours.folder).encode("It was a bright cold day in April,")
    grown = peer.generate(torch.tensor([prompt]), max_new_tokens=length, do_sample=False, eos_token_id=None)
    continuation = grown[0, len(prompt) :].tolist()
    assert len(set(continuation)) > 5  # not a loop, which any model could be in
    assert ours.greedy(prompt, length) == continuation


def test_logits_and_continuation_of_llamas_blocks(llama: Ours, scratch: Path) -> None:
    peer = theirs(llama, scratch)
    for length in (1, 2, 17, 255, 257, 600):
        # Theirs rounds the rotary frequencies once more: far positions turn by another last digit.
        assert_same_logits(llama, peer, length, TOLERANCE if length < 256 else 5 * TOLERANCE)
    assert_same_continuation(llama, peer, 100)


def test_logits_and_continuations_of_the_real_smollm2(smollm2: Ours, scratch: Path) -> None:
    peer, tokenizer = theirs(smollm2, scratch), Tokenizer.load(smollm2.folder)
    for length in (1, 100, 513):
        assert_same_logits(smollm2, peer, length)
    for text in PROMPTS:
        prompt = [tokenizer.end_of_text, *tokenizer.encode(text)]
        grown = peer.generate(torch.tensor([prompt]), max_new_tokens=60, do_sample=False, eos_token_id=None)
        smollm2.assert_chooses(prompt, grown[0, len(prompt) :].tolist(), margin=1e-3)


def test_the_exported_tokenizer_splits_digits_as_ours_does(llama: Ours, scratch: Path) -> None:
    peer = AutoTokenizer.from_pretrained(export_model(llama.folder, "hf", scratch / "hf"))
    tokenizer = Tokenizer.load(llama.folder)
    for text in TORTURE.values():
        assert peer(text, split_special_tokens=True)["input_ids"] == tokenizer.encode(text)


@pytest.mark.parametrize("name", TORTURE)
def test_the_exported_tokenizer_gives_our_ids(small: Ours, scratch: Path, name: str) -> None:
    peer = AutoTokenizer.from_pretrained(export_model(small.folder, "hf", scratch / "hf"))
    ids = Tokenizer.load(small.folder).encode(TORTURE[name])
    assert peer(TORTURE[name], split_special_tokens=True)["input_ids"] == ids
    assert peer.eos_token_id == peer.bos_token_id == 50256
    assert peer.decode(ids, clean_up_tokenization_spaces=False) == TORTURE[name]


@pytest.mark.parametrize(
    ("dtype", "kept"), [(torch.float32, "float32"), (torch.float16, "float16"), (torch.bfloat16, "float32")]
)
@pytest.mark.parametrize("shard", ["5GB", "3MB"])
def test_what_transformers_saves_is_imported(
    small: Ours, scratch: Path, dtype: torch.dtype, kept: str, shard: str
) -> None:
    folder = export_model(small.folder, "hf", scratch / "hf")
    peer = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype)
    peer.save_pretrained(scratch / "saved", max_shard_size=shard)
    AutoTokenizer.from_pretrained(folder).save_pretrained(scratch / "saved")
    assert (scratch / "saved" / "model.safetensors.index.json").exists() == (shard == "3MB")
    assert recognise(scratch / "saved") == "hf"
    write_checkpoint(open_checkpoint(scratch / "saved"), "folder", scratch / "back")
    back = load_weights(scratch / "back", small.hparams)
    state: dict[str, Array] = {
        name: value.to(torch.float32).numpy() for name, value in peer.state_dict().items()
    }
    np.testing.assert_array_equal(back["wte"], state["lm_head.weight"])
    np.testing.assert_array_equal(back["h2/mlp/c_fc/w"], state["transformer.h.2.mlp.c_fc.weight"])
    if dtype != torch.bfloat16:
        assert all((back[name] == value).all() for name, value in small.weights.items())
    assert {tensor.dtype for tensor in open_checkpoint(scratch / "back").tensors.values()} == {kept}
    text = TORTURE["prose"]
    assert Tokenizer.load(scratch / "back").encode(text) == Tokenizer.load(small.folder).encode(text)


def test_config_says_what_transformers_needs(small: Ours, scratch: Path) -> None:
    folder = export_model(small.folder, "hf", scratch / "hf")
    config = json.loads((folder / "config.json").read_text())
    assert (config["model_type"], config["n_positions"]) == ("gpt2", 1024)
    _, report = AutoModelForCausalLM.from_pretrained(folder, output_loading_info=True)
    assert not any(report[key] for key in ("unexpected_keys", "mismatched_keys"))
    assert set(report["missing_keys"]) <= {"lm_head.weight"}
