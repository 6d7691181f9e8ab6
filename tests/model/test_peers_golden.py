"""The network against GPT-2 written from the papers, and against what transformers and llama.cpp once said.

`tests/peers/record.py` wrote the golden values; `make peers` compares with the living peers.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import reference
from toy_models import TOY, write_model

from blog_gen.model.hparams import HParams
from blog_gen.model.quiet import quiet
from blog_gen.model.weights import load_weights

quiet()
from keras import ops  # noqa: E402

from blog_gen.model.training import network  # noqa: E402

Array = np.ndarray[Any, Any]
GOLDEN = Path(__file__).parent / "golden"
LONG = HParams(n_vocab=260, n_ctx=1024, n_embd=32, n_head=4, n_layer=2)


def of_network(weights: dict[str, Array], tokens: Array, hparams: HParams) -> Array:
    values: Array = ops.convert_to_numpy(network.logits(weights, tokens[None].astype("int32"), hparams))[0]
    return values


@pytest.fixture(scope="module")
def said() -> dict[str, Any]:
    values: dict[str, Any] = json.loads((GOLDEN / "peers.json").read_text(encoding="utf-8"))
    return values


@pytest.fixture(scope="module")
def long_weights(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Array]:
    folder = write_model(tmp_path_factory.mktemp("long"), LONG)
    return load_weights(folder, LONG)


@pytest.mark.parametrize("length", [1, 2, 255, 256, 257, 1024])
def test_the_network_is_the_papers(long_weights: dict[str, Array], length: int) -> None:
    tokens = np.random.default_rng(length).integers(0, 260, length)
    expected = reference.logits(long_weights, tokens, LONG)
    np.testing.assert_allclose(of_network(long_weights, tokens, LONG), expected, rtol=0, atol=1e-4)


def test_logits_are_those_of_transformers(said: dict[str, Any]) -> None:
    hparams = HParams.load(GOLDEN / "model")
    weights = load_weights(GOLDEN / "model", hparams)
    tokens, expected = np.array(said["prompt"]), np.array(said["transformers"]["logits"])
    np.testing.assert_allclose(of_network(weights, tokens, hparams), expected, rtol=0, atol=1e-4)
    np.testing.assert_allclose(reference.logits(weights, tokens, hparams), expected, rtol=0, atol=1e-4)


def test_the_greedy_continuation_is_that_of_transformers_and_llama_cpp(said: dict[str, Any]) -> None:
    hparams = HParams.load(GOLDEN / "model")
    weights = load_weights(GOLDEN / "model", hparams)
    tokens = list(said["prompt"])
    padded = np.zeros(hparams.n_ctx, int)  # a later token never changes an earlier logit
    for _ in said["llama.cpp"]["greedy"]:
        padded[: len(tokens)] = tokens
        tokens.append(int(of_network(weights, padded, hparams)[len(tokens) - 1].argmax()))
    grown = tokens[len(said["prompt"]) :]
    assert grown == said["transformers"]["greedy"] == said["llama.cpp"]["greedy"]


def test_every_tensor_counts(tmp_path: Path) -> None:
    """A weight that the logits did not depend on would be one that no comparison could check."""
    weights = load_weights(write_model(tmp_path), TOY)
    tokens = np.arange(TOY.n_ctx)
    before = reference.logits(weights, tokens, TOY)
    for name, value in weights.items():
        changed = dict(weights) | {name: value + np.linspace(-0.1, 0.1, value.size).reshape(value.shape)}
        assert np.abs(reference.logits(changed, tokens, TOY) - before).max() > 1e-3, name
