"""The review page through Flask's own client: what each view does to the files, and who may use it."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from reviewing import BODY, COPIED, add_draft, make_site, make_store
from werkzeug.test import TestResponse, create_environ, run_wsgi_app

from blog_gen import runs
from blog_gen.config.loading import load_settings
from blog_gen.files import write_json
from blog_gen.model.integrity import META_FILE
from blog_gen.review import preview
from blog_gen.review.app import create_app
from blog_gen.review.deadline import Worker
from blog_gen.review.evidence import evidence_of
from blog_gen.review.store import Store, reason_of
from blog_gen.site import front_matter

PORT = 4001
ORIGIN = f"http://127.0.0.1:{PORT}"


class Reviewer:
    """A browser without JavaScript: reads a page's form and sends it back with changes."""

    def __init__(self, store: Store) -> None:
        self.client: FlaskClient = create_app(store.settings, PORT).test_client()

    def get(self, address: str, **headers: str) -> TestResponse:
        return self.client.get(address, base_url=ORIGIN, headers=headers)

    def page(self, address: str) -> str:
        response = self.get(address)
        assert response.status_code == 200, response.text
        return response.text

    def form(self, address: str) -> dict[str, str]:
        """The fields of the page's edit form as a browser would send them."""
        text = self.page(address)
        found = dict(re.findall(r'<input[^>]* name="([^"]+)" value="([^"]*)"', text))
        found |= dict(re.findall(r'<textarea id="\w+" name="(\w+)"[^>]*>\n(.*?)</textarea>', text, re.S))
        return {name: html.unescape(value).replace("\n", "\r\n") for name, value in found.items()}

    def post(self, address: str, form: Mapping[str, str], origin: str | None = ORIGIN) -> TestResponse:
        headers = {} if origin is None else {"Origin": origin}
        return self.client.post(address, base_url=ORIGIN, data=dict(form), headers=headers)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return make_store(tmp_path)


@pytest.fixture
def reviewer(store: Store) -> Reviewer:
    return Reviewer(store)


BROKEN = [("A tag", 11), ("Another tag", 12)]


def _address(store: Store, name: str = "soup-a-method") -> str:
    return f"/-/drafts/{store.find(name).id}"


def test_three_drafts_are_reviewed_one_after_another(reviewer: Reviewer, store: Store) -> None:
    assert "3 waiting for you" in reviewer.page("/")
    address = _address(store)
    done = reviewer.post(f"{address}/approve", reviewer.form(address))
    assert done.status_code == 303 and store.find("soup-a-method").state == "approved"
    after = reviewer.page(done.location)
    assert "<h1>A bolt, late</h1>" in after and "Approved" in after
    address = _address(store, "a-bolt-late")
    done = reviewer.post(f"{address}/reject", reviewer.form(address) | {"reason": "dull"})
    rejected = store.find("a-bolt-late")
    assert rejected.state == "rejected" and reason_of(rejected) == "dull"
    assert "Undo the rejection" in reviewer.page(done.location)
    address = _address(store, "the-drawer-of-rain")
    done = reviewer.post(f"{address}/approve", reviewer.form(address))
    assert "Nothing is waiting" in reviewer.page(done.location)
    back = reviewer.post(
        f"{_address(store, 'a-bolt-late')}/undo", reviewer.form(_address(store, "a-bolt-late"))
    )
    assert store.find("a-bolt-late").state == "waiting" and "Waiting again" in reviewer.page(back.location)
    address = _address(store)
    reviewer.post(f"{address}/unpublish", reviewer.form(address))
    assert store.find("soup-a-method").state == "waiting"


def test_a_decision_leads_on_to_the_next_that_waits_and_then_round(reviewer: Reviewer, store: Store) -> None:
    address = _address(store, "a-bolt-late")
    done = reviewer.post(f"{address}/approve", reviewer.form(address))
    assert "<h1>The drawer of rain</h1>" in reviewer.page(done.location)
    address = _address(store, "the-drawer-of-rain")
    done = reviewer.post(f"{address}/reject", reviewer.form(address))
    assert "<h1>Soup: a method</h1>" in reviewer.page(done.location)


def test_a_form_sent_back_as_it_came_changes_no_byte(reviewer: Reviewer, store: Store) -> None:
    before = store.find("soup-a-method").path.read_bytes()
    reviewer.post(f"{_address(store)}/save", reviewer.form(_address(store)))
    assert store.find("soup-a-method").path.read_bytes() == before


