"""What `init` does to files can be seen before, is done only if allowed, and can be taken back."""

from __future__ import annotations

from pathlib import Path

import pytest

from blog_gen.errors import BlogGenError
from blog_gen.site.setup.changes import Change, apply, remains, undo

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


def test_a_new_file_that_was_edited_since_is_left_and_the_rest_is_undone(site: Path) -> None:
    apply(site, [EDIT, NEW], everything)
    (site / NEW.path).write_text("mine\n")
    undone, notes = undo(site)
    assert undone == [EDIT.path]
    assert [note.path for note in notes] == [site / NEW.path]
    assert (site / NEW.path).read_text() == "mine\n"
    (site / NEW.path).write_text(NEW.after)
    assert undo(site) == ([NEW.path], [])


def test_where_nothing_of_init_is_left_nothing_is_undone(site: Path) -> None:
    apply(site, [EDIT], everything)
    (site / "_config.yml").write_text("mine: 1\n")
    assert undo(site) == ([], [])
    assert (site / "_config.yml").read_text() == "mine: 1\n"


CONFIG = Change(
    Path("_config.yml"),
    "a: 1\r\n",
    "a: 1\r\nexclude:\r\n  - .blog_gen/\r\n\r\nblog_gen:\r\n  model: mini\r\n  candidates: 8\r\n",
    "keys",
)


@pytest.mark.parametrize(
    ("edited", "left"),
    [
        ("x: 0\r\n{}y: 2\r\n", "x: 0\r\na: 1\r\ny: 2\r\n"),
        ("title: Mine\r\n\r\n{}", "title: Mine\r\n\r\na: 1\r\n"),
    ],
)
def test_only_the_lines_that_init_added_are_taken_back(site: Path, edited: str, left: str) -> None:
    apply(site, [CONFIG], everything)
    (site / "_config.yml").write_bytes(edited.format(CONFIG.after).encode())
    assert undo(site) == ([CONFIG.path], [])
    assert (site / "_config.yml").read_bytes() == left.encode()
    assert not (site / ".blog_gen").exists()


def test_lines_that_were_edited_since_stay_and_are_named(site: Path) -> None:
    before = "a: 1\nexclude: [b]\nz: 1\n"
    after = "a: 1\nexclude: [b, .blog_gen/]\nz: 1\n\nblog_gen:\n  candidates: 8\n"
    (site / "_config.yml").write_text(before)
    apply(site, [Change(Path("_config.yml"), before, after, "keys")], everything)
    (site / "_config.yml").write_text(after.replace("8", "12").replace("a: 1", "a: 2"))
    undone, notes = undo(site)
    assert undone == [Path("_config.yml")]
    assert "`blog_gen:`" in str(notes[0])
    assert (site / "_config.yml").read_text() == ("a: 2\nexclude: [b]\nz: 1\n\nblog_gen:\n  candidates: 12\n")
    undo(site)
    assert "candidates: 12" in (site / "_config.yml").read_text(), "and nothing is taken back twice"
    (site / "_config.yml").write_text("a: 2\nexclude: [b]\nz: 1\n")
    assert undo(site) == ([], [])
    assert not (site / ".blog_gen").exists()


def test_lines_that_were_moved_are_not_called_gone(site: Path) -> None:
    apply(site, [CONFIG], everything)
    (site / "_config.yml").write_bytes(b"blog_gen:\r\n  model: mini\r\n  candidates: 8\r\na: 1\r\n")
    _, notes = undo(site)
    assert notes or (site / "_config.yml").read_bytes() == b"a: 1\r\n"


def test_the_state_that_remains_is_named_with_its_size(site: Path) -> None:
    assert remains(site) is None
    (site / ".blog_gen" / "runs").mkdir(parents=True)
    (site / ".blog_gen" / "runs" / "weights").write_bytes(bytes(2_340_000))
    assert "2.3 MB" in str(remains(site))


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

    monkeypatch.setattr("blog_gen.site.setup.changes.write_text", killed)
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
