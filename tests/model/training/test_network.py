"""Laws of the network, the loss and dropout, on a small random model."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from blog_gen.model.hparams import HParams
from blog_gen.model.quiet import quiet
from blog_gen.model.training.dataset import pack
from blog_gen.model.weights import initial_weights

quiet()
from keras import ops  # noqa: E402

from blog_gen.model.training import fused, loss, memory, network  # noqa: E402
from blog_gen.model.training.dropout import NO_DROPOUT, Dropout, dropped  # noqa: E402
from blog_gen.model.training.fused_attention import attend, prefixes, split_heads  # noqa: E402
from blog_gen.model.training.fusion import checkpointed  # noqa: E402

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

    monkeypatch.setattr(memory, "CHUNK_LOGITS", 7 * 97)
    states = tf.constant(np.random.default_rng(4).normal(size=(40, 32)).astype("float32"))
    table, targets = weights["wte"], tf.constant(_tokens(40))
    share = tf.constant(np.linspace(0, 0.1, 40, dtype="float32"))
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([states, table])
        ours = 3.0 * loss.chunked_cross_entropy(states, table, targets, share)
        each = tf.nn.sparse_softmax_cross_entropy_with_logits(targets, states @ tf.transpose(table))
        plain = 3.0 * tf.reduce_sum(each * share)
    assert float(ours) == pytest.approx(float(plain), rel=1e-5)
    assert float(loss.cross_entropy(states, table, targets, share)) == pytest.approx(
        float(plain) / 3, rel=1e-5
    )
    for source in (states, table):
        np.testing.assert_allclose(tape.gradient(ours, source), tape.gradient(plain, source), atol=1e-5)


def test_dropout_is_fair_unbiased_and_only_depends_on_its_seed() -> None:
    ones = ops.ones((4, 64, 128))
    first = Dropout(0.25, ops.convert_to_tensor(7, "uint32"))
    second = Dropout(0.25, ops.convert_to_tensor(8, "uint32"))
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


def _through(function: Callable[..., Any], *arrays: Any) -> list[Any]:
    """Gradients of `function`, its results weighted unevenly, with respect to all its arguments."""
    import tensorflow as tf

    tensors = [tf.constant(array) for array in arrays]
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        results = tf.nest.flatten(function(*tensors))
        total = sum(tf.reduce_sum(r * tf.reshape(tf.range(float(tf.size(r))), r.shape)) for r in results)
    return [gradient.numpy() for gradient in tape.gradient(total, tensors)]


def _numbers(*shape: int) -> Any:
    return np.random.default_rng(sum(shape)).normal(size=shape).astype("float32")


def _plain_norm(x: Any, gain: Any, bias: Any) -> Any:
    centred = x - ops.mean(x, axis=-1, keepdims=True)
    return centred * ops.rsqrt(ops.mean(centred**2, axis=-1, keepdims=True) + 1e-5) * gain + bias


def _plain_sum(x: Any, y: Any, bias: Any, gain: Any, shift: Any) -> Any:
    stream = x + y + bias
    return stream, _plain_norm(stream, gain, shift)


def _plain_heads(mixed: Any, bias: Any) -> Any:
    split = ops.reshape(mixed + bias, (2, 6, 3, 4, 2))
    query, key, value = (split[:, :, part] for part in range(3))
    query = ops.transpose(query, (0, 2, 1, 3)) / math.sqrt(2)
    return query, ops.transpose(key, (0, 2, 3, 1)), ops.transpose(value, (0, 2, 1, 3))


def _plain_rms(x: Any, gain: Any) -> Any:
    return x * ops.rsqrt(ops.mean(x**2, axis=-1, keepdims=True) + 1e-5) * gain


def _plain_rms_sum(x: Any, y: Any, gain: Any) -> Any:
    return x + y, _plain_rms(x + y, gain)


def _plain_swiglu(x: Any) -> Any:
    return ops.silu(x[..., :4]) * x[..., 4:]


ANGLES = np.linspace(0.0, 3.0, 6, dtype="float32")[None, :, None, None]  # of one pair in six positions


def _plain_grouped_heads(mixed: Any) -> Any:
    """Four heads of width 2 over two of keys and values, as complex numbers turned by ANGLES."""
    split = ops.reshape(mixed, (2, 6, 8, 2))
    cosine, sine = np.cos(ANGLES), np.sin(ANGLES)
    one, two = split[..., :1], split[..., 1:]
    turned = ops.concatenate([one * cosine - two * sine, one * sine + two * cosine], axis=-1)
    query = ops.transpose(turned[:, :, :4], (0, 2, 1, 3)) / math.sqrt(2)
    value = ops.transpose(split[:, :, 6:], (0, 2, 1, 3))
    return query, ops.transpose(turned[:, :, 4:6], (0, 2, 3, 1)), value


def _plain_attention(query: Any, key: Any, value: Any) -> Any:
    """Four heads over two of keys and values, six queries of nine tokens."""
    scores = query @ ops.repeat(key, 2, axis=1)
    seen = np.arange(9)[None, :] <= np.arange(3, 9)[:, None]
    return ops.softmax(ops.where(seen, scores, -1e30), axis=-1) @ ops.repeat(value, 2, axis=1)


@pytest.mark.parametrize(
    ("ours", "plain", "shapes"),
    [
        (fused.gelu, lambda x, b: ops.gelu(x + b, approximate=True), [(2, 6, 8), (8,)]),
        (fused.swiglu, _plain_swiglu, [(2, 6, 8)]),
        (lambda x, g, s: fused.normalise(x, (g, s)), _plain_norm, [(2, 6, 8), (8,), (8,)]),
        (lambda x, g: fused.normalise(x, (g, None)), _plain_rms, [(2, 6, 8), (8,)]),
        (
            lambda x, y, b, g, s: fused.add_and_norm(x, y, b, (g, s), NO_DROPOUT, 0),
            _plain_sum,
            [(2, 6, 8), (2, 6, 8), (8,), (8,), (8,)],
        ),
        (
            lambda x, y, g: fused.add_and_norm(x, y, None, (g, None), NO_DROPOUT, 0),
            _plain_rms_sum,
            [(2, 6, 8), (2, 6, 8), (8,)],
        ),
        (lambda mixed, bias: split_heads(mixed, bias, 4, 4), _plain_heads, [(2, 6, 24), (24,)]),
        (
            lambda mixed: split_heads(mixed, None, 4, 2, (np.cos(ANGLES), np.sin(ANGLES))),
            _plain_grouped_heads,
            [(2, 6, 16)],
        ),
        (
            lambda query, key, value: attend(query, key, value, 3),
            _plain_attention,
            [(2, 4, 6, 5), (2, 2, 5, 9), (2, 2, 9, 5)],
        ),
        (
            lambda x: tuple(prefixes(x, (2, 5, 6), 2)),
            lambda x: (x[:, :, :2], x[:, :, :5], x),
            [(2, 4, 6, 9)],
        ),
    ],
    ids=[
        "gelu",
        "swiglu",
        "layer_norm",
        "rms_norm",
        "add_and_layer_norm",
        "add_and_rms_norm",
        "split_heads",
        "split_grouped_turned_heads",
        "grouped_attention",
        "prefixes",
    ],
)
def test_gradients_written_by_hand_are_those_of_the_plain_formula(
    ours: Callable[..., Any], plain: Callable[..., Any], shapes: list[tuple[int, ...]]
) -> None:
    arrays = [_numbers(*shape) for shape in shapes]
    for got, expected in zip(_through(ours, *arrays), _through(plain, *arrays), strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-3, atol=2e-3 * np.abs(expected).max())


def test_attention_computed_twice_has_the_same_gradient(weights: dict[str, Any]) -> None:
    tokens, matrix = _tokens(2, 300), "h0/attn/c_attn/w"

    def states(wrap: network.Wrap) -> Callable[[Any], Any]:
        return lambda w: network.hidden_states(weights | {matrix: w}, tokens, HPARAMS, wrap_attention=wrap)

    (once,), (twice,) = (
        _through(states(wrap), np.asarray(weights[matrix])) for wrap in (network.as_it_is, checkpointed)
    )
    np.testing.assert_allclose(twice, once, rtol=1e-5, atol=1e-5 * np.abs(once).max())


def test_dropout_drops_the_same_going_back(weights: dict[str, Any]) -> None:
    dropout = Dropout(0.25, ops.convert_to_tensor(7, "uint32"))
    x, y, bias, gain, shift = (_numbers(2, 6, 32) if at < 2 else np.ones(32, "float32") for at in range(5))

    def plain(x: Any, y: Any, bias: Any, gain: Any, shift: Any) -> Any:
        mask = dropped(ops.ones((2, 6, 32)), dropout.seed_at(3), 0.25)
        return _plain_sum(x, (y + bias) * mask, 0.0, gain, shift)

    def ours(x: Any, y: Any, bias: Any, gain: Any, shift: Any) -> Any:
        return fused.add_and_norm(x, y, bias, (gain, shift), dropout, 3)

    for got, expected in zip(
        _through(ours, x, y, bias, gain, shift), _through(plain, x, y, bias, gain, shift), strict=True
    ):
        np.testing.assert_allclose(got, expected, rtol=1e-3, atol=1e-3 * np.abs(expected).max())
