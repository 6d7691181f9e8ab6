"""Every token is scored once, with at least half a context before it, and the sums are what they say."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from blog_gen.model.hparams import HParams
from blog_gen.model.pretraining.vocabulary import train_vocabulary
from blog_gen.model.training.evaluation import KerasScorer, evaluate, windows_of
from blog_gen.model.weights import initial_weights, load_weights, save_weights

HPARAMS = HParams(n_vocab=270, n_ctx=64, n_embd=32, n_head=2, n_layer=2)
TEXT = "the cat sat on the mat, and the mat sat on the cat; " * 20


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("model")
    train_vocabulary([TEXT], HPARAMS.n_vocab, made)
    weights = initial_weights(HPARAMS, seed=5)
    save_weights({name: 3.0 * value for name, value in weights.items()}, made)
    HPARAMS.save(made)
    return made


@pytest.mark.parametrize("length", [1, 63, 64, 65, 200, 256])
def test_windows_cover_every_target_once_with_enough_before_it(length: int) -> None:
    ids = list(range(length + 1))
    scored: list[int] = []
    for window in windows_of(0, ids, 64):
        assert window.ids == ids[window.start : window.start + len(window.ids)]
        fresh = range(window.start + window.fresh, window.start + len(window.ids) - 1)
        scored += fresh
        assert all(target - window.start >= min(target, 32) for target in fresh)
    assert scored == list(range(length))


def test_scores_are_those_of_the_plain_formula(folder: Path) -> None:
    scorer = KerasScorer(folder)
    ids = scorer.tokenizer.encode("the cat sat on the mat")
    end = scorer.tokenizer.end_of_text
    (scores,) = scorer([ids])

    from blog_gen.model.training import network

    weights = load_weights(folder, HPARAMS)
    logits = np.asarray(network.logits(weights, np.array([[end, *ids]], np.int32), HPARAMS))[0]
    wanted = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    np.testing.assert_allclose(scores, wanted[range(len(ids) + 1), [*ids, end]], atol=1e-4)


def test_batches_of_many_shapes_are_scored_without_a_word(
    folder: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    scorer = KerasScorer(folder)
    for count in range(1, 8):
        scorer([[1, 2]] * count)
    assert capfd.readouterr().err == "" and caplog.messages == []


def test_texts_are_scored_alike_alone_and_together(folder: Path) -> None:
    scorer = KerasScorer(folder)
    texts = [scorer.tokenizer.encode(TEXT[: 10 * n]) for n in (3, 50, 7, 90)]
    together = scorer(texts)
    for text, scores in zip(texts, together, strict=True):
        np.testing.assert_allclose(scorer([text])[0], scores, atol=1e-4)


def test_bits_per_byte_count_bytes_and_the_end(folder: Path) -> None:
    scorer = KerasScorer(folder)
    found = evaluate(["café"], scorer.tokenizer, scorer)
    assert found.bytes == 5
    assert found.tokens == len(scorer.tokenizer.encode("café")) + 1
    assert found.bits_per_byte == pytest.approx(found.loss * found.tokens / math.log(2) / 5)
    assert found.perplexity == pytest.approx(math.exp(found.loss))
