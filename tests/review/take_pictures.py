"""Takes the pictures of the review page that the docs show: `python tests/review/take_pictures.py SITE`.

SITE has a trained run and a draft that waits: a copy of this repository after `blog-gen train` and
`blog-gen generate -n 3`. Nothing of it is approved, rejected or edited.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

from browsing import QUIET, open_page, serving
from playwright.sync_api import sync_playwright

IMAGES = Path(__file__).parents[2] / "docs" / "images"
SIZE = {"width": 1100, "height": 860}


def take(page: Any, name: str, height: int = SIZE["height"]) -> None:
    page.set_viewport_size({**SIZE, "height": height})
    page.wait_for_load_state("networkidle")
    page.screenshot(path=IMAGES / f"review-{name}.png")


def main(site: Path) -> None:
    with serving(site) as address, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=QUIET.split())
        page = open_page(chromium, address, color_scheme="light", viewport=SIZE)
        take(page, "list", height=430)
        page.get_by_role("link", name="Read the first").click()
        page.frame_locator("iframe[name=preview]").locator("main").wait_for()
        take(page, "draft", height=790)
        page.locator("#shaded .sure-0").last.wait_for()
        page.locator("details.marked > summary").evaluate("e => e.scrollIntoView()")
        take(page, "certainty", height=600)
        page.get_by_role("link", name="Training").click()
        page.locator("svg").wait_for()
        take(page, "training")
        chromium.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
