"""An adapter alone is a model: whole weights are made of it and of its base, or what is missing is said."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from toy_models import TOY, write_model

from blog_gen.files import sha256_of
from blog_gen.model.adapters import Adapter, merged, read_adapter, save_adapter
from blog_gen.model.formats import open_checkpoint, write_checkpoint
from blog_gen.model.sampling.sampling import has_sampler, sampler_path
from blog_gen.model.training.adaptation import adapters
from blog_gen.model.weights import MissingBaseError, load_weights
from blog_gen.model.zoo import zoo


def factors(rank: int, seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    found = adapters(TOY.shapes(), rank, seed)
    return {name: np.asarray(rng.standard_normal(value.shape), np.float32) for name, value in found.items()}


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return write_model(tmp_path / "base")


@pytest.fixture
def run(tmp_path: Path, base: Path) -> Path:
    """A model folder whose weights are an adapter for `base`."""
    folder = shutil.copytree(base, tmp_path / "run")
    (folder / "model.safetensors").unlink()
    save_adapter(Adapter(str(base), sha256_of(base / "model.safetensors"), factors(2, 0)), folder, "it")
    return folder


def test_an_adapter_makes_whole_weights_of_its_base(run: Path, base: Path) -> None:
    assert zoo.is_model(run)
    whole, plain, added = load_weights(run, TOY), load_weights(base, TOY), factors(2, 0)
    for name, value in whole.items():
        down = name.removesuffix("/w") + "/lora_a"
        more = added[down] @ added[down[:-1] + "b"] if down in added else 0
        np.testing.assert_array_equal(value, plain[name] + more)


def test_a_base_that_the_settings_name_by_its_place_in_the_site_is_found(
    run: Path, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "site"
    shutil.copytree(base, site / "bases" / "own")
    home = shutil.copytree(run, site / ".blog_gen" / "runs" / "default")
    adapter = read_adapter(run)
    assert adapter is not None
    save_adapter(Adapter("bases/own", adapter.base_weights, adapter.factors), home, "it")
    monkeypatch.chdir(tmp_path)
    assert load_weights(home, TOY).keys() == load_weights(run, TOY).keys()


def test_adapters_begin_alike_whatever_order_a_file_has_its_weights_in() -> None:
    shapes = TOY.shapes()
    one, other = adapters(shapes, 2, 0), adapters(dict(reversed(shapes.items())), 2, 0)
    assert all(np.array_equal(one[name], other[name]) for name in one)


def test_what_is_learned_on_top_of_an_adapter_is_one_adapter(run: Path, base: Path) -> None:
    adapter = read_adapter(run)
    assert adapter is not None and read_adapter(base) is None
    both, more = adapter.plus(factors(3, 1)), factors(3, 1)
    assert both.factors["h0/mlp/c_fc/lora_a"].shape == (TOY.n_embd, 5)
    in_turn = merged(load_weights(run, TOY), more)
    at_once = merged(load_weights(base, TOY), both.factors)
    for name, value in in_turn.items():
        np.testing.assert_allclose(at_once[name], value, atol=1e-4)
    assert adapter.plus({}) == adapter, "where nothing was gained"


def test_an_adapter_is_exported_as_whole_weights(run: Path, base: Path, tmp_path: Path) -> None:
    write_checkpoint(open_checkpoint(run), "folder", tmp_path / "out")
    expected = load_weights(run, TOY)
    base.rename(tmp_path / "gone")
    assert [path.name for path in (tmp_path / "out").glob("*.safetensors")] == ["model.safetensors"]
    for name, value in load_weights(tmp_path / "out", TOY).items():
        np.testing.assert_array_equal(value, expected[name])


@pytest.mark.parametrize("got", ["none", "another of that name"])
def test_without_its_base_it_samples_and_says_what_is_missing(run: Path, base: Path, got: str) -> None:
    assert not has_sampler(run)
    made = sampler_path(run)
    shutil.rmtree(base)
    if got != "none":
        write_model(base, seed=1)
    assert has_sampler(run) and sampler_path(run) == made
    made.unlink()
    wanted = f"the sampler .*there is none.* adds to the model .*base, which must be .* got {got}"
    with pytest.raises(MissingBaseError, match=wanted):
        sampler_path(run)
