"""llama.cpp: an exported GGUF runs there, with the same tokens, logits and continuation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gguf
import llama_cpp
import numpy as np
import pytest
from llama_cpp import llama_cpp as bindings
from ours import PROMPTS, Array, Ours
from real_vocabulary import TORTURE

from blog_gen.model.bpe import Tokenizer
from blog_gen.model.formats.gguf import tensor_name
from blog_gen.model.zoo.exchange import export_model

PROMPT = "It was a bright cold day in April,"


def theirs(path: Path) -> Any:
    """Without what llama.cpp rearranges for a processor: for AMX, that ends in a segmentation fault."""
    plain = bindings.llama_model_default_params()
    plain.use_extra_bufts = False
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bindings, "llama_model_default_params", lambda: plain)
        return llama_cpp.Llama(str(path), n_ctx=512, n_batch=512, logits_all=True, verbose=False)


def logits(peer: Any, tokens: list[int]) -> Array:
    peer.reset()
    peer.eval(tokens)
    return np.array(peer.scores[: len(tokens)])


def greedy(peer: Any, prompt: list[int], length: int) -> list[int]:
    peer.reset()
    continuation = []
    for token in peer.generate(prompt, temp=0.0):
        continuation.append(int(token))
        if len(continuation) == length:
            return continuation
    raise AssertionError("the continuation ended early")


def as_stored(ours: Ours, path: Path) -> dict[str, Array]:
    """Our weights as the file holds them, rounding included."""
    found = {tensor.name: tensor for tensor in gguf.GGUFReader(path).tensors}
    weights = {}
    for name in ours.hparams.shapes():
        tensor = found[tensor_name(name)]
        value = gguf.dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
        weights[name] = value.T.copy() if name.endswith("/w") else value
    return weights


def test_float16_at_the_shape_of_124m(full: Ours, scratch: Path) -> None:
    peer = theirs(export_model(full.folder, "gguf", scratch / "model.gguf"))
    prompt = Tokenizer.load(full.folder).encode(PROMPT)
    assert greedy(peer, prompt, 24) == full.greedy(prompt, 24)


def test_float16_of_a_small_model(small: Ours, scratch: Path) -> None:
    path = export_model(small.folder, "gguf", scratch / "model.gguf")
    stored = as_stored(small, path)
    assert all((stored[name] == value).all() for name, value in small.weights.items())
    peer = theirs(path)
    tokens = np.random.default_rng(0).integers(0, 50257, 300)
    difference = np.abs(logits(peer, tokens.tolist()) - small.logits(tokens)).max()
    print(f"float16: {difference:.2e}")
    assert difference < 0.05  # llama.cpp rounds activations to float16 for its products
    prompt = Tokenizer.load(small.folder).encode(PROMPT)
    assert greedy(peer, prompt, 100) == small.greedy(prompt, 100)


def test_float16_of_llamas_blocks(llama: Ours, scratch: Path) -> None:
    peer = theirs(export_model(llama.folder, "gguf", scratch / "model.gguf"))
    tokens = np.random.default_rng(0).integers(0, 50257, 300)
    difference = np.abs(logits(peer, tokens.tolist()) - llama.logits(tokens)).max()
    print(f"float16: {difference:.2e}")
    assert difference < 0.05
    prompt = Tokenizer.load(llama.folder).encode(PROMPT)
    llama.assert_chooses(prompt, greedy(peer, prompt, 100), margin=0.1)  # of which rounding takes some


def test_continuations_of_the_real_smollm2(smollm2: Ours, scratch: Path) -> None:
    peer = theirs(export_model(smollm2.folder, "gguf", scratch / "model.gguf"))
    tokenizer = Tokenizer.load(smollm2.folder)
    for text in PROMPTS:
        prompt = [tokenizer.end_of_text, *tokenizer.encode(text)]
        smollm2.assert_chooses(prompt, greedy(peer, prompt, 60), margin=0.1)


def test_q8_0_of_a_small_model(small: Ours, scratch: Path) -> None:
    path = export_model(small.folder, "gguf-q8_0", scratch / "model.gguf")
    stored = as_stored(small, path)
    peer = theirs(path)
    tokens = np.random.default_rng(0).integers(0, 50257, 300)
    ours = small.logits(tokens, stored)
    difference = np.abs(logits(peer, tokens.tolist()) - ours)
    print(f"q8_0: at most {difference.max():.2e}, on average {difference.mean():.2e}, of {ours.std():.2f}")
    assert difference.mean() < 0.02 * ours.std()  # it rounds activations to eight bits too
    prompt = Tokenizer.load(small.folder).encode(PROMPT)
    assert greedy(peer, prompt, 40) == small.greedy(prompt, 40, stored)


def test_digits_are_split_as_ours_are(llama: Ours, scratch: Path) -> None:
    path = export_model(llama.folder, "gguf", scratch / "model.gguf")
    peer = llama_cpp.Llama(str(path), vocab_only=True, verbose=False)
    tokenizer = Tokenizer.load(llama.folder)
    for text in TORTURE.values():
        assert peer.tokenize(text.encode(), add_bos=False, special=False) == tokenizer.encode(text)


@pytest.mark.parametrize("name", TORTURE)
def test_tokens_are_ours(small: Ours, scratch: Path, name: str) -> None:
    path = export_model(small.folder, "gguf", scratch / "model.gguf")
    peer = llama_cpp.Llama(str(path), vocab_only=True, verbose=False)
    text = TORTURE[name]
    assert peer.tokenize(text.encode(), add_bos=False, special=False) == Tokenizer.load(small.folder).encode(
        text
    )
    assert peer.token_eos() == 50256
