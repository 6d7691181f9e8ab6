"""What the review page needs a model for, with a run so small that it is trained in seconds."""

from __future__ import annotations

import dataclasses
import re
from datetime import date
from typing import Any

import pytest
from deadlines import wait_until
from reviewing import add_draft
from test_review_app import Reviewer
from trained_site import SENTENCES

from blog_gen.config.settings import Settings
from blog_gen.drafting import disclosure
from blog_gen.drafting.request import DraftRequest
from blog_gen.judge import pick
from blog_gen.review.certainty import shades_of
from blog_gen.review.entries import Entry
from blog_gen.review.store import Store


def _draft(settings: Settings) -> Entry:
    return Store(settings).find("note-a")


def _last_page(reviewer: Reviewer, address: str) -> str:
    """The job's page once it is over."""
    wait_until(lambda: 'http-equiv="refresh"' not in reviewer.get(address).text, "the end of the job")
    return reviewer.get(address).text


def test_another_draft_for_the_day_is_written_and_the_old_one_stays(trained: Settings) -> None:
    store, reviewer = Store(trained), Reviewer(Store(trained))
    address = f"/-/drafts/{_draft(trained).id}"
    page = reviewer.page(address)
    assert 'name="seed" inputmode="numeric" value="8"' in page, "the one after 7"
    before = store.entries()
    form = reviewer.form(address) | {"seed": "11", "title": "Note B"}
    job = reviewer.post(f"{address}/regenerate", form)
    assert job.status_code == 303
    page = _last_page(reviewer, job.location)
    new = [entry for entry in store.entries() if entry not in before]
    assert len(new) == 1 and new[0].title == "Note B" and new[0].day == "2026-03-05"
    assert "A new draft is there" in page and f"/-/drafts/{new[0].id}" in page
    assert new[0].draft and new[0].draft.provenance["seed"] in DraftRequest(date(2026, 3, 5), seed=11).seeds(
        0, 12
    )
    assert all(entry in store.entries() for entry in before)


def test_a_job_is_cancelled_and_writes_nothing(trained: Settings) -> None:
    many = dataclasses.replace(trained, candidates=400)
    store, reviewer = Store(many), Reviewer(Store(many))
    before = store.entries()
    address = f"/-/drafts/{_draft(trained).id}"
    form = reviewer.form(address)
    reviewer.post(f"{address}/regenerate", form)
    assert "Writing another draft" in reviewer.page("/-/job")
    reviewer.post("/-/job/cancel", form)
    assert "Cancelled" in _last_page(reviewer, "/-/job")
    assert store.entries() == before


def test_a_job_cancelled_while_the_last_candidates_are_judged_writes_nothing(
    trained: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, reviewer = Store(trained), Reviewer(Store(trained))
    before = store.entries()
    form = reviewer.form(f"/-/drafts/{_draft(trained).id}")

    def slowly(cards: Any) -> Any:
        reviewer.post("/-/job/cancel", form)
        return pick(cards)

    monkeypatch.setattr("blog_gen.drafting.drafter.pick", slowly)
    reviewer.post(f"/-/drafts/{_draft(trained).id}/regenerate", form | {"seed": "11"})
    assert "Cancelled" in _last_page(reviewer, "/-/job")
    assert store.entries() == before


def test_a_seed_that_is_none_is_refused(trained: Settings) -> None:
    reviewer = Reviewer(Store(trained))
    address = f"/-/drafts/{_draft(trained).id}"
    for seed in ("-1", "x", 5000 * "9", "1" + 10 * "0"):
        done = reviewer.post(f"{address}/regenerate", reviewer.form(address) | {"seed": seed})
        assert done.status_code == 422 and "whole number" in done.text


def test_what_was_learned_by_heart_is_sure_and_a_zebra_is_not(trained: Settings) -> None:
    entry = _draft(trained)
    levels = {entry.body[shade.start : shade.end]: shade.level for shade in shades_of(entry, trained)}
    assert levels["Zebra"] == levels["xylophone."] == 0
    assert sum(levels[word] for word in ("kettle", "cold", "not.")) >= 9
    page = Reviewer(Store(trained)).page(f"/-/drafts/{entry.id}/certainty")
    assert '<span class="sure-0">Zebra</span>' in page and "the first of them: Zebra, xylophone." in page


def test_certainty_is_kept(trained: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = _draft(trained)
    first = shades_of(entry, trained)
    monkeypatch.setattr("blog_gen.model.sampling.sampling.Sampler.open", None)
    assert shades_of(entry, trained) == first


def test_the_line_that_says_how_it_was_made_is_not_measured(trained: Settings) -> None:
    path = add_draft(trained, "Disclosed", 6, disclosure.added_to(SENTENCES[0], "mini", trained))
    entry = Store(trained).find(path.name)
    shades = shades_of(entry, trained)
    assert re.sub(r"\s", "", entry.body[: shades[-1].end]).endswith("Iwasnot.")
    path.unlink()
