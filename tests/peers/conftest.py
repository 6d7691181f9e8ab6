"""Models given alike to ours and to the peers. `make peers` runs this folder; `make test` leaves it out."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import settings
from ours import Ours
from real_vocabulary import real_vocabulary
from toy_models import write_model

from blog_gen.model.hparams import HParams
from blog_gen.model.quiet import quiet
from blog_gen.model.zoo import zoo
from blog_gen.model.zoo.zoo import SIZES

quiet()
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

LLAMA = HParams(
    n_vocab=50257,
    n_ctx=2048,
    n_embd=64,
    n_head=4,
    n_layer=3,
    n_head_kv=2,
    n_inner=176,
    norm="rms",
    positions="rotary",
    feed_forward="swiglu",
    biases=False,
    rope_theta=100_000.0,
    split_digits=True,
)
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


@pytest.fixture(scope="session", params=[True, False], ids=["tied", "own head"])
def llama(request: pytest.FixtureRequest) -> Iterator[Ours]:
    """Llama's blocks, small; OpenAI's vocabulary, of which no token of several digits is used."""
    yield from _made(replace(LLAMA, tied=request.param))


@pytest.fixture(scope="session")
def full() -> Iterator[Ours]:
    """124M's real shape."""
    yield from _made(SIZES["124M"])


@pytest.fixture(scope="session")
def smollm2() -> Ours:
    """The real weights."""
    folder = zoo.cached_folder("smollm2")
    if not zoo.is_model(folder):
        pytest.skip("the real weights are not there: `blog-gen models pull smollm2`")
    return Ours(folder, HParams.load(folder))


@pytest.fixture
def scratch() -> Iterator[Path]:
    """A folder that is gone after the test: pytest's own are kept, and these models are large."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)