def test_fields_and_text_are_changed_and_every_other_line_stays(reviewer: Reviewer, store: Store) -> None:
    before = store.find("soup-a-method")
    form = reviewer.form(_address(store))
    assert form["field-tags"] == "shell" and form["field-category"] == "programs"
    changes = {"field-title": "Soup: no method", "field-tags": "shell, patience,"}
    changes |= {"body": form["body"].replace("rained", "poured")}
    assert reviewer.post(f"{_address(store)}/save", form | changes).status_code == 303
    after = store.find("soup-a-method").text
    expected = before.text.replace('"Soup: a method"', '"Soup: no method"').replace("rained on", "poured on")
    expected = expected.replace("description: It poured", "description: It rained")
    assert after == expected.replace("[shell]", "[shell, patience]")


def test_approving_saves_what_was_changed_in_the_form(reviewer: Reviewer, store: Store) -> None:
    form = reviewer.form(_address(store))
    reviewer.post(f"{_address(store)}/approve", form | {"body": "Another text."})
    entry = store.find("soup-a-method")
    assert entry.state == "approved" and entry.body == "Another text."


def test_passages_are_marked_and_lead_to_their_line(reviewer: Reviewer, store: Store) -> None:
    page = reviewer.page(_address(store))
    found = re.search(r'<mark><a href="(/-/sources/\w+)#line-3">([^<]+)</a></mark>', page)
    assert found and found[2] == COPIED
    assert f'<li id="line-3">{COPIED}. So be kind' in reviewer.page(found[1])
    assert "email: <code>me@example.org</code>" in page


@pytest.mark.parametrize("act", ["save", "approve", "reject", "unpublish", "undo"])
def test_a_conflict_shows_both_texts_and_changes_nothing(reviewer: Reviewer, store: Store, act: str) -> None:
    form = reviewer.form(_address(store)) | {"body": "Mine, all mine."}
    entry = store.find("soup-a-method")
    theirs = entry.text.replace("rained", "snowed")
    entry.path.write_text(theirs)
    if act == "undo":
        store.reject(store.find("soup-a-method"))
    before = store.find("soup-a-method").text
    done = reviewer.post(f"{_address(store)}/{act}", form)
    assert done.status_code == 409 and store.find("soup-a-method").text == before
    assert "It snowed" in done.text
    if act != "undo":  # that form has no text
        assert "Mine, all mine." in done.text
        token, version = re.findall(r'name="(?:token|version)" value="([^"]+)"', done.text)[:2]
        mine = html.unescape(re.findall(r"<textarea[^>]*>\n(.*?)</textarea>", done.text, re.S)[0])
        reviewer.post(f"{_address(store)}/save", {"token": token, "version": version, "text": mine})
        assert store.find("soup-a-method").body == "Mine, all mine."


def test_a_draft_removed_while_open_loses_no_text(reviewer: Reviewer, store: Store) -> None:
    address, form = _address(store), reviewer.form(_address(store))
    store.find("soup-a-method").path.unlink()
    done = reviewer.post(f"{address}/save", form | {"body": "Mine, all mine."})
    assert done.status_code == 422
    assert "no longer there" in done.text and "Mine, all mine." in done.text
    assert reviewer.get(address).status_code == 422


def test_broken_front_matter_is_mended_as_text(reviewer: Reviewer, store: Store) -> None:
    path = store.settings.output_folder / "2026-03-08-broken.md"
    path.write_text("---\ntitle: Retro: XST\nblog_gen: {seed: 1}\n---\nHi </textarea><script>.\n")
    page = reviewer.page(_address(store, "broken"))
    assert "front matter" in page and "Approve" not in page and "<script>" not in page
    form = reviewer.form(_address(store, "broken"))
    worse = reviewer.post(f"{_address(store, 'broken')}/save", form | {"text": form["text"] + "more"})
    assert worse.status_code == 422 and "more</textarea>" in worse.text
    form["text"] = form["text"].replace("Retro: XST", '"Retro: XST"')
    assert reviewer.post(f"{_address(store, 'broken')}/save", form).status_code == 303
    assert store.find("broken").title == "Retro: XST"


def test_the_whole_of_a_large_draft_is_sent_and_saved(reviewer: Reviewer, store: Store) -> None:
    add_draft(store.settings, "Large", 8, BODY + "word " * 900_000)
    form = reviewer.form(_address(store, "large"))
    assert "only its beginning was checked" in reviewer.page(_address(store, "large"))
    assert len(form["body"]) > 4_500_000
    form["body"] += " end"
    assert reviewer.post(f"{_address(store, 'large')}/save", form).status_code == 303
    assert store.find("large").body.endswith("word end")
    assert reviewer.post(f"{_address(store, 'large')}/preview", form).status_code == 200


