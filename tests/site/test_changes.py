"""What `init` does to files can be seen before, is done only if allowed, and can be taken back."""

from __future__ import annotations

from pathlib import Path

import pytest

from blog_gen.errors import BlogGenError
from blog_gen.site.changes import Change, apply, undo

NEW = Change(Path("_plugins/x.rb"), None, "x\n", "a plugin")
EDIT = Change(Path("_config.yml"), "a: 1\r\n", "a: 1\r\nb: 2\r\n", "a key")


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "_config.yml").write_bytes(b"a: 1\r\n")
    return tmp_path


def tree(site: Path) -> dict[str, bytes | None]:
    return {
        path.relative_to(site).as_posix(): path.read_bytes() if path.is_file() else None
        for path in sorted(site.rglob("*"))
    }


def everything(_: Change) -> bool:
    return True


def test_undo_restores_every_byte_and_leaves_nothing_behind(site: Path) -> None:
    before = tree(site)
    assert apply(site, [EDIT, NEW], everything) == [EDIT, NEW]
    assert tree(site)["_config.yml"] == b"a: 1\r\nb: 2\r\n"
    undone, notes = undo(site)
    assert undone == [NEW.path, EDIT.path]
    assert notes == []
    assert tree(site) == before


def test_nothing_is_done_that_was_not_allowed(site: Path) -> None:
    before = tree(site)
    assert apply(site, [EDIT, NEW], lambda change: False) == []
    assert tree(site) == before


def test_two_runs_are_undone_as_one(site: Path) -> None:
    before = tree(site)
    apply(site, [EDIT], everything)
    apply(site, [Change(EDIT.path, EDIT.after, EDIT.after + "c: 3\r\n", "another"), NEW], everything)
    undo(site)
    assert tree(site) == before


def test_a_file_that_was_edited_since_is_left_and_the_rest_is_undone(site: Path) -> None:
    apply(site, [EDIT, NEW], everything)
    (site / "_config.yml").write_text("mine: 1\n")
    undone, notes = undo(site)
    assert undone == [NEW.path]
    assert [note.path for note in notes] == [site / "_config.yml"]
    assert (site / "_config.yml").read_text() == "mine: 1\n"
    (site / "_config.yml").write_bytes(EDIT.after.encode())
    assert undo(site) == ([EDIT.path], [])


def test_a_folder_that_is_used_since_stays(site: Path) -> None:
    apply(site, [NEW], everything)
    (site / "_plugins" / "mine.rb").write_text("")
    undo(site)
    assert sorted(tree(site)) == ["_config.yml", "_plugins", "_plugins/mine.rb"]


def test_a_file_that_changed_while_the_user_was_asked_is_not_touched(site: Path) -> None:
    def edits_meanwhile(_: Change) -> bool:
        (site / "_config.yml").write_text("mine: 1\n")
        return True

    with pytest.raises(BlogGenError, match="changed while you were asked"):
        apply(site, [EDIT], edits_meanwhile)
    assert (site / "_config.yml").read_text() == "mine: 1\n"


def test_an_apply_that_was_killed_half_way_is_undone(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = tree(site)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("blog_gen.site.changes.write_text", killed)
    with pytest.raises(KeyboardInterrupt):
        apply(site, [EDIT, NEW], everything)
    monkeypatch.undo()
    assert undo(site) == ([], [])
    assert tree(site) == before


def test_a_diff_shows_what_is_added() -> None:
    assert EDIT.diff() == "--- a/_config.yml\n+++ b/_config.yml\n@@ -1 +1,2 @@\n a: 1\n+b: 2\n"
    assert NEW.diff().startswith("--- /dev/null\n+++ b/_plugins/x.rb\n")


def test_a_folder_in_the_way_is_explained(site: Path) -> None:
    (site / "_plugins").write_text("a file where a folder should be")
    with pytest.raises(BlogGenError, match="_plugins"):
        apply(site, [NEW], everything)
