"""Checkpoints in and out: what comes back is what was written, and what is wrong is named, all at once."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file
from toy_models import TOY, write_model, write_vocabulary

from blog_gen.errors import BlogGenError, ModelError, UsageError
from blog_gen.model.formats import open_checkpoint, recognise, write_checkpoint
from blog_gen.model.hparams import HParams
from blog_gen.model.tensor_file import read_tensors
from blog_gen.model.weights import load_weights

Array = np.ndarray[Any, Any]
LOSSLESS = ("folder", "hf", "openai")


def contents(folder: Path) -> dict[str, bytes]:
    """Everything that makes a model, as bytes."""
    weights = load_weights(folder, HParams.load(folder))
    files = {name: (folder / name).read_bytes() for name in ("encoder.json", "vocab.bpe", "hparams.json")}
    return files | {name: value.tobytes() for name, value in weights.items()}


def there_and_back(folder: Path, kind: str, tmp_path: Path) -> Path:
    write_checkpoint(open_checkpoint(folder), kind, tmp_path / "out")
    assert recognise(tmp_path / "out") == kind
    write_checkpoint(open_checkpoint(tmp_path / "out"), "folder", tmp_path / "back")
    return tmp_path / "back"


@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("kind", LOSSLESS)
def test_export_then_import_is_bit_exact(tmp_path: Path, kind: str, dtype: str) -> None:
    model = write_model(tmp_path / "model", dtype=dtype)
    back = there_and_back(model, kind, tmp_path)
    assert contents(back) == contents(model)
    kept = {tensor.dtype for tensor in read_tensors(back / "model.safetensors").values()}
    assert kept == {"float32" if kind == "openai" else dtype}


@settings(max_examples=25)
@given(
    st.integers(1, 3), st.integers(1, 3), st.integers(1, 5), st.integers(1, 40), st.integers(0, 9), st.data()
)
def test_any_shape_comes_back(
    tmp_path_factory: pytest.TempPathFactory,
    layers: int,
    heads: int,
    wide: int,
    ctx: int,
    seed: int,
    data: Any,
) -> None:
    folder = tmp_path_factory.mktemp("shapes")
    hparams = HParams(TOY.n_vocab, ctx, heads * wide, heads, layers)
    model = write_model(folder / "model", hparams, seed, data.draw(st.sampled_from(["float32", "float16"])))
    assert contents(there_and_back(model, data.draw(st.sampled_from(LOSSLESS)), folder)) == contents(model)


def test_the_safetensors_library_reads_what_is_written(tmp_path: Path) -> None:
    model = write_model(tmp_path / "model")
    write_checkpoint(open_checkpoint(model), "hf", tmp_path / "hf")
    theirs = load_file(tmp_path / "hf" / "model.safetensors")
    ours = load_weights(model, TOY)
    assert len(theirs) == len(ours)
    np.testing.assert_array_equal(theirs["transformer.h.1.mlp.c_fc.weight"], ours["h1/mlp/c_fc/w"])
    np.testing.assert_array_equal(theirs["transformer.h.0.ln_2.weight"], ours["h0/ln_2/g"])
    np.testing.assert_array_equal(theirs["transformer.wpe.weight"], ours["wpe"])


def test_tensorflow_reads_what_is_written_and_the_other_way(tmp_path: Path) -> None:
    import tensorflow as tf

    model = write_model(tmp_path / "model")
    write_checkpoint(open_checkpoint(model), "openai", tmp_path / "openai")
    latest = tf.train.latest_checkpoint(str(tmp_path / "openai"))
    reader = tf.train.load_checkpoint(latest)
    weights = load_weights(model, TOY)
    assert set(reader.get_variable_to_shape_map()) == {f"model/{name}" for name in weights}
    assert reader.get_variable_to_shape_map()["model/h0/attn/c_attn/w"] == [1, 32, 96]
    values = {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}
    for name, value in weights.items():
        np.testing.assert_array_equal(values[f"model/{name}"].reshape(value.shape), value)

    fine_tuned = tmp_path / "run1"
    fine_tuned.mkdir()
    tf.raw_ops.SaveV2(
        prefix=str(fine_tuned / "model-1000"),
        tensor_names=[*values, "global_step"],
        shape_and_slices=[""] * (len(values) + 1),
        tensors=[*values.values(), tf.constant(1000)],
    )
    checkpoint = open_checkpoint(fine_tuned, base=model)
    write_checkpoint(checkpoint, "folder", tmp_path / "back")
    assert contents(tmp_path / "back") == contents(model)


def test_a_fine_tuned_checkpoint_is_the_latest_and_needs_its_base(tmp_path: Path) -> None:
    run = tmp_path / "run1"
    for step, seed in ((900, 1), (1000, 2)):
        write_checkpoint(
            open_checkpoint(write_model(tmp_path / f"m{step}", seed=seed)), "openai", tmp_path / f"o{step}"
        )
        run.mkdir(exist_ok=True)
        for part in ("index", "data-00000-of-00001"):
            (tmp_path / f"o{step}" / f"model.ckpt.{part}").rename(run / f"model-{step}.{part}")
    with pytest.raises(ModelError, match=r"needs hparams\.json\. Name the model .* with --base"):
        open_checkpoint(run)
    latest = open_checkpoint(run, base=tmp_path / "m900")
    np.testing.assert_array_equal(latest.tensors["wte"].read(), load_weights(tmp_path / "m1000", TOY)["wte"])
    (run / "checkpoint").write_text('model_checkpoint_path: "/content/checkpoint/run1/model-900"\n')
    named = open_checkpoint(run, base=tmp_path / "m900")
    np.testing.assert_array_equal(named.tensors["wte"].read(), load_weights(tmp_path / "m900", TOY)["wte"])


@pytest.fixture
def hf(tmp_path: Path) -> Path:
    write_checkpoint(open_checkpoint(write_model(tmp_path / "model")), "hf", tmp_path / "hf")
    return tmp_path / "hf"


def rewrite(hf: Path, change: Callable[[dict[str, Array]], object]) -> None:
    tensors = load_file(hf / "model.safetensors")
    change(tensors)
    save_file(tensors, hf / "model.safetensors")


def test_buffers_a_tied_head_and_bare_names_are_understood(hf: Path, tmp_path: Path) -> None:
    tensors = load_file(hf / "model.safetensors")
    bare = {name.removeprefix("transformer."): value for name, value in tensors.items()}
    bare["lm_head.weight"] = bare["wte.weight"].copy()
    bare["h.0.attn.bias"] = np.ones((1, 1, 32, 32), np.float32)
    bare["h.1.attn.masked_bias"] = np.array(-1e4, np.float32)
    save_file(bare, hf / "model.safetensors")
    write_checkpoint(open_checkpoint(hf), "folder", tmp_path / "back")
    assert contents(tmp_path / "back") == contents(tmp_path / "model")


def test_an_untied_head_is_not_gpt2(hf: Path, tmp_path: Path) -> None:
    rewrite(hf, lambda tensors: tensors.update({"lm_head.weight": tensors["transformer.wte.weight"] + 1}))
    with pytest.raises(ModelError, match="wte is damaged"):
        write_checkpoint(open_checkpoint(hf), "folder", tmp_path / "back")


def test_shards_and_tokenizer_json(hf: Path, tmp_path: Path) -> None:
    tensors = load_file(hf / "model.safetensors")
    names = sorted(tensors)
    places = {name: f"model-{1 + number % 2:05d}-of-00002.safetensors" for number, name in enumerate(names)}
    for file in set(places.values()):
        save_file({name: tensors[name] for name in names if places[name] == file}, hf / file)
    (hf / "model.safetensors.index.json").write_text(json.dumps({"weight_map": places}))
    (hf / "model.safetensors").unlink()
    vocabulary = json.loads((hf / "vocab.json").read_text("utf-8"))
    end = vocabulary.pop("<|endoftext|>")
    merges = (hf / "merges.txt").read_text("utf-8").splitlines()[1:]
    added = [{"id": end, "content": "<|endoftext|>"}]
    tokenizer = {
        "model": {"vocab": vocabulary, "merges": [merge.split() for merge in merges]},
        "added_tokens": added,
    }
    (hf / "tokenizer.json").write_text(json.dumps(tokenizer), "utf-8")
    (hf / "vocab.json").unlink()
    write_checkpoint(open_checkpoint(hf), "folder", tmp_path / "back")
    assert contents(tmp_path / "back") == contents(tmp_path / "model")


def test_bfloat16_is_read_without_loss(tmp_path: Path) -> None:
    upper = np.array([0x3F80, 0xC2F7, 0x0001, 0x7F7F], np.uint16)  # 1.0, -123.5, the smallest, the largest
    header = json.dumps({"x": {"dtype": "BF16", "shape": [2, 2], "data_offsets": [0, 8]}}).encode()
    (tmp_path / "x.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + upper.tobytes())
    value = read_tensors(tmp_path / "x.safetensors")["x"].read()
    assert value.dtype == np.float32
    assert value[0].tolist() == [1.0, -123.5]
    assert (value.view(np.uint32) >> 16).ravel().tolist() == upper.tolist()


def test_all_faults_are_in_one_error(hf: Path, tmp_path: Path) -> None:
    def spoil(tensors: dict[str, Array]) -> None:
        del tensors["transformer.h.0.attn.c_attn.bias"]
        tensors["transformer.wpe.weight"] = tensors["transformer.wpe.weight"][:-1].copy()
        tensors["transformer.h.1.ln_1.bias"][3] = np.nan
        tensors["transformer.h.2.ln_1.bias"] = np.ones(32, np.float32)

    rewrite(hf, spoil)
    with pytest.raises(ModelError) as caught:
        write_checkpoint(open_checkpoint(hf), "folder", tmp_path / "back")
    for fault in (
        "h0/attn/c_attn/b is missing",
        "wpe is (31, 32), not (32, 32)",
        "h1/ln_1/b is not finite",
        "h2/ln_1/b is unknown",
    ):
        assert fault in str(caught.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["hf", "model"]  # nothing half-written


def test_a_changed_weight_is_seen_by_its_checksum(tmp_path: Path) -> None:
    write_checkpoint(open_checkpoint(write_model(tmp_path / "model")), "openai", tmp_path / "openai")
    data = tmp_path / "openai" / "model.ckpt.data-00000-of-00001"
    raw = bytearray(data.read_bytes())
    raw[5] ^= 1  # in the first tensor that is written
    data.write_bytes(raw[:-4])  # and the last one cut
    with pytest.raises(
        ModelError, match=r"wte is damaged \(its checksum differs\).*is damaged \(the file is cut"
    ):
        write_checkpoint(open_checkpoint(tmp_path / "openai"), "folder", tmp_path / "back")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("activation_function", "relu"),
        ("model_type", "opt"),
        ("n_inner", 7),
        ("scale_attn_by_inverse_layer_idx", True),
    ],
)
def test_another_network_is_refused(hf: Path, key: str, value: object) -> None:
    config = json.loads((hf / "config.json").read_text()) | {key: value}
    (hf / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match=f"the network must be GPT-2's or Llama's; got .*{key}"):
        open_checkpoint(hf)


def test_a_vocabulary_of_another_size_is_a_fault(tmp_path: Path) -> None:
    model = write_model(tmp_path / "model", HParams(261, 8, 8, 2, 1))
    with pytest.raises(ModelError, match="the vocabulary has 260 tokens, not 261"):
        write_checkpoint(open_checkpoint(model), "folder", tmp_path / "back")


@pytest.mark.parametrize("kind", LOSSLESS)
@settings(max_examples=40)
@given(data=st.data())
def test_damage_at_any_place_is_an_explained_error_or_harmless(
    tmp_path_factory: pytest.TempPathFactory, kind: str, data: st.DataObject
) -> None:
    """A file cut short or a byte changed: never a traceback, and for TensorFlow's never another weight."""
    folder = tmp_path_factory.mktemp("damage")
    model = write_model(folder / "model", HParams(260, 4, 4, 2, 1))
    write_checkpoint(open_checkpoint(model), kind, folder / "out")
    victim = data.draw(st.sampled_from(sorted((folder / "out").iterdir())))
    raw = bytearray(victim.read_bytes())
    at = data.draw(st.integers(0, len(raw) - 1))
    if data.draw(st.booleans()):
        raw[at] ^= data.draw(st.integers(1, 255))
    else:
        del raw[at:]
    victim.write_bytes(raw)
    try:
        write_checkpoint(open_checkpoint(folder / "out"), "folder", folder / "back")
    except BlogGenError:
        return
    if victim.name.startswith("model.ckpt"):
        assert contents(folder / "back") == contents(model)


def test_what_is_no_checkpoint_is_said_to_be_none(tmp_path: Path) -> None:
    write_vocabulary(tmp_path / "other")
    for path, got in ((tmp_path / "none", "nothing there"), (tmp_path / "other", "other files")):
        with pytest.raises(ModelError, match=f"in a known format, or a GGUF file; got {got}"):
            recognise(path)
    (tmp_path / "model.bin").write_bytes(b"weights")
    with pytest.raises(ModelError, match="got another file"):
        recognise(tmp_path / "model.bin")


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    model = write_model(tmp_path / "model")
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "letter.txt").write_text("dear")
    with pytest.raises(ModelError, match="nothing is overwritten"):
        write_checkpoint(open_checkpoint(model), "hf", tmp_path / "precious")
    assert (tmp_path / "precious" / "letter.txt").read_text() == "dear"
    with pytest.raises(UsageError, match="the format must be one of folder, hf, openai, gguf"):
        write_checkpoint(open_checkpoint(model), "onnx", tmp_path / "x")
