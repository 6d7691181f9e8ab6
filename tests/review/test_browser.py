"""The review page in a real browser, served by the real command for a real site that Jekyll builds."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browsing import PATIENCE, expect_title, obstacles, open_page, serving
from playwright import sync_api
from reviewing import make_store

from blog_gen.review.store import Store, reason_of
from blog_gen.site import front_matter

pytestmark = [pytest.mark.browser, pytest.mark.jekyll]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return make_store(tmp_path)


@pytest.fixture
def address(store: Store) -> Iterator[str]:
    with serving(store.settings.site) as found:
        yield found


def _preview(page: Any) -> Any:
    return page.frame_locator("iframe[name=preview]")


def test_three_drafts_by_keyboard_alone_and_the_site_shows_what_was_approved(
    browser: Any, address: str, store: Store
) -> None:
    page = open_page(browser, address)
    expect_title(page, "3 waiting for you")
    page.keyboard.press("j")
    expect_title(page, "Soup: a method")
    assert _preview(page).locator("main.the-site em").inner_text() == "opinions"
    border = _preview(page).locator("main.the-site").evaluate("e => getComputedStyle(e).borderLeftColor")
    assert border == "rgb(0, 128, 0)", "the site's own style sheet is there"
    page.keyboard.press("j")
    expect_title(page, "A bolt, late")
    page.keyboard.press("k")
    expect_title(page, "Soup: a method")
    page.keyboard.press("a")
    expect_title(page, "A bolt, late")
    assert store.find("soup-a-method").state == "approved"
    page.keyboard.press("u")
    expect_title(page, "Soup: a method")
    assert store.find("soup-a-method").state == "waiting"
    page.keyboard.press("a")
    expect_title(page, "A bolt, late")
    page.keyboard.press("r")
    page.keyboard.type("dull: a jar of nothing")  # j, a and l are letters here
    page.keyboard.press("Enter")
    expect_title(page, "The drawer of rain")
    assert reason_of(store.find("a-bolt-late")) == "dull: a jar of nothing"
    page.keyboard.press("u")
    expect_title(page, "A bolt, late")
    assert store.find("a-bolt-late").state == "waiting"
    page.keyboard.press("e")
    page.keyboard.press("Control+Home")
    page.keyboard.type("Edited by hand. ")
    sync_api.expect(page.locator("iframe")).to_be_in_viewport()  # beside what is typed
    sync_api.expect(_preview(page).locator("p:not(.note)").first).to_contain_text(
        "Edited by hand. It rained", timeout=PATIENCE
    )
    page.keyboard.press("Escape")
    page.keyboard.press("a")
    expect_title(page, "The drawer of rain")
    assert store.find("a-bolt-late").body.startswith("Edited by hand. It rained")
    assert page.said == []

    site = store.settings.site
    subprocess.run(
        ["jekyll", "build", "--quiet"], cwd=site, check=True, env={**os.environ, "BLOG_GEN": "off"}
    )
    built = {path.parent.name for path in (site / "_site" / "generated").rglob("index.html")}
    assert built == {"soup-a-method", "a-bolt-late"}, "what waits is hidden, what was approved is there"
    assert "Edited by hand." in next((site / "_site").rglob("a-bolt-late/index.html")).read_text()


def test_without_javascript_a_draft_is_edited_previewed_approved_and_rejected(
    browser: Any, address: str, store: Store
) -> None:
    page = open_page(browser, address, java_script_enabled=False)
    page.get_by_role("link", name="A bolt, late").click()
    page.get_by_label("title", exact=True).fill("A bolt, early")
    page.get_by_label("Text, in Markdown").fill("Only *this*.")
    _preview(page).locator("main.the-site").wait_for()  # as it comes, the browser drops what is sent there
    page.wait_for_load_state("load")
    page.get_by_role("button", name="Preview these changes").click()
    sync_api.expect(_preview(page).locator("em")).to_have_text("this", timeout=PATIENCE)
    page.get_by_label("Reason").press("Enter")
    page.wait_for_url("**said=save**")
    assert store.find("a-bolt-late").state == "waiting", "Enter in a field only saves"
    assert (
        store.find("a-bolt-late").body == "Only *this*."
        and store.find("a-bolt-late").title == "A bolt, early"
    )
    page.get_by_role("button", name="Reject").click()
    page.get_by_role("button", name="Undo the rejection").click()
    page.get_by_role("button", name="Approve").click()
    page.wait_for_url("**said=approve**")
    assert store.find("a-bolt-late").state == "approved"


def test_two_tabs_never_lose_a_text(browser: Any, address: str, store: Store) -> None:
    first = open_page(browser, address)
    first.get_by_role("link", name="Soup: a method").click()
    expect_title(first, "Soup: a method")
    second = open_page(browser, first.url)
    second.get_by_label("Text, in Markdown").fill("From the second tab.")
    second.get_by_role("button", name="Save").first.click()
    second.wait_for_url("**said=save**")
    first.get_by_label("Text, in Markdown").fill("From the first tab.")
    first.get_by_role("button", name="Approve").click()
    expect_title(first, "There are two versions")
    assert "From the first tab." in first.get_by_label("Yours, not saved yet").input_value()
    assert "From the second tab." in first.locator("pre").inner_text()
    assert store.find("soup-a-method").body == "From the second tab."
    first.get_by_role("button", name="Put mine in place of the file").click()
    expect_title(first, "Soup: a method")
    assert store.find("soup-a-method").body == "From the first tab."


def test_unsaved_changes_are_asked_about(browser: Any, address: str) -> None:
    page = open_page(browser, address)
    page.keyboard.press("j")
    expect_title(page, "Soup: a method")
    asked: list[str] = []

    def dismiss(dialog: Any) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", dismiss)
    page.get_by_label("Text, in Markdown").fill("Not saved.")
    with page.expect_event("dialog"):
        page.get_by_role("link", name="List").click(no_wait_after=True)
    assert asked == ["beforeunload"]


def test_a_hostile_draft_runs_nothing(browser: Any, address: str, store: Store) -> None:
    entry = store.find("soup-a-method")
    attack = "<script>top.document.title='owned'</script><img src=x onerror=\"top.document.title='owned'\">"
    attack += '<style>body{display:none}</style><a href="/" target="_top">x</a><form action="/-/job/cancel">'
    text = entry.text.replace('title: "Soup: a method"\n', front_matter.dump({"title": attack}))
    entry.path.write_text(text + attack)
    page = open_page(browser, address)
    page.keyboard.press("j")
    _preview(page).locator("main.the-site").wait_for(state="attached")
    page.wait_for_timeout(500)
    assert page.title().endswith("A small site")  # the draft's own title is text in it
    assert _preview(page).locator("main.the-site").evaluate("() => self.origin") == "null"


def test_nothing_serious_stands_in_anybodys_way(
    browser: Any, address: str, store: Store, scheme: str
) -> None:
    (store.settings.output_folder / "2026-03-01-broken.md").write_text("---\na: b: c\n---\nHi.\n")
    store.reject(store.find("a-bolt-late"), "dull")
    page = open_page(browser, address, color_scheme=scheme, bypass_csp=True)
    titles = {"": "3 waiting for you", "-/run": "What it learned", "-/none": "That was not done"}
    for name in ("soup-a-method", "a-bolt-late", "broken"):
        titles[f"-/drafts/{store.find(name).id}"] = store.find(name).title
    for place, title in titles.items():
        page.goto(f"{address}{place}")
        expect_title(page, title)
        assert obstacles(page) == [], place
    page.goto(f"{address}-/drafts/{store.find('soup-a-method').id}")
    page.get_by_role("link", name="words, in _articles/letters.md").click()
    expect_title(page, "Letters")
    assert obstacles(page) == []
    page.go_back()
    store.save(store.find("soup-a-method"), store.find("soup-a-method").text + "More.")
    page.get_by_label("Text, in Markdown").fill("Mine.")
    page.get_by_role("button", name="Approve").click()
    expect_title(page, "There are two versions")
    assert obstacles(page) == []


@pytest.mark.parametrize("width", [320, 700])
def test_a_narrow_screen_is_never_scrolled_sideways(
    browser: Any, address: str, store: Store, width: int
) -> None:
    page = open_page(browser, address, viewport={"width": width, "height": 700})
    for place in ("", f"-/drafts/{store.find('soup-a-method').id}", "-/run"):
        page.goto(f"{address}{place}")
        assert "not there" not in page.inner_text("main")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