@pytest.mark.parametrize(
    ("host", "origin", "token", "status"),
    [
        (f"127.0.0.1:{PORT}", ORIGIN, True, 303),
        (f"localhost:{PORT}", f"http://localhost:{PORT}", True, 303),
        ("evil.example", "http://evil.example", True, 403),
        (f"evil.example:{PORT}", ORIGIN, True, 403),
        (f"127.0.0.1:{PORT}", "http://evil.example", True, 403),
        (f"127.0.0.1:{PORT}", "null", True, 403),
        (f"127.0.0.1:{PORT}", None, True, 403),
        (f"127.0.0.1:{PORT}", f"https://127.0.0.1:{PORT}", True, 403),
        (f"127.0.0.1:{PORT}", ORIGIN, False, 403),
    ],
)
def test_only_our_own_forms_change_anything(
    reviewer: Reviewer, store: Store, host: str, origin: str | None, token: bool, status: int
) -> None:
    form = reviewer.form(_address(store)) | ({} if token else {"token": "guess"})
    headers = {} if origin is None else {"Origin": origin}
    done = reviewer.client.post(
        f"{_address(store)}/approve", base_url=f"http://{host}", data=form, headers=headers
    )
    assert done.status_code == status
    assert (store.find("soup-a-method").state == "approved") == (status == 303)


def test_a_name_that_is_rebound_to_this_machine_reads_nothing(reviewer: Reviewer) -> None:
    done = reviewer.client.get("/", base_url=f"http://evil.example:{PORT}")
    assert done.status_code == 403 and "drawer" not in done.text


def test_a_request_must_say_whose_page_it_wants(reviewer: Reviewer) -> None:
    environment = create_environ("/", f"http://127.0.0.1:{PORT}")
    app = reviewer.client.application
    assert run_wsgi_app(app, environment.copy())[1].startswith("200")
    del environment["HTTP_HOST"]
    assert run_wsgi_app(app, environment)[1].startswith("400")


def test_a_draft_whose_checks_take_too_long_is_shown_all_the_same(
    reviewer: Reviewer, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_long(*arguments: object) -> None:
        raise TimeoutError

    monkeypatch.setattr(Worker, "run", too_long)
    page = reviewer.page(_address(store))
    assert "took too long" in page and "drawer" in page
    assert "Nothing private" not in page and "no eight words" not in page


def test_nothing_is_changed_by_a_link(reviewer: Reviewer, store: Store) -> None:
    for act in ("save", "approve", "reject", "undo", "unpublish", "regenerate"):
        assert reviewer.get(f"{_address(store)}/{act}").status_code in (404, 405)


@pytest.mark.parametrize(
    "address",
    [
        "/_config.yml",
        "/../_config.yml",
        "/%2e%2e/_config.yml",
        "/..%2f_config.yml",
        "//etc/passwd",
        "/-/drafts/..",
        "/-/drafts/..%2f..%2f_config.yml",
        "/-/sources/..%2f_config.yml",
        "/-/static/../draft.html.j2",
        "/.blog_gen/x",
    ],
)
def test_no_address_is_used_as_a_path(reviewer: Reviewer, store: Store, address: str) -> None:
    done = reviewer.get(address)
    assert done.status_code in (404, 422, 308), done.text
    assert "A small site\n" not in done.text and "extends" not in done.text


HOSTILE = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>{{ 7*7 }}"


def test_a_hostile_draft_is_shown_as_text_everywhere(reviewer: Reviewer, store: Store) -> None:
    path = store.settings.output_folder / "2026-03-09-hostile.md"
    provenance = {"seed": HOSTILE, "scores": {HOSTILE: HOSTILE}, "rejected": HOSTILE}
    head = {"title": HOSTILE, "tags": [HOSTILE, "../../x"], "date": "2026-03-09", "description": HOSTILE}
    text = front_matter.dump(head | {"permalink": "/../../x", "blog_gen": provenance})
    body = f"{HOSTILE}\n\n[x](javascript:alert(3))\n\n---\nblog_gen: {{}}\n---\n"
    path.write_text(f"---\n{text}---\n{body}")
    address = _address(store, "hostile")
    form = reviewer.form(address)
    shown = [reviewer.page("/"), reviewer.page(address), reviewer.post(f"{address}/preview", form).text]
    shown.append(reviewer.post(f"{address}/save", form | {"version": "old"}).text)
    done = reviewer.post(f"{address}/reject", reviewer.form(address) | {"reason": HOSTILE})
    shown += [reviewer.page(done.location), reviewer.page(_address(store, "hostile"))]
    for page in shown:
        assert "<script>alert" not in page and "<img src=x" not in page
        assert 'href="javascript' not in page and ">49<" not in page
    assert store.find("hostile").path.parent == store.settings.state_folder / "rejected"


@pytest.mark.parametrize("score", ["9" * 400, "1e999", "[1]", "null", "-.nan"])
def test_scores_that_somebody_forged_are_shown_as_they_are(
    reviewer: Reviewer, store: Store, score: str
) -> None:
    provenance = f"{{seed: {score}, scores: {{score: {score}, copied_share: {score}, __class__: 3, 3: 4}}}}"
    path = store.settings.output_folder / "2026-03-09-forged.md"
    path.write_text(f"---\ntitle: Forged\npublished: false\nblog_gen: {provenance}\n---\nHi.\n")
    assert "Forged" in reviewer.page("/") and "Approve" in reviewer.page(_address(store, "forged"))


def test_one_that_is_too_large_is_listed_and_said_to_be(reviewer: Reviewer, store: Store) -> None:
    add_draft(store.settings, "Too large", 8, BODY + "word " * 1_100_000)
    page = reviewer.page(_address(store, "too-large"))
    assert "must not be over 5 MB" in page and "Cut it in your own editor" in page and "as text" not in page


def test_what_shows_a_draft_is_sandboxed_and_our_pages_run_only_our_files(
    reviewer: Reviewer, store: Store
) -> None:
    own = reviewer.get(_address(store)).headers["Content-Security-Policy"]
    assert "default-src 'none'" in own and "unsafe" not in own and "frame-ancestors 'none'" in own
    shown = reviewer.post(f"{_address(store)}/preview", reviewer.form(_address(store)))
    policy = shown.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox;") and "script" not in policy and "allow" not in policy
    pages = [reviewer.page("/"), reviewer.page(_address(store)), reviewer.page("/-/run")]
    for page in pages:
        assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?! src)", page)
        for form in re.findall(r"<form.*?</form>", page, re.S):
            assert 'name="token"' in form


