"""Llama's checkpoints, in and out: bit for bit, the pairs of rotary heads in their places, others refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
from toy_models import FAMILIES, write_model

from blog_gen.errors import ModelError
from blog_gen.model.formats import open_checkpoint, write_checkpoint
from blog_gen.model.formats.gguf import in_halves, side_by_side
from blog_gen.model.hparams import HParams

LLAMA = FAMILIES["llama"]


def weights(path: Path) -> dict[str, np.ndarray[Any, Any]]:
    return dict(open_checkpoint(path).verified())


@pytest.fixture(scope="module", params=[False, True], ids=["own head", "tied"])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("llama"), replace(LLAMA, tied=request.param), dtype="float16")


@pytest.fixture
def hf(model: Path, tmp_path: Path) -> Path:
    write_checkpoint(open_checkpoint(model), "hf", tmp_path / "hf")
    return tmp_path / "hf"


@pytest.mark.parametrize("kind", ["hf", "gguf", "folder"])
def test_there_and_back_it_is_the_same_model(model: Path, tmp_path: Path, kind: str) -> None:
    write_checkpoint(open_checkpoint(model), kind, tmp_path / "there")
    back, own = open_checkpoint(tmp_path / "there"), open_checkpoint(model)
    assert back.hparams == own.hparams and back.tokenizer.encode("the 12") == own.tokenizer.encode("the 12")
    there, here = weights(tmp_path / "there"), weights(model)
    assert there.keys() == here.keys()
    for name, value in here.items():
        np.testing.assert_array_equal(there[name], value, err_msg=name)


def test_the_parts_lie_where_transformers_looks(hf: Path, model: Path) -> None:
    from safetensors.numpy import load_file

    theirs, ours = load_file(hf / "model.safetensors"), weights(model)
    mixed = ours["h1/attn/c_attn/w"]  # (32, 32 + 16 + 16)
    np.testing.assert_array_equal(theirs["model.layers.1.self_attn.k_proj.weight"], mixed[:, 32:48].T)
    np.testing.assert_array_equal(
        theirs["model.layers.1.mlp.up_proj.weight"], ours["h1/mlp/c_fc/w"][:, 64:].T
    )
    assert ("lm_head.weight" in theirs) == ("head" in ours)


def test_pairs_side_by_side_and_in_halves_undo_each_other() -> None:
    rows = np.arange(4 * 8 * 3).reshape(32, 3)
    np.testing.assert_array_equal(in_halves(side_by_side(rows, 4), 4), rows)
    assert side_by_side(rows, 4)[:4, 0].tolist() == [0, 12, 3, 15]  # 0 and 4 of the first head, then 1 and 5


def changed(hf: Path, name: str, change: Callable[[dict[str, Any]], None]) -> Path:
    content = json.loads((hf / name).read_text())
    change(content)
    (hf / name).write_text(json.dumps(content))
    return hf


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("rms_norm_eps", 1e-6),
        ("hidden_act", "gelu"),
        ("rope_scaling", {"rope_type": "llama3", "factor": 8.0}),
        ("rope_parameters", {"rope_type": "yarn"}),
        ("attention_bias", True),
        ("head_dim", 16),
    ],
)
def test_another_arithmetic_is_refused_by_name(hf: Path, key: str, value: object) -> None:
    name = "rope_type" if key == "rope_parameters" else key
    with pytest.raises(ModelError, match=f"the network must be GPT-2's or Llama's; got {name} "):
        open_checkpoint(changed(hf, "config.json", lambda config: config.update({key: value})))


def test_the_base_of_the_frequencies_is_found_where_version_5_of_transformers_puts_it(hf: Path) -> None:
    def move(config: dict[str, Any]) -> None:
        config["rope_parameters"] = {"rope_type": "default", "rope_theta": config.pop("rope_theta")}

    assert open_checkpoint(changed(hf, "config.json", move)).hparams.rope_theta == 500.0


def test_another_splitting_of_text_is_refused_by_name(hf: Path) -> None:
    def other(tokenizer: dict[str, Any]) -> None:
        tokenizer["pre_tokenizer"] = {"type": "Metaspace"}

    with pytest.raises(ModelError, match="first split by Metaspace"):
        open_checkpoint(changed(hf, "tokenizer.json", other))


def test_a_gguf_of_another_architecture_or_splitting_is_refused_by_name(tmp_path: Path) -> None:
    gpt2 = write_model(tmp_path / "gpt2", FAMILIES["gpt2"])
    write_checkpoint(open_checkpoint(gpt2), "gguf", tmp_path / "gpt2.gguf")
    with pytest.raises(ModelError, match=r"got general\.architecture 'gpt2'"):
        open_checkpoint(tmp_path / "gpt2.gguf")


def test_a_gguf_of_blocks_is_dequantised(model: Path, tmp_path: Path) -> None:
    write_checkpoint(open_checkpoint(model), "gguf-q8_0", tmp_path / "there")
    there, here = weights(tmp_path / "there"), weights(model)
    for name, value in here.items():
        step = np.abs(value).max() / 127
        np.testing.assert_allclose(there[name], value, atol=step, err_msg=name)


def test_a_cut_gguf_is_one_clear_error(model: Path, tmp_path: Path) -> None:
    write_checkpoint(open_checkpoint(model), "gguf", tmp_path / "whole.gguf")
    content = (tmp_path / "whole.gguf").read_bytes()
    for length in (10, 2000, len(content) - 100):
        (tmp_path / "cut.gguf").write_bytes(content[:length])
        with pytest.raises(ModelError, match="complete"):
            weights(tmp_path / "cut.gguf")


def test_an_unknown_quantisation_is_named(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*arguments: object) -> None:
        raise NotImplementedError

    write_checkpoint(open_checkpoint(model), "gguf-q8_0", tmp_path / "there")
    monkeypatch.setattr(gguf.quants, "dequantize", unknown)
    with pytest.raises(ModelError, match="Q8_0 is a quantisation that is not known"):
        weights(tmp_path / "there")


def test_hparams_of_a_gpt2_are_five_numbers_as_before(tmp_path: Path) -> None:
    FAMILIES["gpt2"].save(tmp_path)
    assert set(json.loads((tmp_path / "hparams.json").read_text())) == {
        "n_vocab",
        "n_ctx",
        "n_embd",
        "n_head",
        "n_layer",
    }
    LLAMA.save(tmp_path)
    assert HParams.load(tmp_path) == LLAMA
