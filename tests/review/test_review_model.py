"""What the review page needs a model for, with a run so small that it is trained in seconds."""

from __future__ import annotations

import dataclasses
import re
import shutil
import time
from pathlib import Path

import pytest
from reviewing import add_draft, make_site
from test_review_app import Reviewer

from blog_gen import pipeline
from blog_gen.config import Limits, Settings, TrainingSettings
from blog_gen.gpt2.hparams import HParams
from blog_gen.gpt2.vocabulary import train_vocabulary
from blog_gen.gpt2.weights import initial_weights, save_weights
from blog_gen.review.certainty import shades_of
from blog_gen.review.entries import Entry
from blog_gen.review.store import Store

SENTENCES = ("The kettle was cold and I was not.", "It rained on the bus and on the bread.")
ANYTHING = Limits(
    longest_copy=999, copied_share=1.0, title_likeness=2.0, loop_words=999, repeated_phrases=1.0,
    repeated_lines=1.0, repeated_paragraphs=99, distinct_1=0.0, distinct_2=0.0, distinct_3=0.0,
    length_slack=99.0, markup_faults=99, stray_marks=99, word_order=0.0,
    logprob_below=999.0, logprob_above=999.0,
)  # fmt: skip


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    base, site = tmp_path_factory.mktemp("base"), tmp_path_factory.mktemp("site")
    hparams = HParams(n_vocab=290, n_ctx=128, n_embd=64, n_head=2, n_layer=2)
    train_vocabulary(list(SENTENCES), hparams.n_vocab, base)
    save_weights(initial_weights(hparams, seed=1), base)
    hparams.save(base)
    settings = make_site(site)
    shutil.rmtree(settings.articles_folder)
    settings.articles_folder.mkdir()
    for number in range(8):
        head, body = f"---\ntitle: Note {'ABCDEFGH'[number]}\n---\n\n", f"{SENTENCES[0]}\n\n{SENTENCES[1]}\n"
        (settings.articles_folder / f"note_{number}.md").write_text(f"{head}{body}\n\nPart {number}.\n")
    training = TrainingSettings(steps=120, learning_rate=0.01, dropout=0.0, patience=99)
    settings = dataclasses.replace(
        settings, model=str(base), training=training, limits=ANYTHING, candidates=4
    )
    pipeline.train(settings, pipeline.Hooks())
    add_draft(settings, "Note A", body=f"{SENTENCES[0]} Zebra xylophone.")
    return settings


def _draft(settings: Settings) -> Entry:
    return Store(settings).find("note-a")


def _last_page(reviewer: Reviewer, address: str) -> str:
    """The job's page once it is over."""
    for _ in range(600):
        response = reviewer.get(address)
        if "Refresh" not in response.headers:
            return response.text
        time.sleep(0.1)
    pytest.fail("the job did not end")


def test_another_draft_for_the_day_is_written_and_the_old_one_stays(trained: Settings) -> None:
    store, reviewer = Store(trained), Reviewer(Store(trained))
    address = f"/-/drafts/{_draft(trained).id}"
    page = reviewer.page(address)
    assert 'name="seed" inputmode="numeric" value="19"' in page, "7, and 3 rounds of 4 candidates"
    before = store.entries()
    form = reviewer.form(address) | {"seed": "11", "title": "Note B"}
    job = reviewer.post(f"{address}/regenerate", form)
    assert job.status_code == 303
    page = _last_page(reviewer, job.location)
    new = [entry for entry in store.entries() if entry not in before]
    assert len(new) == 1 and new[0].title == "Note B" and new[0].day == "2026-03-05"
    assert "A new draft is there" in page and f"/-/drafts/{new[0].id}" in page
    assert new[0].draft and new[0].draft.provenance["seed"] in range(11, 23)
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


def test_a_seed_that_is_none_is_refused(trained: Settings) -> None:
    reviewer = Reviewer(Store(trained))
    address = f"/-/drafts/{_draft(trained).id}"
    done = reviewer.post(f"{address}/regenerate", reviewer.form(address) | {"seed": "-1"})
    assert done.status_code == 422 and "whole number" in done.text


def test_what_was_learned_by_heart_is_sure_and_a_zebra_is_not(trained: Settings) -> None:
    entry = _draft(trained)
    levels = {entry.body[shade.start : shade.end]: shade.level for shade in shades_of(entry, trained)}
    assert levels["Zebra"] == levels["xylophone."] == 0
    assert sum(levels[word] for word in ("kettle", "cold", "not.")) >= 9
    page = Reviewer(Store(trained)).page(f"/-/drafts/{entry.id}/certainty")
    assert '<span class="sure-0">Zebra</span>' in page and "Least sure of:" in page


def test_certainty_is_kept(trained: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = _draft(trained)
    first = shades_of(entry, trained)
    monkeypatch.setattr("blog_gen.gpt2.sampling.Sampler.open", None)
    assert shades_of(entry, trained) == first


def test_the_line_that_says_how_it_was_made_is_not_measured(trained: Settings) -> None:
    line = Path(__file__).parents[2].joinpath("templates", "disclosure.md").read_text()
    path = add_draft(trained, "Disclosed", 6, f"{SENTENCES[0]}\n\n{line.replace('{{ model }}', 'mini')}")
    entry = Store(trained).find(path.name)
    shades = shades_of(entry, trained)
    assert re.sub(r"\s", "", entry.body[: shades[-1].end]).endswith("Iwasnot.")
    path.unlink()
