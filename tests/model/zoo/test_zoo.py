"""Names to model folders, and what is said of them."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from toy_models import TOY, write_model, write_vocabulary

from blog_gen.errors import ModelError, UsageError
from blog_gen.model.formats import open_checkpoint
from blog_gen.model.hparams import HParams
from blog_gen.model.training import memory
from blog_gen.model.zoo import zoo
from blog_gen.model.zoo.catalogue import describe, list_models
from blog_gen.model.zoo.exchange import export_model, import_model


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BLOG_GEN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.mark.parametrize(
    ("platform", "environment", "expected"),
    [
        ("linux", {}, "HOME/.cache/blog_gen"),
        ("linux", {"XDG_CACHE_HOME": "/big/cache"}, "/big/cache/blog_gen"),
        ("linux", {"XDG_CACHE_HOME": "relative"}, "HOME/.cache/blog_gen"),
        ("darwin", {}, "HOME/Library/Caches/blog_gen"),
        ("win32", {"LOCALAPPDATA": "/AppData/Local"}, "/AppData/Local/blog_gen/Cache"),
        ("win32", {}, "HOME/AppData/Local/blog_gen/Cache"),
        ("linux", {"BLOG_GEN_CACHE": "~/mine", "XDG_CACHE_HOME": "/x"}, "HOME/mine"),
    ],
)
def test_the_cache_is_where_the_platform_has_it(
    platform: str, environment: dict[str, str], expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("BLOG_GEN_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(sys, "platform", platform)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert str(zoo.cache_folder()) == expected.replace("HOME", str(tmp_path))


def test_names_are_found_in_their_order(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zoo, "EMBEDDED", {"mini": write_model(tmp_path / "mini")})
    runs = tmp_path / "runs"
    for path in (runs / "default", runs / "shared", cache / "models" / "shared", cache / "models" / "124M"):
        write_model(path)
    assert zoo.resolve("mini", runs) == tmp_path / "mini"
    assert zoo.resolve("default", runs) == runs / "default"
    assert zoo.resolve("shared", runs) == runs / "shared"
    assert zoo.resolve("shared") == cache / "models" / "shared"
    assert zoo.resolve("117M", runs) == cache / "models" / "124M"
    assert zoo.resolve(str(tmp_path / "runs" / "default")) == runs / "default"
    assert [(info.name, info.kind) for info in list_models(runs)[0]] == [
        ("mini", "embedded"),
        ("124M", "cached"),
        ("default", "run"),
        ("shared", "run"),
    ]


def test_a_folder_is_found_from_the_site_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_model(tmp_path / "site" / "bases" / "own")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert zoo.resolve("bases/own", site=tmp_path / "site") == tmp_path / "site" / "bases" / "own"
    with pytest.raises(ModelError, match="bases/own is not on this machine"):
        zoo.resolve("bases/own")
    write_model(Path("bases/own"))
    assert zoo.resolve("bases/own", site=tmp_path / "site") == Path("bases/own")  # as typed by a person


def test_what_is_not_there_is_explained(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    write_model(runs / "cooking")
    with pytest.raises(ModelError, match=r"not on this machine yet\. Run `blog-gen models pull 355M`"):
        zoo.resolve("345M", runs)
    with pytest.raises(ModelError, match=r"no such model; got 'coking'\. Did you mean cooking\?"):
        zoo.resolve("coking", runs)
    with pytest.raises(
        ModelError, match=r"There are: .*cooking, 124M, 355M, 774M, 1558M, smollm2; or name a model folder"
    ):
        zoo.resolve("zzz", runs)
    write_vocabulary(tmp_path / "half")
    with pytest.raises(ModelError, match=r"needs hparams\.json, model\.safetensors\. .*models import"):
        zoo.resolve(str(tmp_path / "half"))


def test_a_damaged_model_does_not_hide_the_others(tmp_path: Path, cache: Path) -> None:
    for name in ("good", "no-numbers", "no-meta"):
        write_model(cache / "models" / name)
    (cache / "models" / "no-numbers" / "hparams.json").write_text("{}")
    (cache / "models" / "no-meta" / "meta.json").write_text("[")
    models, notes = list_models()
    assert "good" in [model.name for model in models]
    assert sorted(note.path.name for note in notes) == ["no-meta", "no-numbers"]


def test_what_is_said_of_an_import_and_of_a_run(tmp_path: Path, cache: Path) -> None:
    export_model(write_model(tmp_path / "model"), "hf", tmp_path / "hf")
    folder = import_model(tmp_path / "hf", "theirs")
    info = describe("theirs")
    assert (info.kind, info.path, info.source) == (
        "cached",
        cache / "models" / "theirs",
        str(tmp_path / "hf"),
    )
    assert (info.parameters, info.context, info.vocabulary) == (TOY.parameters, 32, 260)
    assert info.on_disk == sum(path.stat().st_size for path in folder.iterdir())
    run = write_model(tmp_path / "runs" / "default")
    (run / "meta.json").write_text(json.dumps({"base": "mini", "posts": 24, "tokens": 31000}))
    info = describe("default", tmp_path / "runs")
    assert (info.kind, info.source) == ("run", "fine-tuned from mini")
    assert info.trained_on == "24 posts, 31000 tokens"
    assert describe(str(tmp_path / "model")).kind == "folder"


def test_a_run_is_exported_without_its_training_state(tmp_path: Path) -> None:
    run = write_model(tmp_path / "run")
    (run / "state.safetensors").write_bytes(b"gigabytes")
    exported = export_model(run, "folder", tmp_path / "out")
    assert {path.name for path in exported.iterdir()} == {
        path.name for path in (tmp_path / "run").iterdir()
    } - {"state.safetensors"}


@pytest.mark.parametrize("name", ["mini", "../up", "a/b", "", ".hidden", "c:d"])
def test_names_that_no_model_may_have(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="cannot be given to a model"):
        import_model(write_model(tmp_path / "model"), name)


def test_a_taken_name_and_a_size_of_another_shape_are_refused(tmp_path: Path) -> None:
    model = write_model(tmp_path / "model")
    import_model(model, "mine")
    with pytest.raises(ModelError, match="nothing is overwritten"):
        import_model(model, "mine")
    with pytest.raises(ModelError, match="124M is the name of OpenAI's model"):
        import_model(model, "124M")


def test_an_import_keeps_where_the_model_is_first_from(tmp_path: Path) -> None:
    first = import_model(write_model(tmp_path / "model"), "first")
    again = import_model(first, "again")
    assert open_checkpoint(again).meta["origin"]["from"] == str(tmp_path / "model")


def test_memory_grows_with_the_model_the_batch_and_the_length() -> None:
    small, large = zoo.SIZES["124M"], zoo.SIZES["1558M"]
    assert memory.to_train(small) < memory.to_train(small, 4096) < memory.to_train(large)
    assert memory.to_train(small, 1024, 256) < memory.to_train(small, 1024, 1024)
    assert memory.to_train(small) > 16 * small.parameters
    for way in ({}, {"lora": 8}, {"freeze": 6}, {"activation_checkpointing": True}):
        wide = memory.to_train(small, precision="float32", **way)
        assert wide > 1.05 * memory.to_train(small, **way), way  # activations take twice as much
    assert small.parameters < memory.to_sample(small) < memory.to_sample(large) < 4 * large.parameters


def test_shared_heads_of_keys_and_values_take_a_share_of_the_memory() -> None:
    own = HParams(n_vocab=49136, n_ctx=8192, n_embd=576, n_head=9, n_layer=30, biases=False)
    shared = replace(own, n_head_kv=3)
    weights = own.parameters - shared.parameters
    cache = 2 * own.n_layer * 1024 * 4 * (576 - 192)  # of one window, not of the whole context
    assert memory.to_sample(own) - memory.to_sample(shared) == 2 * (weights + cache)
    assert memory.to_train(own) - memory.to_train(shared) > 16 * weights


def test_finding_a_model_and_reading_its_numbers_loads_nothing_heavy() -> None:
    heavy = ("numpy", "tensorflow", "safetensors")
    code = f"import sys, blog_gen.model.zoo.zoo; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_conversion_needs_no_tensorflow(tmp_path: Path) -> None:
    write_model(tmp_path / "model")
    code = (
        "import sys; from pathlib import Path\n"
        "from blog_gen.model.zoo.exchange import export_model, import_model\n"
        f"model = Path({str(tmp_path)!r})\n"
        "for kind in ('openai', 'hf', 'gguf'): export_model(model / 'model', kind, model / kind)\n"
        "import_model(model / 'openai', 'one'); import_model(model / 'hf', 'two')\n"
        "print([name for name in ('tensorflow', 'keras', 'torch') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
