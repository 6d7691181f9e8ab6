"""The real command in throw-away sites; one of them is trained, once for all tests."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from calling import NOW, Done, Run, call
from deadlines import made_once
from tiny_site import write_base, write_site


def _train(folder: Path) -> None:
    (folder / "base").mkdir()
    site = write_site(folder / "site", write_base(folder / "base"))
    call(site, "train")


@pytest.fixture(scope="session")
def common(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base so small that it learns four sentences by heart in seconds, and a site that learned with it."""
    return made_once(tmp_path_factory, "commands", _train)


@pytest.fixture
def base(common: Path) -> Path:
    return common / "base"


@pytest.fixture
def site(tmp_path: Path, base: Path) -> Path:
    """A site that learns quickly and takes whatever comes out as a post."""
    return write_site(tmp_path, base)


@pytest.fixture
def trained(tmp_path: Path, common: Path) -> Path:
    """The same, after `blog-gen train` on DAY."""
    return shutil.copytree(common / "site", tmp_path, dirs_exist_ok=True)


@pytest.fixture
def blog_gen(tmp_path: Path) -> Run:
    """Run the real command in the site; `code` is the exit code that it must have."""

    def run(*words: str, code: int = 0, now: str = NOW) -> Done:
        return call(tmp_path, *words, code=code, now=now)

    return run