def test_without_a_model_only_writing_another_is_off_and_says_why(reviewer: Reviewer, store: Store) -> None:
    assert "run blog-gen train first" in reviewer.page(_address(store))
    done = reviewer.post(f"{_address(store)}/regenerate", reviewer.form(_address(store)))
    assert done.status_code == 422 and "No model is trained" in done.text
    assert "Nothing is trained yet" in reviewer.page("/-/run")


def test_the_training_run_is_drawn_and_put_in_words(reviewer: Reviewer, store: Store) -> None:
    folder = store.settings.run_folder
    hashes = ("identity", "base_weights", "weights", "articles", "fingerprint")
    meta: dict[str, Any] = dict.fromkeys(hashes, "abc")
    history = [{"step": 0, "held_out": 4.0}, {"step": 50, "loss": 3.0, "held_out": 2.0}]
    meta |= {"base": "mini", "settings": {}, "recipe": {}, "posts": 2, "tokens": 1234, "best_step": 50}
    meta |= {
        "held_out": ["_articles/bread.md"],
        "held_out_logprob": -3.0,
        "seconds": 61.0,
        "format": runs.FORMAT,
    }
    meta |= {"stopped": "all steps done", "summary": "It is learning, not memorising.", "history": history}
    write_json(folder / META_FILE, meta)
    header = json.dumps({"__metadata__": {"identity": "abc"}}).encode()
    (folder / "model.safetensors").write_bytes(len(header).to_bytes(8, "little") + header)
    page = reviewer.page("/-/run")
    assert '<polyline class="held_out" points="0.0,0.0 640.0,240.0" ' in page
    assert (
        "It is learning, not memorising." in page and "_articles/bread.md" in page and "1,234 tokens" in page
    )


def test_a_hundred_drafts_are_listed(tmp_path: Path) -> None:
    settings = make_site(tmp_path)
    for number in range(100):
        add_draft(settings, f"Note {number}", 1 + number % 28)
    assert Reviewer(Store(settings)).page("/").count("<tr>") == 101


def test_a_link_to_the_site_itself_is_not_foreign(tmp_path: Path) -> None:
    site = make_site(tmp_path).site
    with (site / "_config.yml").open("a") as config:
        config.write("url: https://my.example\n")
    settings = load_settings(site)
    body = "See [bread](https://my.example/bread/) and [more](https://else.example/)."
    assert [finding.line for finding in evidence_of(body, settings).findings if finding.kind == "link"] == [1]


