"""One browser and one trained run for all tests of the review."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from browsing import QUIET
from deadlines import made_once
from playwright import sync_api
from trained_site import copied, make_trained_site

from blog_gen.config.loading import load_settings
from blog_gen.config.settings import Settings


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    names = ("chromium", "chromium-browser", "google-chrome")
    command = next(path for name in names if (path := shutil.which(name)))
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=command, args=QUIET.split())
        yield opened
        opened.close()


@pytest.fixture(params=["light", "dark"])
def scheme(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A site with a trained run; who changes it for good works on a copy."""
    made = made_once(tmp_path_factory, "review", make_trained_site)
    return copied(load_settings(made / "site"), tmp_path_factory.mktemp("trained"))
