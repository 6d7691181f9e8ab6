"""Laws of the network, the loss and dropout, on a small random model."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from blog_gen.gpt2.dataset import pack
from blog_gen.gpt2.hparams import HParams
from blog_gen.gpt2.quiet import quiet
from blog_gen.gpt2.weights import initial_weights

quiet()
from keras import ops  # noqa: E402

from blog_gen.gpt2 import loss, network  # noqa: E402

HPARAMS = HParams(n_vocab=97, n_ctx=320, n_embd=32, n_head=4, n_layer=2)
END = 96


@pytest.fixture(scope="module")
def weights() -> dict[str, Any]:
    made = initial_weights(HPARAMS, seed=1)
    rng = np.random.default_rng(2)  # off the symmetric start: biases and norms must matter too
    noisy = {name: value + rng.normal(0, 0.05, value.shape) for name, value in made.items()}
    return {name: ops.convert_to_tensor(value.astype("float32")) for name, value in noisy.items()}


def _tokens(*shape: int) -> Any:
    return np.random.default_rng(3).integers(0, END, shape).astype("int32")


def test_a_later_token_never_changes_an_earlier_logit(weights: dict[str, Any]) -> None:
    tokens = _tokens(1, 300)
    changed = tokens.copy()
    changed[0, 280] = (changed[0, 280] + 1) % END
    before = ops.convert_to_numpy(network.logits(weights, tokens, HPARAMS))
    after = ops.convert_to_numpy(network.logits(weights, changed, HPARAMS))
    np.testing.assert_array_equal(before[0, :280], after[0, :280])
    assert np.abs(before[0, 280:] - after[0, 280:]).max() > 1e-3


def test_query_blocks_do_not_show(weights: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    tokens = _tokens(2, 300)
    blocked = ops.convert_to_numpy(network.logits(weights, tokens, HPARAMS))
    monkeypatch.setattr(network, "QUERY_BLOCK", 1024)
    whole = ops.convert_to_numpy(network.logits(weights, tokens, HPARAMS))
    np.testing.assert_allclose(blocked, whole, atol=1e-5)


def test_texts_packed_in_one_row_are_as_alone(weights: dict[str, Any]) -> None:
    texts = [_tokens(30).tolist(), _tokens(70).tolist()[::-1], _tokens(20).tolist()]
    rows = pack(texts, END, n_ctx=192)
    assert len(rows) == 1
    packing = network.Packing(rows.positions, rows.segments)
    packed = ops.convert_to_numpy(
        network.hidden_states(weights, ops.convert_to_tensor(rows.tokens), HPARAMS, packing=packing)
    )
    for text in texts:
        alone = ops.convert_to_numpy(network.hidden_states(weights, np.array([[END, *text]]), HPARAMS))
        start = next(
            at for at in range(128) if rows.tokens[0, at : at + len(text) + 1].tolist() == [END, *text]
        )
        np.testing.assert_allclose(packed[0, start : start + len(text) + 1], alone[0], atol=1e-5)


def test_the_chunked_loss_and_its_gradient_are_those_of_all_logits(
    weights: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    import tensorflow as tf

    monkeypatch.setattr(loss, "CHUNK_TOKENS", 7)
    states = tf.constant(np.random.default_rng(4).normal(size=(40, 32)).astype("float32"))
    table, targets = weights["wte"], tf.constant(_tokens(40))
    share = tf.constant(np.linspace(0, 0.1, 40, dtype="float32"))
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([states, table])
        ours = 3.0 * loss.chunked_cross_entropy(states, table, targets, share)
        each = tf.nn.sparse_softmax_cross_entropy_with_logits(targets, states @ tf.transpose(table))
        plain = 3.0 * tf.reduce_sum(each * share)
    assert float(ours) == pytest.approx(float(plain), rel=1e-5)
    for source in (states, table):
        np.testing.assert_allclose(tape.gradient(ours, source), tape.gradient(plain, source), atol=1e-5)


def test_dropout_is_fair_unbiased_and_only_depends_on_its_seed() -> None:
    ones = ops.ones((4, 64, 128))
    first = network.Dropout(0.25, ops.convert_to_tensor(7, "uint32"))
    second = network.Dropout(0.25, ops.convert_to_tensor(8, "uint32"))
    kept = ops.convert_to_numpy(first(ones, place=3))
    np.testing.assert_array_equal(kept, ops.convert_to_numpy(first(ones, place=3)))
    assert set(np.unique(kept)) == {0.0, np.float32(1 / 0.75)}
    standard_error = math.sqrt(0.25 * 0.75 / kept.size)
    assert abs((kept == 0).mean() - 0.25) < 5 * standard_error
    for other in (first(ones, place=4), second(ones, place=3)):
        both = ((kept == 0) & (ops.convert_to_numpy(other) == 0)).mean()
        assert abs(both - 0.0625) < 5 * math.sqrt(0.0625 / kept.size)  # independent masks


def test_initial_loss_is_that_of_a_uniform_guess() -> None:
    fresh = {name: ops.convert_to_tensor(value) for name, value in initial_weights(HPARAMS).items()}
    logits = ops.convert_to_numpy(network.logits(fresh, _tokens(2, 64), HPARAMS))
    entropy = np.log(np.exp(logits).sum(-1)).mean() - logits.mean()
    assert entropy == pytest.approx(math.log(97), abs=0.05)