def test_a_draft_is_shown_plainly_where_the_site_cannot_be_built(
    reviewer: Reviewer, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    page = reviewer.page(f"{_address(store)}/preview")
    assert "Jekyll is not installed" in page and "<em>opinions</em>" in page


def test_a_draft_that_takes_too_long_to_show_is_shown_as_text(
    reviewer: Reviewer, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preview, "RENDERING_SECONDS", 0.5)
    monkeypatch.setattr(preview, "as_html", re.compile("(a+)+b").match)  # exponential
    body = "a" * 60
    page = reviewer.post(f"{_address(store)}/preview", reviewer.form(_address(store)) | {"body": body}).text
    assert "took longer than 0.5 seconds" in page and f"<pre>{body}</pre>" in page


@pytest.mark.jekyll
def test_a_draft_is_shown_as_the_site_shows_it(reviewer: Reviewer, store: Store, jekyll: str) -> None:
    moved = reviewer.get(f"{_address(store)}/preview")
    assert moved.location == "/generated/2026/03/07/soup-a-method/"
    page = reviewer.get(moved.location)
    assert 'class="the-site"' in page.text and "<em>opinions</em>" in page.text
    assert page.headers["Content-Security-Policy"].startswith("sandbox;")
    assert reviewer.get("/assets/site.css").mimetype == "text/css"
    assert not (store.settings.site / "_site").exists()


@pytest.mark.jekyll
def test_drafts_that_stop_jekyll_are_shown_plainly_and_no_others(
    reviewer: Reviewer, store: Store, jekyll: str
) -> None:
    broken = [add_draft(store.settings, title, day, "Words {% nonsense %}\n") for title, day in BROKEN]
    for path in broken:
        entry = next(entry for entry in store.entries() if entry.path == path)
        page = reviewer.page(f"/-/drafts/{entry.id}/preview")
        assert "Unknown tag" in page and path.name in page and "<p>Words" in page
    moved = reviewer.get(f"{_address(store)}/preview")
    assert 'class="the-site"' in reviewer.get(moved.location).text


@pytest.mark.jekyll
def test_plugins_in_several_folders_all_take_part(tmp_path: Path, jekyll: str) -> None:
    site = make_site(tmp_path).site
    with (site / "_config.yml").open("a") as config:
        config.write("plugins_dir: [_plugins, _more]\n")
    for folder, name in (("_plugins", "one"), ("_more", "two")):
        (site / folder).mkdir(exist_ok=True)
        filters = f"module {name.title()}; def {name}(text) 'by {name}'; end; end"
        (site / folder / "filters.rb").write_text(
            f"{filters}; Liquid::Template.register_filter({name.title()})\n"
        )
    store = Store(load_settings(site))
    path = add_draft(store.settings, "Filtered", 9, "{{ 'x' | one }} and {{ 'x' | two }}\n")
    (entry,) = (entry for entry in store.entries() if entry.path == path)
    reviewer = Reviewer(store)
    moved = reviewer.get(f"/-/drafts/{entry.id}/preview")
    assert "by one and by two" in reviewer.get(moved.location).text


@pytest.mark.jekyll
def test_a_site_with_a_source_of_its_own_is_built_from_there(tmp_path: Path, jekyll: str) -> None:
    site = make_site(tmp_path).site
    (site / "src").mkdir()
    for name in ("_layouts", "_articles", "assets"):
        (site / name).rename(site / "src" / name)
    with (site / "_config.yml").open("a") as config:
        config.write("source: src\nblog_gen: {articles: src/_articles, output: src/_generated}\n")
    store = Store(load_settings(site))
    add_draft(store.settings, "Soup", 9)
    reviewer = Reviewer(store)
    moved = reviewer.get(f"{_address(store, 'soup')}/preview")
    assert 'class="the-site"' in reviewer.get(moved.location).text


@pytest.mark.jekyll
def test_a_site_that_runs_no_plugins_is_shown_plainly(tmp_path: Path, jekyll: str) -> None:
    store = make_store(tmp_path)
    with (store.settings.site / "_config.yml").open("a") as config:
        config.write("safe: true\n")
    page = Reviewer(Store(load_settings(store.settings.site))).page(f"{_address(store)}/preview")
    assert "runs no plug-in with `safe: true`" in html.unescape(page).replace("<code>", "`").replace(
        "</code>", "`"
    )
    assert "<em>opinions</em>" in page
