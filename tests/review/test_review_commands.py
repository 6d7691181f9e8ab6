"""`blog-gen review` in a throw-away site: exit codes, what is printed, and the files on disk."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from calling import Done, call
from reviewing import make_store

from blog_gen.review.store import Store

Review = Callable[..., Done]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return make_store(tmp_path)


@pytest.fixture
def review(store: Store) -> Review:
    def run(*words: str, code: int = 0, editor: str = "false") -> Done:
        site = store.settings.site
        return call(site, "review", *words, code=code, now=None, EDITOR=editor, VISUAL=editor)

    return run


def test_three_drafts_are_reviewed_on_the_terminal(review: Review, store: Store) -> None:
    listed = review("list").stdout.splitlines()
    assert listed[0].split() == ["date", "state", "title", "words", "novelty", "flags", "draft"]
    assert listed[1].split()[:2] == ["2026-03-07", "waiting"] and listed[1].endswith("soup-a-method.md")
    shown = review("show", "soup-a-method").stdout
    assert "copied: line 3: 16 words are also in _articles/letters.md, line 3" in shown
    assert "look:   line 7: email: me@example.org" in shown
    assert "Approved: _generated/" in review("approve", "soup-a-method").stdout
    assert "Rejected: .blog_gen/rejected/" in review("reject", "a-bolt-late", "-r", "dull").stdout
    rows = [json.loads(line) for line in review("list", "--json").stdout.splitlines()]
    assert [row["state"] for row in rows] == ["waiting", "approved", "rejected"]
    assert list(rows[0]) == listed[0].split(), "the keys are the heads of the table"
    assert all(type(row["words"]) is int and 0 <= row["novelty"] <= 1 for row in rows)
    assert "rejected: dull" in review("show", "a-bolt-late").stdout
    assert "Waiting again" in review("undo", "a-bolt-late").stdout
    assert "Waiting again" in review("unpublish", "soup-a-method").stdout
    assert {entry.state for entry in store.entries()} == {"waiting"}


def test_a_note_is_said_once(review: Review, store: Store) -> None:
    with (store.settings.site / "_config.yml").open("a") as config:
        config.write("blog_gen: {training: {accumulate: 2}}\n")
    assert review("list").stderr.count("`training.accumulate` is now called") == 1


def test_the_editor_changes_a_draft(review: Review, store: Store) -> None:
    assert "Saved" in review("edit", "soup-a-method", editor="sed -i s/rained/poured/").stdout
    assert "It poured" in store.find("soup-a-method").body
    assert "Nothing changed" in review("edit", "soup-a-method", editor="true").stdout


def test_what_the_editor_broke_is_kept_beside(review: Review, store: Store) -> None:
    before = store.find("soup-a-method")
    said = review("edit", "soup-a-method", editor="sed -i s/title:/tit/", code=1).stderr
    kept = store.settings.state_folder / "unsaved-2026-03-07-soup-a-method.md"
    assert "must have a title of one line" in said and str(kept.name) in said
    assert "tit " in kept.read_text() and store.find("soup-a-method") == before
    said = review("edit", "soup-a-method", editor="sed -i s/title:/toot/", code=1).stderr
    assert "unsaved-2026-03-07-soup-a-method-2.md" in said
    assert "tit " in kept.read_text() and "toot " in kept.with_stem(f"{kept.stem}-2").read_text()


def test_a_conflict_in_the_editor_keeps_both_texts(review: Review, store: Store, tmp_path: Path) -> None:
    script = tmp_path / "editor.sh"
    path = store.find("soup-a-method").path
    script.write_text(f'#!/bin/sh\nsed -i s/rained/snowed/ "{path}"\nsed -i s/rained/poured/ "$1"\n')
    script.chmod(0o755)
    assert "someone else changed" in review("edit", "soup-a-method", editor=str(script), code=1).stderr
    assert "It snowed" in store.find("soup-a-method").body
    assert "It poured" in (store.settings.state_folder / "unsaved-2026-03-07-soup-a-method.md").read_text()


def test_the_difference_is_against_what_git_had_first(review: Review, store: Store) -> None:
    for words in (
        ["init", "-q"],
        ["add", "."],
        ["-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "-qm", "1"],
    ):
        subprocess.run(["git", *words], cwd=store.settings.site, check=True)
    entry = store.find("soup-a-method")
    assert "Nothing was changed" in review("diff", "soup-a-method").stderr
    store.save(entry, entry.text.replace("rained", "poured"))
    lines = review("diff", "soup-a-method").stdout.splitlines()
    assert [line for line in lines if line.startswith("+It poured")] and len(
        [x for x in lines if x[0] == "-"]
    ) == 2


def test_without_git_or_a_model_the_difference_says_what_is_missing(review: Review) -> None:
    assert "the generated text cannot be recovered" in review("diff", "soup-a-method", code=1).stderr


def test_the_scorecard_for_a_pull_request_is_inert(review: Review, store: Store) -> None:
    entry = store.find("soup-a-method")
    hostile = (
        entry.text.replace('"Soup: a method"', '"@someone | `x` <img src=x>"') + "\n````\n</details> @team\n"
    )
    store.save(entry, hostile)
    shown = review("show", "soup-a-method", "--markdown").stdout
    assert shown.startswith("## `@someone | 'x' <img src=x>`\n")
    opening = next(line for line in shown.splitlines() if line.endswith("markdown"))
    assert opening == "`````markdown" and shown.endswith("\n`````\n")
    assert "| `longest passage from another post, in words` | `12` | `at most 20` |" in shown


def test_a_terminal_is_not_told_to_do_things(review: Review, store: Store) -> None:
    entry = store.find("soup-a-method")
    store.save(entry, entry.text + "\n\x1b]0;owned\x07 and \u202eback\n")
    assert "\x1b" not in review("show", "soup-a-method").stdout


@pytest.mark.parametrize("words", [["list"], ["approve", "soup-a-method"], ["reject", "soup-a-method"]])
def test_a_decision_imports_nothing_heavy(store: Store, words: list[str]) -> None:
    code = (
        f"import sys; sys.argv[1:] = {['review', *words]!r}\n"
        "from blog_gen.cli import main\n"
        "try: main()\n"
        "except SystemExit as end: assert not end.code\n"
        "heavy = {'numpy', 'tensorflow', 'ai_edge_litert', 'flask', 'mistune'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], cwd=store.settings.site, check=True, capture_output=True)


def test_a_port_that_is_taken_is_said_in_one_line(review: Review) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = review("serve", "--port", str(port), code=2).stderr
    assert said == f"blog-gen: port {port} must be free; got Address already in use. Try --port {port + 1}\n"
