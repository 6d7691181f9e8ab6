"""The real review server for a site, and pages of it in a real browser."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Any

from playwright import sync_api

QUIET = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
PATIENCE = 90_000  # milliseconds: the machine may be busy

_CODE = (
    "import sys; from pathlib import Path; from blog_gen.config.loading import load_settings; "
    "from blog_gen.review.server import serve; serve(load_settings(Path(sys.argv[1])), 0)"
)


@contextmanager
def serving(site: Path) -> Iterator[str]:
    """The address of the server for `site`, on a port that is free."""
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    server = subprocess.Popen(
        [sys.executable, "-c", _CODE, str(site)], env=environment, stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout is not None
        found = re.search(r"http://127.0.0.1:\d+/", server.stdout.readline())
        assert found
        yield found[0]
    finally:
        server.terminate()
        server.wait(30)


def open_page(browser: Any, address: str, **options: Any) -> Any:
    """A page whose `said` holds whatever its policy had to stop, and every error of its script."""
    page = browser.new_context(**options).new_page()
    page.set_default_timeout(PATIENCE)
    page.said = []
    page.on("console", lambda message: page.said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: page.said.append(str(error)))
    page.goto(address)
    return page


def expect_title(page: Any, title: str) -> None:
    sync_api.expect(page.locator("h1")).to_have_text(title, timeout=PATIENCE)
    page.wait_for_load_state("domcontentloaded")  # by then the script hears keys


def obstacles(page: Any) -> list[tuple[str, str]]:
    """What axe finds in the way of a person; the page must bypass its policy, which bars axe too."""
    page.evaluate(resources.files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8"))
    found = page.evaluate("() => axe.run(document, {iframes: false})")
    assert len(found["passes"]) > 10
    return [(each["id"], each["nodes"][0]["html"]) for each in found["violations"]]
