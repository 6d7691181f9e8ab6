"""A value is kept as long as no file changed, and never where that cannot be told."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from blog_gen.statcache import StatCache, disk_clock


def later(folder: Path) -> int:
    """By then, all files are long as they are."""
    return disk_clock(folder) + 10**12


def look(tmp_path: Path, clock: Callable[[Path], int] | None = later) -> StatCache:
    return StatCache(tmp_path / "state" / "cache.json", (".md",), clock)


def asked(cache: StatCache, tmp_path: Path, depends_on: object = None) -> bool:
    """Whether the value had to be found anew."""
    found = []

    def find() -> dict[str, int]:
        found.append(1)
        return {"a": 1}

    assert cache.kept("name", [tmp_path / "posts"], depends_on, find) == {"a": 1}
    return bool(found)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    for folder in ("posts/in", "state", "elsewhere"):
        (tmp_path / folder).mkdir(parents=True)
    for name in ("posts/a.md", "posts/in/b.MD", "posts/c.txt", "elsewhere/d.md"):
        (tmp_path / name).write_text("text")
    (tmp_path / "posts/link.md").symlink_to("../elsewhere/d.md")
    return tmp_path


def _same_size_and_time(site: Path) -> None:
    path = site / "posts/a.md"
    before = path.stat()
    path.write_text("TEXT")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def _same_file_elsewhere(site: Path) -> None:
    """The link leads to the same inode by another way: that may now be out of the site."""
    (site / "elsewhere").rename(site / "moved")
    (site / "elsewhere").symlink_to("moved")


@pytest.mark.parametrize(
    "change",
    [
        _same_size_and_time,
        _same_file_elsewhere,
        lambda site: (site / "posts/new.md").touch(),
        lambda site: (site / "posts/in/b.MD").unlink(),
        lambda site: (site / "posts/a.md").rename(site / "posts/z.md"),
        lambda site: (site / "posts/in").rename(site / "posts/out"),
        lambda site: (site / "posts/a.md").chmod(0),
        lambda site: (site / "elsewhere/d.md").write_text("more"),
        lambda site: (site / "elsewhere/d.md").unlink(),
        lambda site: (site / "posts").rename(site / "other"),
    ],
)
def test_a_value_is_kept_until_a_file_changes(site: Path, change: Callable[[Path], object]) -> None:
    assert asked(look(site), site)
    assert not asked(look(site), site)
    change(site)
    assert asked(look(site), site)
    assert not asked(look(site), site)


def test_other_files_do_not_count(site: Path) -> None:
    asked(look(site), site)
    (site / "posts/c.txt").write_text("more")
    assert not asked(look(site), site)


def test_what_else_it_depends_on_counts(site: Path) -> None:
    asked(look(site), site, {"exclude": ["a"]})
    assert asked(look(site), site, {"exclude": ["b"]})


def test_of_a_file_as_new_as_the_look_nothing_is_kept(site: Path) -> None:
    assert asked(look(site, clock=None), site)
    assert asked(look(site, clock=None), site), "it may have changed again at the same tick"


def test_one_look_sees_one_moment(site: Path) -> None:
    asked(look(site), site)
    cache = look(site)
    asked(cache, site)
    (site / "posts/new.md").touch()
    assert not asked(cache, site)
    assert asked(look(site), site)


@pytest.mark.parametrize("damage", ["", "[]", '{"name": 1}', '{"name": {"value": 1}}', None])
def test_a_damaged_file_is_as_none(site: Path, damage: str | None) -> None:
    asked(look(site), site)
    path = site / "state/cache.json"
    if damage is None:
        damage = path.read_text().replace('"a": 1', '"a": 2')
        assert json.loads(damage)["name"]["value"] == {"a": 2}
    path.write_text(damage)
    assert asked(look(site), site)


def test_nothing_is_written_where_there_is_no_folder_for_it(site: Path) -> None:
    (site / "state").rmdir()
    assert asked(look(site), site)
    assert not (site / "state").exists()
