"""Evening out channels changes no number in float, and lets int8 stand channels that stand out."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from toy_models import FAMILIES, write_vocabulary

from blog_gen.model.arrays import Array
from blog_gen.model.hparams import HParams
from blog_gen.model.sampling.sampling import Sampler
from blog_gen.model.sampling.smoothing import smooth
from blog_gen.model.weights import initial_weights, save_weights

CASES = {name: dataclasses.replace(FAMILIES[name], n_layer=1) for name in FAMILIES}
TOKENS = np.random.default_rng(1).integers(0, 260, 40)


def weights_of(hparams: HParams, spread: float) -> dict[str, Array]:
    """Random weights; wherever channels can be evened out, the inputs of two are larger by `spread`.

    What they are multiplied by is smaller by as much, as in a real model, where no channel is everything.
    """
    rng = np.random.default_rng(0)
    weights = {
        name: (value + 0.2 * rng.standard_normal(value.shape)).astype(np.float32)
        for name, value in initial_weights(hparams).items()
    }
    head, groups = "wte" if hparams.tied else "head", hparams.n_head // hparams.kv_heads
    for norm, product in (("h0/ln_1", "h0/attn/c_attn/w"), ("h0/ln_2", "h0/mlp/c_fc/w"), ("ln_f", "")):
        for name in {f"{norm}/g", f"{norm}/b"} & set(weights):
            weights[name][[3, 17]] *= spread
        (weights[product] if product else weights[head].T)[[3, 17]] /= spread
    width = hparams.head_width
    weights["h0/attn/c_attn/w"][:, -width * hparams.kv_heads :][:, [2, 5]] *= spread  # of the first values
    if hparams.biases:
        weights["h0/attn/c_attn/b"][-width * hparams.kv_heads :][[2, 5]] *= spread
    weights["h0/attn/c_proj/w"][[at + width * head for at in (2, 5) for head in range(groups)]] /= spread
    if hparams.feed_forward == "swiglu":
        weights["h0/mlp/c_fc/w"][:, hparams.inner :][:, [4, 40]] *= spread
        weights["h0/mlp/c_proj/w"][[4, 40]] /= spread
    return weights


@pytest.mark.parametrize("hparams", CASES.values(), ids=CASES)
def test_in_float_nothing_changes(hparams: HParams) -> None:
    from blog_gen.model.training import network

    weights = weights_of(hparams, 256)
    smoothed = smooth(weights, hparams, TOKENS.tolist())
    evened, factors = dict(smoothed.weights), smoothed.head
    assert np.ptp(np.log2(factors)) > 2, "something was to be evened out"
    head = "wte" if hparams.tied else "head"
    np.testing.assert_array_equal(evened[head], weights[head] * factors)
    evened |= {"head": evened[head], "wte": weights["wte"]}
    before, after = (np.asarray(network.logits(w, TOKENS[None], hparams)) for w in (weights, evened))
    np.testing.assert_allclose(after, before, rtol=0, atol=1e-5 * np.abs(before).max())


@pytest.mark.parametrize("hparams", CASES.values(), ids=CASES)
def test_channels_that_stand_out_cost_int8_little(hparams: HParams, tmp_path: Path) -> None:
    def cost(spread: float) -> float:
        folder = tmp_path / str(spread)
        write_vocabulary(folder)
        hparams.save(folder)
        save_weights(weights_of(hparams, spread), folder)
        rounded, exact = (
            Sampler.open(folder, precision=each).log_probabilities(TOKENS.tolist())
            for each in ("int8", "float32")
        )
        return float(np.abs(rounded - exact).mean() / exact.std())

    assert cost(256) < 2.5 * cost(1)  # and fifty times as much if nothing is evened out
