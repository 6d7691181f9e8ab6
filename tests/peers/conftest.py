"""Models given alike to ours and to the peers. `make peers` runs this folder; `make test` leaves it out."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from ours import Ours
from real_vocabulary import real_vocabulary
from toy_models import write_model

from blog_gen.model.hparams import HParams
from blog_gen.model.quiet import quiet
from blog_gen.model.zoo.zoo import SIZES

quiet()
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

SMALL = HParams(n_vocab=50257, n_ctx=1024, n_embd=64, n_head=4, n_layer=3)


def _made(hparams: HParams) -> Iterator[Ours]:
    with tempfile.TemporaryDirectory() as scratch:
        folder = write_model(Path(scratch, "model"), hparams, seed=3, dtype="float16")
        for name in ("encoder.json", "vocab.bpe"):
            shutil.copy(real_vocabulary() / name, folder / name)
        yield Ours(folder, hparams)


@pytest.fixture(scope="session")
def small() -> Iterator[Ours]:
    yield from _made(SMALL)


@pytest.fixture(scope="session")
def full() -> Iterator[Ours]:
    """124M's real shape."""
    yield from _made(SIZES["124M"])


@pytest.fixture
def scratch() -> Iterator[Path]:
    """A folder that is gone after the test: pytest's own are kept, and these models are large."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)
