"""What the review page needs a model for, in a real browser, with a real run; and how keys are turned off."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from browsing import PATIENCE, expect_title, obstacles, open_page, serving
from playwright.sync_api import expect
from reviewing import make_store
from trained_site import copied

from blog_gen.config.settings import Settings
from blog_gen.drafting.request import DraftRequest
from blog_gen.review.store import Store

pytestmark = pytest.mark.browser

MANY = 6000  # candidates: a job that lasts until it is cancelled


def _draft_page(address: str, settings: Settings, name: str = "note-a") -> str:
    return f"{address}-/drafts/{Store(settings).find(name).id}"


def test_another_seed_and_title_make_another_draft(browser: Any, trained: Settings, tmp_path: Path) -> None:
    settings = copied(trained, tmp_path, candidates=12)
    store = Store(settings)
    before = store.entries()
    with serving(tmp_path) as address:
        page = open_page(browser, _draft_page(address, settings))
        page.get_by_label("Seed").fill("4711")
        page.get_by_label("Title (empty: it thinks of one)").fill("A kettle: mine")
        page.get_by_role("button", name="Write it").click()
        expect_title(page, "A new draft is there")
        page.get_by_role("link", name="Read “A kettle: mine”").click()
        expect_title(page, "A kettle: mine")
        page.goto(_draft_page(address, settings))
        page.get_by_label("Seed").fill("815")
        page.get_by_role("button", name="Write it").click()
        expect_title(page, "A new draft is there")
        assert page.said == []
    new = [entry for entry in store.entries() if entry not in before]
    seeds = {entry.title == "A kettle: mine": entry.draft.provenance["seed"] for entry in new if entry.draft}
    day = date.fromisoformat(before[0].day)
    for titled, seed in ((True, 4711), (False, 815)):
        assert seeds[titled] in DraftRequest(day, seed=seed).seeds(0, settings.candidates)
    assert {entry.day for entry in new} == {before[0].day}
    assert all(entry in store.entries() for entry in before)


def test_progress_is_shown_and_cancel_works_by_keyboard(
    browser: Any, trained: Settings, tmp_path: Path
) -> None:
    settings = copied(trained, tmp_path, candidates=MANY)
    before = Store(settings).entries()
    with serving(tmp_path) as address:
        page = open_page(browser, _draft_page(address, settings))
        page.get_by_role("button", name="Write it").click()
        expect_title(page, "Writing another draft")
        page.get_by_role("button", name="Cancel").focus()
        expect(page.locator("#progress-said")).to_contain_text(f" of {MANY} written", timeout=PATIENCE)
        first = page.locator("#progress").evaluate("e => e.value")
        expect(page.locator("#progress")).not_to_have_js_property("value", first, timeout=PATIENCE)
        expect(page.get_by_role("button", name="Cancel")).to_be_focused()
        page.keyboard.press("Enter")
        expect_title(page, "Cancelled")
        assert page.said == []
    assert Store(settings).entries() == before


def test_progress_and_cancel_without_javascript(browser: Any, trained: Settings, tmp_path: Path) -> None:
    settings = copied(trained, tmp_path, candidates=MANY)
    with serving(tmp_path) as address:
        page = open_page(browser, _draft_page(address, settings), java_script_enabled=False)
        page.get_by_role("button", name="Write it").click()
        expect_title(page, "Writing another draft")
        expect(page.locator("#progress-said")).to_contain_text(f" of {MANY} written", timeout=PATIENCE)
        page.get_by_role("button", name="Cancel").click()
        expect_title(page, "Cancelled")


def test_without_a_model_only_what_needs_it_is_off_and_says_why(browser: Any, tmp_path: Path) -> None:
    settings = make_store(tmp_path).settings
    with serving(tmp_path) as address:
        page = open_page(browser, _draft_page(address, settings, "soup-a-method"))
        again = page.get_by_role("region", name="Write another for this day")
        expect(again).to_contain_text("No model is trained: run blog-gen train first")
        assert page.get_by_role("button", name="Write it").count() == 0
        assert page.get_by_role("link", name="How sure the model was").count() == 0
        page.get_by_role("button", name="Approve").click()
        expect_title(page, "A bolt, late")
    assert Store(settings).find("soup-a-method").state == "approved"


def test_a_model_that_goes_while_the_page_is_open_is_said_to_be_missing(
    browser: Any, trained: Settings, tmp_path: Path
) -> None:
    settings = copied(trained, tmp_path)
    with serving(tmp_path) as address:
        page = open_page(browser, _draft_page(address, settings))
        shutil.rmtree(settings.run_folder)
        page.get_by_role("button", name="Write it").click()
        expect_title(page, "That was not done")
        expect(page.get_by_role("alert")).to_contain_text("No model is trained")
        page.goto(f"{_draft_page(address, settings)}/certainty")
        expect(page.get_by_role("alert")).to_contain_text("there must be a trained run")


def test_nothing_serious_stands_in_anybodys_way_to_the_model(
    browser: Any, trained: Settings, tmp_path: Path, scheme: str
) -> None:
    settings = copied(trained, tmp_path, candidates=MANY)
    with serving(tmp_path) as address:
        draft = _draft_page(address, settings)
        page = open_page(browser, f"{draft}/certainty", color_scheme=scheme, bypass_csp=True)
        expect_title(page, "How sure the model was")
        assert page.locator(".text .sure-0").count() > 1
        assert obstacles(page) == []
        page.goto(f"{address}-/run")
        expect(page.get_by_role("img", name="Loss over training steps")).to_be_visible()
        assert obstacles(page) == []
        page.goto(draft)
        assert obstacles(page) == []
        page.get_by_role("button", name="Write it").click()
        expect_title(page, "Writing another draft")
        assert obstacles(page) == []
        page.get_by_role("button", name="Cancel").click()
        expect_title(page, "Cancelled")
        assert obstacles(page) == []


def test_how_sure_the_model_was_is_shown_beside_the_draft(
    browser: Any, trained: Settings, tmp_path: Path
) -> None:
    settings = copied(trained, tmp_path)
    with serving(tmp_path) as address:
        page = open_page(browser, _draft_page(address, settings))
        expect(page.locator("#shaded .text .sure-0").first).to_be_visible(timeout=PATIENCE)
        text = Store(settings).find("note-a").body
        assert page.locator("#shaded .text").inner_text().split() == text.split()
        expect(page.get_by_role("link", name="How sure the model was")).to_be_hidden()
        assert page.said == []
        plain = open_page(browser, _draft_page(address, settings), java_script_enabled=False)
        plain.get_by_role("link", name="How sure the model was").click()
        expect(plain.locator(".text .sure-0").first).to_be_visible(timeout=PATIENCE)


def test_single_keys_are_turned_off_by_keyboard_and_stay_off(browser: Any, tmp_path: Path) -> None:
    store = make_store(tmp_path)
    with serving(tmp_path) as address:
        page = open_page(browser, address)
        page.get_by_role("button", name="Turn these keys off").focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("status").filter(has_text="Single keys are off.")).to_be_visible()
        for _ in range(2):
            page.keyboard.press("j")
            page.wait_for_timeout(300)
            expect_title(page, "3 waiting for you")
            page.reload()  # and another page, later
        page.goto(_draft_page(address, store.settings, "soup-a-method"))
        page.keyboard.press("a")
        page.wait_for_timeout(300)
        assert store.find("soup-a-method").state == "waiting"
        assert page.locator("#keys-on").is_hidden()
        page.get_by_role("button", name="Turn single keys on").press("Space")
        expect(page.get_by_role("status").filter(has_text="Single keys are on.")).to_be_visible()
        page.locator("h1").click()
        page.keyboard.press("j")
        expect_title(page, "A bolt, late")
        assert page.said == []
