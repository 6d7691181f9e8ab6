"""`models pull` from a server that has a tiny model under OpenAI's name."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import bad_server as bad
import pytest
from bad_server import BadServer
from toy_models import TOY, write_model

from blog_gen.errors import BlogGenError, BusyError, ModelError, UsageError
from blog_gen.files import locked, sha256_of
from blog_gen.model.hparams import HParams
from blog_gen.model.weights import load_weights
from blog_gen.model.zoo import downloads, zoo
from blog_gen.model.zoo.catalogue import describe
from blog_gen.model.zoo.downloads import FILES, pull
from blog_gen.model.zoo.exchange import export_model, import_model, lock_file
from blog_gen.model.zoo.fetch import Retry

QUICK = Retry(attempts=3, first_wait=0.001, jitter=0)


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """What OpenAI's server has, of a toy model."""
    return export_model(write_model(tmp_path / "original"), "openai", tmp_path / "published")


@pytest.fixture
def server(published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[BadServer]:
    """The real files, half a gigabyte and their pinned hashes, cannot be had here: a toy stands for 124M."""
    server = BadServer()
    server.files = {f"models/124M/{name}": (published / name).read_bytes() for name in FILES}
    monkeypatch.setenv("BLOG_GEN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("BLOG_GEN_MIRROR", f"{server.url}/models/")
    monkeypatch.setattr(zoo, "SIZES", {"124M": TOY})
    monkeypatch.setattr(downloads, "PINNED", {})
    monkeypatch.setattr(downloads, "SAME_FOR_ALL", {})
    yield server
    server.stop()


def test_a_pulled_model_is_the_published_one(server: BadServer, published: Path, tmp_path: Path) -> None:
    seen: dict[str, int] = {}
    folder = pull("117M", progress=lambda name, done, total: seen.update({name: done}), retry=QUICK)
    assert folder == tmp_path / "cache" / "models" / "124M" == zoo.resolve("124M")
    for name, value in load_weights(tmp_path / "original", TOY).items():
        assert (load_weights(folder, TOY)[name] == value).all()
    assert seen == {name: (published / name).stat().st_size for name in FILES}
    meta = json.loads((folder / "meta.json").read_text("utf-8"))
    assert meta["origin"]["files"]["vocab.bpe"]["sha256"] == sha256_of(published / "vocab.bpe")
    assert describe("124M").source == f"{server.url}/models/124M"
    assert not (tmp_path / "cache" / "downloads" / "124M").exists()


def test_a_second_pull_asks_for_nothing(server: BadServer) -> None:
    pull("124M", retry=QUICK)
    server.requests.clear()
    pull("124M", retry=QUICK)
    assert server.requests == []


def test_keep_leaves_what_was_downloaded(server: BadServer, published: Path, tmp_path: Path) -> None:
    pull("124M", keep=True, retry=QUICK)
    kept = tmp_path / "cache" / "downloads" / "124M"
    assert {path.name for path in kept.iterdir()} == set(FILES)
    assert all((kept / name).read_bytes() == (published / name).read_bytes() for name in FILES)


def test_it_goes_on_after_a_failure(server: BadServer) -> None:
    server.script = [bad.good] * (len(FILES) - 1) + [bad.breaks_off, bad.fails(500), bad.fails(500)]
    with pytest.raises(ModelError, match=r"status 500.*run the same command again to resume"):
        pull("124M", retry=QUICK)
    server.requests.clear()
    pull("124M", retry=QUICK)
    assert [(path.rpartition("/")[2], asked is not None) for path, asked in server.requests] == [
        ("model.ckpt.data-00000-of-00001", True)
    ]


def test_without_a_network_the_error_says_how_to_bring_the_files_and_that_works(
    server: BadServer, published: Path, tmp_path: Path
) -> None:
    server.stop()
    with pytest.raises(ModelError) as caught:
        pull("124M", retry=QUICK)
    said = str(caught.value)
    assert all(name in said for name in FILES)
    assert f"from {server.url}/models/124M/" in said
    assert "blog-gen models import FOLDER --name 124M" in said
    import_model(published, "124M")
    assert load_weights(zoo.resolve("124M"), TOY)["wpe"].shape == (32, 32)


def test_weights_that_are_not_the_published_ones_are_never_installed(
    server: BadServer, tmp_path: Path
) -> None:
    data = bytearray(server.files[f"models/124M/{downloads.DATA}"])
    data[1000] ^= 4
    server.files[f"models/124M/{downloads.DATA}"] = bytes(data)
    with pytest.raises(ModelError, match="its checksum differs"):
        pull("124M", retry=QUICK)
    assert not (tmp_path / "cache" / "models" / "124M").exists()
    data[1000] ^= 4
    server.files[f"models/124M/{downloads.DATA}"] = bytes(data)
    pull("124M", retry=QUICK)  # what was wrong is not kept


def test_another_model_under_the_name_is_refused(server: BadServer, monkeypatch: pytest.MonkeyPatch) -> None:
    other = HParams(TOY.n_vocab, TOY.n_ctx, TOY.n_embd, 2, TOY.n_layer)
    monkeypatch.setattr(zoo, "SIZES", {"124M": other})
    with pytest.raises(ModelError, match="124M is the name of OpenAI's model"):
        pull("124M", retry=QUICK)


def test_two_pulls_do_not_collide(server: BadServer) -> None:
    with (
        locked(lock_file("124M"), "testing"),
        pytest.raises(BusyError, match="another blog-gen is making the model"),
    ):
        pull("124M", retry=QUICK)
    outcomes: list[object] = []

    def one() -> None:
        try:
            outcomes.append(pull("124M", retry=QUICK))
        except BusyError as error:
            outcomes.append(error)

    threads = [threading.Thread(target=one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert any(isinstance(outcome, Path) for outcome in outcomes)
    assert len(outcomes) == 4
    assert len(server.requests) == len(FILES)


def test_a_disk_too_small_is_said_before_the_download(
    server: BadServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=1))
    with pytest.raises(BlogGenError, match=r"needs about 0\.1 GB of.*; got 0\.0 GB free.*BLOG_GEN_CACHE"):
        pull("124M", retry=QUICK)
    assert server.requests == []


@pytest.mark.parametrize(
    ("size", "mirror"), [("125M", None), ("124M", "file:///etc"), ("124M", "models.org")]
)
def test_what_makes_no_sense_is_wrong_usage(server: BadServer, size: str, mirror: str | None) -> None:
    with pytest.raises(UsageError, match="must be"):
        pull(size, mirror=mirror, retry=QUICK)


def test_what_is_pinned_of_the_real_files() -> None:
    for size, hparams in zoo.SIZES.items():
        assert downloads.expected(size, downloads.DATA).size == 4 * hparams.parameters
        assert downloads.expected(size, "vocab.bpe").sha256 is not None
    hashes = [pin.sha256 for pin in (*downloads.PINNED.values(), *downloads.SAME_FOR_ALL.values())]
    assert all(len(sha or "") == 64 for sha in hashes)
    assert downloads.expected("124M", downloads.DATA).size == 497_759_232
