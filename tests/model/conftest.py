"""Hypothesis without a deadline: what is tested reads and writes files, on machines that may be busy."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings
from toy_models import FAMILIES, write_model

from blog_gen.model.hparams import HParams

settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random model whose context is longer than two steps of the sampler's cache."""
    hparams = HParams(n_vocab=260, n_ctx=288, n_embd=32, n_head=4, n_layer=2)
    return write_model(tmp_path_factory.mktemp("tiny"), hparams)


@pytest.fixture(scope="session", params=FAMILIES)
def any_folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random model of each family."""
    return write_model(tmp_path_factory.mktemp(request.param), FAMILIES[request.param])
