"""Whatever happens to a file of blog-gen's own: it is said or made anew, without a traceback."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from calling import NOW, call
from click.testing import CliRunner, Result
from tiny_site import write_base, write_site
from toy_models import write_run

from blog_gen import runs
from blog_gen.cli import cli
from blog_gen.errors import BlogGenError
from blog_gen.model.sampling.vocabulary_constraint import load_words, save_words

LEARNED = ("meta.json", "hparams.json", "encoder.json", "vocab.bpe", "words.txt", "model.safetensors")


def _flip(path: Path) -> None:
    """One bit, as a disk that rots does it: neither the size nor the time of change tells."""
    status, data = path.stat(), bytearray(path.read_bytes())
    data[len(data) * 2 // 3] ^= 4
    path.write_bytes(data)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _make_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _nest(path: Path) -> None:
    path.write_text("[" * 100_000)


DAMAGES: list[Callable[[Path], None]] = [_flip, _cut, _empty, _make_folder, _nest, Path.unlink]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site with a run whose words are constrained, a sampler, and a draft of two days before."""
    base = write_base(tmp_path_factory.mktemp("base"))
    save_words(["the", "kettle", "was", "cold"], base)
    site = write_site(tmp_path_factory.mktemp("site"), base, retrain="never")
    for words in (["train", "--steps", "60"], ["generate", "--date", "2026-03-03"]):
        call(site, *words, now=NOW)
    return site


@pytest.fixture
def site(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BLOG_GEN_NOW", NOW)
    return Path(shutil.copytree(trained, tmp_path / "site"))


def _call(site: Path, *words: str) -> Result:
    done = CliRunner().invoke(cli, ["--site", str(site), *words], standalone_mode=False)
    assert done.exception is None or isinstance(done.exception, BlogGenError | SystemExit), done.exception
    assert "Loosen" not in str(done.exception)
    return done


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
@pytest.mark.parametrize("name", LEARNED)
def test_damage_to_what_was_learned_is_said_and_nothing_is_written(
    site: Path, name: str, damage: Callable[[Path], None]
) -> None:
    folder = site / ".blog_gen" / "runs" / "default"
    damage(folder / name)
    told = _call(site, "status", "--check", "--json")
    gone = name == "meta.json" and damage is Path.unlink  # then nobody knows that there was a run
    assert gone or f".blog_gen/runs/default/{name}" in json.loads(told.stdout)["damaged"]
    assert told.return_value == (0 if gone else 1)
    before = sorted(site.glob("_generated/*"))
    for words in (["generate"], ["run"], ["reproduce", str(before[0])]):
        error = _call(site, *words).exception
        assert isinstance(error, BlogGenError)
        assert "must be a trained run" in str(error) if gone else name in str(error)
        assert gone or "damaged" in str(error)
    assert sorted(site.glob("_generated/*")) == before


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_damage_to_what_only_saves_work_costs_only_work(site: Path, damage: Callable[[Path], None]) -> None:
    state = site / ".blog_gen"
    others = [path for path in state.rglob("*") if path.is_file() and path.name not in LEARNED]
    others = [path for path in others if path.suffix not in (".lock", ".svg")]
    assert {"tries.json", "novelty.npz", "sampler-int8.tflite"} <= {path.name for path in others}
    for path in others:
        damage(path)
    _call(site, "status", "--check")
    done = _call(site, "run")
    assert done.return_value == 0 or "could not be written" in str(done.exception), done.exception
    if damage is not _make_folder:
        assert len(list(site.glob("_generated/*.md"))) > 1


def test_a_damaged_run_is_learned_again(site: Path) -> None:
    folder = site / ".blog_gen" / "runs" / "default"
    _flip(folder / "model.safetensors")
    done = _call(site, "train", "--steps", "2")
    assert "the trained model is damaged: model.safetensors; it is learned again" in done.stderr
    assert runs.damaged(folder, thorough=True) == []


def test_what_nobody_touched_is_hashed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_run(tmp_path)
    assert runs.damaged(tmp_path) == []
    hashed: list[Path] = []
    monkeypatch.setattr("blog_gen.model.integrity.sha256_of", hashed.append)
    assert runs.damaged(tmp_path) == [] and hashed == []
    os.utime(tmp_path / "model.safetensors")
    assert runs.damaged(tmp_path) == ["model.safetensors"], "that hash is None"
    assert hashed == [tmp_path / "model.safetensors"]


def test_a_run_of_the_first_version_is_read(tmp_path: Path) -> None:
    meta = write_run(tmp_path)
    assert meta.files == {} and runs.read_meta(tmp_path) is not None
    _flip(tmp_path / "model.safetensors")
    assert runs.damaged(tmp_path) == ["model.safetensors"]


@pytest.mark.parametrize("content", [b"", b"\n", b"the\n\xff\n"])
def test_a_list_of_words_must_be_one(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "words.txt").write_bytes(content)
    with pytest.raises(BlogGenError, match=r"words\.txt must"):
        load_words(tmp_path)
