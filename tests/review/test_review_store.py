"""What a reviewer does to drafts, by the files that are there afterwards."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from reviewing import BODY, add_draft, make_site, make_store

from blog_gen.commands.status import status_of
from blog_gen.config.loading import load_settings
from blog_gen.errors import BlogGenError, DraftError
from blog_gen.review.entries import Entry, read_entry
from blog_gen.review.patching import with_body, with_key
from blog_gen.review.store import ConflictError, Store, reason_of
from blog_gen.site import front_matter
from blog_gen.site.days import existing_days


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return make_store(tmp_path)


def _head(path: Path) -> dict[str, Any]:
    head: dict[str, Any] = yaml.safe_load(path.read_text().split("---")[1])
    return head


def _files(site: Path) -> dict[str, bytes]:
    paths = [path for path in site.rglob("*.md") if path.is_file()]
    return {path.relative_to(site).as_posix(): path.read_bytes() for path in paths}


def test_drafts_are_listed_newest_first_and_by_how_they_stand(store: Store) -> None:
    assert [entry.title for entry in store.entries()] == [
        "Soup: a method",
        "A bolt, late",
        "The drawer of rain",
    ]
    store.reject(store.find("a-bolt-late"), "dull")
    store.approve(store.find("soup-a-method"))
    assert [entry.state for entry in store.entries()] == ["waiting", "approved", "rejected"]


def test_approving_in_place_takes_one_line_out_and_unpublishing_puts_it_back(store: Store) -> None:
    before = _files(store.settings.site)
    entry = store.approve(store.find("soup-a-method"))
    after = _files(store.settings.site)
    name = f"_generated/{entry.name}"
    assert after.keys() == before.keys()
    assert after[name] == before[name].replace(b"published: false\n", b"")
    assert store.approve(entry) == entry  # once more is no more
    store.unpublish(entry)
    assert _files(store.settings.site) == before


@pytest.mark.parametrize(
    ("publish", "path"),
    [
        ("_posts", "_posts/2026-03-07-soup-a-method.md"),
        ("_articles", "_articles/2026-03-07-soup-a-method.md"),
        ("_drafts", "_drafts/soup-a-method.md"),
    ],
)
def test_approving_moves_where_the_setting_says(store: Store, publish: Any, path: str) -> None:
    before, days = _files(store.settings.site), existing_days(store.settings)
    store.settings = dataclasses.replace(store.settings, publish=publish)
    entry = store.approve(store.find("soup-a-method"))
    assert entry.path == store.settings.site / path
    assert "published" not in _head(entry.path) and entry.state == "approved"
    assert existing_days(store.settings) == days, "the day has its post, wherever that is"
    assert status_of(store.settings)["published"] == 1
    store.unpublish(store.find("soup-a-method"))
    assert _files(store.settings.site) == before


@pytest.mark.parametrize("where", ["posts", "defaults"])
def test_an_approved_draft_says_that_it_is_published_only_where_it_must(store: Store, where: str) -> None:
    if where == "posts":
        bread = store.settings.site / "_articles" / "bread.md"
        bread.write_text(bread.read_text().replace("title:", "published: true\ntitle:"))
    else:
        hidden = {"scope": {"path": "", "type": "generated"}, "values": {"published": False}}
        jekyll = {**store.settings.jekyll, "defaults": [hidden]}
        store.settings = dataclasses.replace(store.settings, jekyll=jekyll)
    assert _head(store.approve(store.find("soup-a-method")).path)["published"] is True


@pytest.mark.parametrize(
    ("posts", "to"),
    [
        (["_posts/2020-01-01-a.md"], "_posts"),
        (
            ["_posts/2020-01-01-a.md", "news/_posts/2020-01-01-b.md", "news/_posts/2020-01-01-c.md"],
            "news/_posts",
        ),
        (
            ["_posts/2020-01-01-a.md", "_posts/2020-01-02-b.md", "programs/_posts/2020-01-01-c.md"],
            "programs/_posts",
        ),
        (["_posts/2020/2020-01-01-a.md", "_posts/2021/2021-01-01-b.md"], "_posts/2026"),
        (["_posts/2020/2020-01-01-a.html", "_posts/2021/2021-01-01-b.html"], "_posts/2026"),
        (["_posts/2020/2020-01-01-a.md", "_posts/2021-01-01-b.md"], "_posts"),
        (["_posts/x/2020-01-01-a.md", "_posts/x/2020-01-02-b.md", "_posts/2020-01-03-c.md"], "_posts/x"),
        (["_posts/x/2020/2020-01-01-a.md", "_posts/x/2021/2021-01-01-b.md"], "_posts/x/2026"),
        (["_posts/x/2020-01-01-a.md", "_posts/Programs/2020-01-02-b.md"], "_posts/Programs"),
        (["_posts/_x/2020-01-01-a.txt", "_posts/.x/2020-01-02-b.md"], "_posts"),
    ],
)
def test_an_approved_draft_goes_to_the_folder_of_its_category_else_where_most_are(
    store: Store, posts: list[str], to: str
) -> None:
    for name in posts:
        path = store.settings.site / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("---\ntitle: A\n---\nIt rained.\n")
    store.settings = dataclasses.replace(store.settings, publish="_posts")
    entry = store.approve(store.find("soup-a-method"))
    assert entry.path.parent == store.settings.site / to
    assert store.unpublish(store.find("soup-a-method")).path.parent.name == "_generated"


def test_a_post_is_never_overwritten(store: Store) -> None:
    store.settings = dataclasses.replace(store.settings, publish="_posts")
    mine = store.settings.site / "_posts" / "2026-03-07-soup-a-method.md"
    mine.parent.mkdir()
    mine.write_text("mine")
    before = _files(store.settings.site)
    with pytest.raises(DraftError, match=r"_posts/2026-03-07-soup-a-method.md: another post has the name"):
        store.approve(store.find("soup-a-method"))
    assert _files(store.settings.site) == before


def test_a_move_that_was_killed_half_way_is_ended_by_the_next(store: Store) -> None:
    entry = store.find("soup-a-method")
    killed = dataclasses.replace(store.settings, publish="_posts")
    text = with_key(entry.text, "published", None)
    (killed.site / "_posts").mkdir()
    (killed.site / "_posts" / entry.name).write_text(text)
    store.settings = killed
    assert store.approve(entry).path.parent.name == "_posts"
    assert not entry.path.exists()


def test_a_rejection_keeps_the_reason_counts_for_its_day_and_is_taken_back(store: Store) -> None:
    before, days = _files(store.settings.site), existing_days(store.settings)
    entry = store.reject(store.find("a-bolt-late"), "dull:\n very # dull")
    assert entry.path == store.settings.state_folder / "rejected" / "2026-03-06-a-bolt-late.md"
    assert reason_of(entry) == "dull: very # dull"
    head = _head(entry.path)
    assert head["blog_gen"].pop("rejected") == "dull: very # dull"
    original = yaml.safe_load(before["_generated/2026-03-06-a-bolt-late.md"].split(b"---")[1])
    assert head == original and list(head) == list(original)
    assert existing_days(store.settings) == days
    with pytest.raises(DraftError, match="must be undone first"):
        store.approve(entry)
    assert store.undo(entry).state == "waiting"
    assert _files(store.settings.site) == before


def test_a_draft_is_of_the_day_that_its_name_says_in_whatever_zone_it_is_read(
    store: Store,
) -> None:
    entry = store.find("soup-a-method")
    entry.path.write_text(entry.text.replace("2026-03-07 09:00:00 +0000", "2026-03-07 00:30:00 +0900"))
    assert store.find("soup-a-method").day == "2026-03-07"


def test_a_day_that_only_the_front_matter_tells_is_the_site_s_own(tmp_path: Path) -> None:
    (tmp_path / "_generated").mkdir()
    (tmp_path / "_config.yml").write_text("timezone: Asia/Tokyo\n")
    text = "---\ntitle: Mine\ndate: 2026-03-06 15:30:00 +0000\nblog_gen: {seed: 1}\n---\nHi.\n"
    (tmp_path / "_generated" / "mine.md").write_text(text)
    assert Store(load_settings(tmp_path)).find("mine").day == "2026-03-07"


def test_two_drafts_of_one_name_can_be_rejected(store: Store) -> None:
    store.reject(store.find("a-bolt-late"), "one")
    add_draft(store.settings, "A bolt, late", 6)
    assert store.reject(store.find("a-bolt-late"), "two").name == "2026-03-06-a-bolt-late-2.md"
    add_draft(store.settings, "A bolt, late", 6, "Another text.")
    first = next(entry for entry in store.entries() if reason_of(entry) == "one")
    with pytest.raises(DraftError, match="another post has the name"):
        store.undo(first)


@pytest.mark.parametrize("name", ["soup-a-method", "2026-03-07-soup-a-method", "2026-03-07-soup-a-method.md"])
def test_a_draft_is_found_by_its_name(store: Store, name: str) -> None:
    assert store.find(name).title == "Soup: a method"


def test_a_draft_is_found_by_its_path(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(store.settings.site)
    assert store.find("_generated/../_generated/2026-03-07-soup-a-method.md").title == "Soup: a method"


@pytest.mark.parametrize(
    "name", ["../_config.yml", "/etc/passwd", "_articles/bread.md", "", ".", "_generated"]
)
def test_nothing_else_is_a_draft(store: Store, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(store.settings.site)
    with pytest.raises(DraftError, match="there must be a draft with that name"):
        store.find(name)


def test_a_misspelt_name_brings_the_nearest(store: Store) -> None:
    with pytest.raises(DraftError, match=r"Did you mean `2026-03-07-soup-a-method.md`\?"):
        store.find("soup-method")


def test_a_link_out_of_the_site_is_no_draft(store: Store, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside") / "secret.md"
    outside.write_text("---\ntitle: Secret\nblog_gen: {}\n---\nSecret.\n")
    (store.settings.output_folder / "2026-03-08-secret.md").symlink_to(outside)
    assert all("secret" not in entry.name for entry in store.entries())


Act = Callable[[Store, Entry], Entry]
ACTS: dict[str, Act] = {
    "approve": Store.approve,
    "unpublish": Store.unpublish,
    "reject": Store.reject,
    "undo": Store.undo,
    "save": lambda store, entry: store.save(entry, entry.text),
}


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_what_another_hand_changed_meanwhile_is_not_touched(store: Store, act: Act) -> None:
    entry = store.find("soup-a-method")
    theirs = entry.path.read_text().replace("rained", "poured")
    entry.path.write_text(theirs)
    before = _files(store.settings.site)
    with pytest.raises(ConflictError) as conflict:
        act(store, entry)
    assert conflict.value.entry.text == theirs
    assert _files(store.settings.site) == before


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_a_draft_removed_meanwhile_is_said_to_be_gone(store: Store, act: Act) -> None:
    entry = store.find("soup-a-method")
    entry.path.unlink()
    with pytest.raises(DraftError, match="no longer there"):
        act(store, entry)
    assert not entry.path.exists()


BROKEN = {
    "colon": "---\ntitle: Retro: XST\nblog_gen: {seed: 1}\ndate: 2026-03-05\n---\nHi.\n",
    "unclosed": "---\ntitle: A\nblog_gen: {seed: 1}\nHi.\n",
    "none": "Hi.\n",
    "not ours": "---\ntitle: A\ndate: 2026-03-05\n---\nHi.\n",
    "no UTF-8": b"---\ntitle: \xff\nblog_gen: {seed: 1}\n---\nHi.\n",
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
def test_broken_front_matter_is_listed_with_its_fault_and_mended_as_text(
    store: Store, content: str | bytes
) -> None:
    path = store.settings.output_folder / "2026-03-08-broken.md"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    entry = store.find("broken")
    assert entry.fault and entry.state == "waiting" and "Hi." in entry.text
    for act in (store.approve, store.reject):
        with pytest.raises(DraftError, match="review edit"):
            act(entry)
    mended = store.save(entry, "---\ntitle: Mended\nblog_gen: {seed: 1}\npublished: false\n---\nHi.\n")
    assert mended.fault is None and store.approve(mended).state == "approved"


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("title:", "title: A: ", "valid front matter"),
        ('title: "Soup: a method"', "title: [1]", "a title of one line"),
        ("date: ", "date: not a ", "valid front matter with a date"),
        ("blog_gen:", "other:", "the key `blog_gen` must stay"),
        (BODY.strip(), "", "text after its front matter"),
        ("---\n\n", "\n", "valid front matter"),
    ],
)
def test_what_could_not_be_reviewed_again_is_not_saved(store: Store, old: str, new: str, rule: str) -> None:
    entry = store.find("soup-a-method")
    with pytest.raises(DraftError, match=rule):
        store.save(entry, entry.text.replace(old, new))
    assert entry.path.read_text() == entry.text


def test_a_site_that_cannot_be_written_says_so(store: Store) -> None:
    entry = store.find("soup-a-method")
    store.settings.state_folder.write_text("a file where the folder should be")
    with pytest.raises(BlogGenError, match="could not be written"):
        store.approve(entry)
    assert entry.path.read_text() == entry.text


def test_a_hundred_drafts_and_one_of_five_megabytes(tmp_path: Path) -> None:
    settings = make_site(tmp_path)
    for number in range(100):
        add_draft(settings, f"Note {number}", 1 + number % 28)
    large = add_draft(settings, "Large", 5, BODY + "word " * 1_000_000)
    too_large = add_draft(settings, "Too large", 5, BODY + "word " * 1_100_000)
    began = datetime.now(UTC)
    store = Store(settings)
    entries = store.entries()
    assert len(entries) == 102 and (datetime.now(UTC) - began).total_seconds() < 5
    assert store.approve(read_entry(large, settings)).state == "approved"
    entry = read_entry(too_large, settings)
    assert entry.fault and "5 MB" in entry.fault and entry.text == ""


HEADS = [
    "title: A # why\ntags: [a, b]\npublished: false # hidden\nblog_gen:\n  seed: 1\n\n  scores: {a: 1}\n",
    "'title': A\ntags:\n- a\n-  b\n\nempty:\nblog_gen: {seed: 1,\n  day: 2026-03-05}\n# the end\n",
    'description: >\n  folded\n\n  text\nblog_gen:\n  seed: 1\ntitle: "A"\n',
]
VALUES = st.none() | st.booleans() | st.text(max_size=12) | st.lists(st.text(max_size=5), max_size=3)


@given(st.sampled_from(HEADS), st.sampled_from(["title", "tags", "published", "blog_gen", "new"]), VALUES)
def test_one_key_is_set_and_every_other_line_stays(head: str, key: str, value: Any) -> None:
    text = f"---\n{head}---\nBody: not a key\ntitle: x\n"
    wanted = front_matter.parse(head)
    wanted.pop(key, None)
    if value is not None:
        wanted[key] = value
    try:
        patched = with_key(text, key, value)
    except DraftError:
        pytest.fail("every one of these heads can be patched")
    raw, body = front_matter.split(patched)
    assert front_matter.parse(raw or "") == wanted and body == "Body: not a key\ntitle: x\n"
    kept = [line for line in head.split("\n") if "#" in line and not line.startswith(key)]
    assert all(line in patched for line in kept)


def test_a_body_is_changed_and_its_head_is_not() -> None:
    assert with_body("---\na: 1\n...\n\nOld\n", "\nNew\n\n") == "---\na: 1\n...\n\nNew\n"


@pytest.mark.parametrize(
    "head", ["title: A\ntitle: B\n", "{title: A, blog_gen: {seed: 1}}\n", "title: &a A\nb: *a\n"]
)
def test_a_key_that_cannot_be_told_apart_is_left_alone(head: str) -> None:
    with pytest.raises(DraftError, match="`title` must stand alone"):
        with_key(f"---\n{head}---\nHi\n", "title", "C")
