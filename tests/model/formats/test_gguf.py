"""GGUF as the project's own reader sees it; that llama.cpp runs it is proven by `make peers`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
from toy_models import MERGES, TOY, write_model

from blog_gen.errors import ModelError
from blog_gen.model.hparams import HParams
from blog_gen.model.weights import load_weights, save_weights
from blog_gen.model.zoo.exchange import export_model


def read(path: Path) -> tuple[Any, dict[str, Any]]:
    reader = gguf.GGUFReader(path)
    return reader, {tensor.name: tensor for tensor in reader.tensors}


def test_float16_is_lossless_and_transposed(tmp_path: Path) -> None:
    model = write_model(tmp_path / "model", dtype="float16")
    _, tensors = read(export_model(model, "gguf", tmp_path / "model.gguf"))
    weights = load_weights(model, TOY)
    assert len(tensors) == len(weights)
    for theirs, ours in (
        ("token_embd.weight", weights["wte"]),
        ("position_embd.weight", weights["wpe"]),
        ("blk.1.attn_qkv.weight", weights["h1/attn/c_attn/w"].T),
        ("blk.0.ffn_down.weight", weights["h0/mlp/c_proj/w"].T),
        ("blk.0.ffn_norm.bias", weights["h0/ln_2/b"]),
        ("output_norm.weight", weights["ln_f/g"]),
    ):
        np.testing.assert_array_equal(np.asarray(tensors[theirs].data, np.float32), ours)


def test_q8_0_keeps_each_weight_within_half_a_step(tmp_path: Path) -> None:
    model = write_model(tmp_path / "model")
    _, tensors = read(export_model(model, "gguf-q8_0", tmp_path / "model.gguf"))
    tensor, exact = tensors["blk.0.attn_output.weight"], load_weights(model, TOY)["h0/attn/c_proj/w"].T
    assert tensor.tensor_type == gguf.GGMLQuantizationType.Q8_0
    step = np.abs(exact.reshape(-1, 32)).max(axis=1, keepdims=True) / 127
    error = np.abs(gguf.dequantize(tensor.data, tensor.tensor_type) - exact).reshape(-1, 32)
    assert (error <= 0.5 * step + 127 * step * 2**-11).all()  # and the scale's own rounding to float16


def test_rows_that_are_no_whole_blocks_stay_float16(tmp_path: Path) -> None:
    model = write_model(tmp_path / "model", HParams(260, 8, 40, 4, 1))
    _, tensors = read(export_model(model, "gguf-q8_0", tmp_path / "model.gguf"))
    assert tensors["blk.0.attn_qkv.weight"].tensor_type == gguf.GGMLQuantizationType.F16
    assert tensors["blk.0.ffn_down.weight"].tensor_type == gguf.GGMLQuantizationType.Q8_0  # rows of 160


def test_the_vocabulary_is_there(tmp_path: Path) -> None:
    reader, _ = read(export_model(write_model(tmp_path / "model"), "gguf", tmp_path / "model.gguf"))
    fields = reader.fields
    tokens = fields["tokenizer.ggml.tokens"].contents()
    assert (len(tokens), tokens[-1], tokens[-2]) == (260, "<|endoftext|>", "Ġthe")
    assert fields["tokenizer.ggml.merges"].contents() == list(MERGES)
    assert fields["tokenizer.ggml.eos_token_id"].contents() == 259
    assert fields["gpt2.context_length"].contents() == TOY.n_ctx


def test_a_weight_beyond_float16_is_refused(tmp_path: Path) -> None:
    model = write_model(tmp_path / "model")
    weights = load_weights(model, TOY)
    weights["h0/mlp/c_fc/w"][3, 3] = 1e6
    save_weights(weights, model)
    with pytest.raises(ModelError, match="float16 must hold every weight; got h0/mlp/c_fc/w"):
        export_model(model, "gguf", tmp_path / "model.gguf")
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
