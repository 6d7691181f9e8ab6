"""Drafts: every reader reads back what was written, in the site's habit, or nothing is written."""

from __future__ import annotations

import dataclasses
import multiprocessing
import zoneinfo
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import frontmatter
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from blog_gen import files
from blog_gen.config.settings import Settings
from blog_gen.errors import BlogGenError, DraftError
from blog_gen.site import composing
from blog_gen.site.composing import Draft
from blog_gen.site.drafts import all_drafts, drafts_in, read_draft, write_draft
from blog_gen.site.habit import Habit, ListStyle

HABIT = Habit(
    keys=("title", "date", "tags"),
    constants={},
    layout=None,
    tags_key="tags",
    tags_style="flow",
    category_key=None,
    category_style="flow",
    description_key=None,
    date_pattern=None,
    date_quoted=False,
    tags=(),
    categories=(),
    words=(0, 999),
)
DATE = datetime(2024, 5, 1, 22, 30, tzinfo=UTC)
DRAFT = Draft(
    "Why: Vim?", "It is *there*.\n\nMore.", DATE, ("vim", "a, b"), "Notes", {"model": "mini", "seed": 1}
)
# Titles and tags as `safe_line` gives them: one line, stripped, no controls.
LINES = st.text(st.characters(codec="utf-8", categories=["L", "M", "N", "P", "S", "Zs"]), max_size=30).map(
    lambda text: " ".join(text.split())
)
# What YAML would take for something else, if it were not quoted.
SPECIAL = """a: b|[x] y|@x|- x|No|~|null|1e3|2019-01-01|#x|a #b|'|"|{a}|!x|---|...|%x|`x`|> x|&x|*x|? x|=|<<
0x1F|1_000|12:30:45|\u2028 x|\\n|yes: no|a\u00a0: b""".replace("\n", "|").split("|")
TITLES = LINES.filter(bool) | st.sampled_from(SPECIAL)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | LINES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(LINES, inner, max_size=3),
    max_leaves=6,
)


def site(folder: Path, **jekyll: Any) -> Settings:
    return Settings(site=folder, jekyll={"timezone": "Europe/Berlin", **jekyll})


def front_matter_of(path: Path) -> str:
    return path.read_text(encoding="utf-8").split("---\n")[1]


def written(draft: Draft, folder: Path, **habit: Any) -> str:
    return front_matter_of(write_draft(draft, dataclasses.replace(HABIT, **habit), site(folder)))


def test_all_drafts_are_those_that_review_moved_too(tmp_path: Path) -> None:
    settings, folders = site(tmp_path), ("_posts", "_drafts", "_articles", ".blog_gen/rejected")
    for folder in folders:
        path = write_draft(dataclasses.replace(DRAFT, title=folder), HABIT, settings)
        (tmp_path / folder).mkdir(parents=True)
        path.rename(tmp_path / folder / path.name)
    write_draft(DRAFT, HABIT, settings)
    (tmp_path / "_articles" / "mine.md").write_text("---\ntitle: Mine\n---\n\nWritten by hand.\n")
    assert {draft.title for draft in all_drafts(settings)} == {*folders, DRAFT.title}


def test_the_whole_file(tmp_path: Path) -> None:
    path = write_draft(DRAFT, HABIT, site(tmp_path))
    assert path == tmp_path / "_generated" / "2024-05-02-why-vim.md"  # the site's day, not Greenwich's
    assert path.read_bytes().decode() == (
        '---\ntitle: "Why: Vim?"\ndate: 2024-05-02 00:30:00 +0200\n'
        "tags: [vim, 'a, b']\npublished: false\nblog_gen: {model: mini, seed: 1}\n"
        "---\n\nIt is *there*.\n\nMore.\n"
    )


@given(
    title=TITLES,
    body=st.sampled_from(["x", "---\nx", "a\n---\nb", "...", '{{ "{{" }} x', "é\u2028日"])
    | LINES.filter(bool),
    tags=st.lists(LINES.filter(bool), max_size=3, unique=True).map(tuple),
    minutes=st.integers(-(10**6), 10**6),
    offset=st.integers(-12 * 60, 14 * 60),
    provenance=st.dictionaries(LINES, PLAIN, max_size=3),
    published=st.booleans(),
    style=st.sampled_from(["flow", "block"]),
)
def test_a_draft_comes_back_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, minutes: int, offset: int, style: ListStyle, **values: Any
) -> None:
    date = (DATE + timedelta(minutes=minutes)).astimezone(timezone(timedelta(minutes=offset)))
    draft = Draft(date=date, category="Of all things", **values)
    habit = dataclasses.replace(HABIT, keys=("title", "category", "tags"), category_key="category")
    habit = dataclasses.replace(habit, tags_style=style)
    path = write_draft(draft, habit, site(tmp_path_factory.mktemp("site")))
    assert read_draft(path) == dataclasses.replace(draft, path=path)
    post = frontmatter.load(str(path))
    assert (post["title"], post.content) == (draft.title, draft.body)
    assert yaml.safe_load(front_matter_of(path)) == post.metadata


@pytest.mark.parametrize(
    ("habit", "lines"),
    [
        ({"layout": "post"}, "title: T\ndate: {}\ntags: [a, b]\nlayout: post\n"),
        ({"keys": ("layout", "date", "title"), "layout": "post"}, "layout: post\ndate: {}\ntitle: T\n"),
        ({"keys": ("tags",)}, "title: T\ntags: [a, b]\ndate: {}\n"),
        ({"tags_style": "block"}, "title: T\ndate: {}\ntags:\n  - a\n  - b\n"),
        ({"tags_style": "blanks"}, "title: T\ndate: {}\ntags: a b\n"),
        ({"tags_style": "commas"}, "title: T\ndate: {}\ntags: a,b\n"),
        ({"keys": ("title",), "tags_key": None}, "title: T\ndate: {}\ntags: [a, b]\n"),  # asked for
        ({"keys": ("title", "category"), "category_key": "category"}, "title: T\ncategory: C\ndate: {}\n"),
        (
            {"keys": ("title", "categories"), "category_key": "categories", "category_style": "block"},
            "title: T\ncategories:\n  - C\ndate: {}\n",
        ),
        (
            {"keys": ("title", "author", "thumbnail"), "constants": {"author": "Me"}},
            "title: T\nauthor: Me\ndate: {}\n",
        ),
        (
            {"keys": ("title", "description"), "description_key": "description"},
            "title: T\ndescription: One.\ndate: {}\n",
        ),
    ],
)
def test_the_sites_habit(tmp_path: Path, habit: dict[str, Any], lines: str) -> None:
    draft = Draft("T", "One. Two.", DATE, ("a", "b"), "C", published=True)
    assert written(draft, tmp_path, **habit) == lines.format("2024-05-02 00:30:00 +0200") + "blog_gen: {}\n"


@pytest.mark.parametrize(
    ("pattern", "date"),
    [
        ("%Y-%m-%d", "2024-05-02 00:30:00 +0200"),  # an offset needs a time
        ("%Y-%m-%d %H:%M", "2024-05-02 00:30 +0200"),
    ],
)
def test_a_date_has_an_offset_and_is_bare_or_quoted_as_the_site_has_it(
    tmp_path: Path, pattern: str, date: str
) -> None:
    assert f"date: {date}\n" in written(DRAFT, tmp_path, date_pattern=pattern)
    assert f'date: "{date}"\n' in written(DRAFT, tmp_path, date_pattern=pattern, date_quoted=True)


def test_a_date_that_jekyll_compose_will_read_is_text(tmp_path: Path) -> None:
    settings = dataclasses.replace(site(tmp_path), publish="_drafts")
    path = write_draft(DRAFT, HABIT, settings)
    assert 'date: "2024-05-02 00:30:00 +0200"\n' in path.read_text()


def test_a_style_that_would_tear_a_tag_apart_is_not_used(tmp_path: Path) -> None:
    draft = dataclasses.replace(DRAFT, tags=("two words", "b"))
    assert "tags: [two words, b]\n" in written(draft, tmp_path, tags_style="blanks")


def test_names_that_are_taken(tmp_path: Path) -> None:
    settings = site(tmp_path)
    first = write_draft(DRAFT, HABIT, settings)
    first.rename(first.with_suffix(".markdown"))
    second = write_draft(DRAFT, HABIT, settings)
    third = write_draft(DRAFT, HABIT, settings)
    assert [second.name, third.name] == ["2024-05-02-why-vim-2.md", "2024-05-02-why-vim-3.md"]


def test_drafts_of_jekylls_own_kind_have_no_date_in_their_names(tmp_path: Path) -> None:
    settings = dataclasses.replace(site(tmp_path), output="_drafts")
    names = [write_draft(DRAFT, HABIT, settings).name for _ in range(2)]
    assert names == ["why-vim.md", "why-vim-2.md"]


def test_what_jekyll_compose_would_fill_in_is_filled_in(tmp_path: Path) -> None:
    given = {"image": "/a.png", "title": "T", "tags": ["x"], "published": True, "author": None, "toc": False}
    compose = {"default_front_matter": {"generated": given, "posts": {"sitemap": False}}}
    settings = site(tmp_path, jekyll_compose=compose)
    plain = frontmatter.load(str(write_draft(DRAFT, HABIT, site(tmp_path)))).metadata
    values = frontmatter.load(str(write_draft(DRAFT, HABIT, settings))).metadata
    assert values == {**plain, "image": "/a.png", "toc": False}
    assert list(values)[-2:] == ["published", "blog_gen"]
    later = dataclasses.replace(settings, publish="_posts")
    assert frontmatter.load(str(write_draft(DRAFT, HABIT, later))).metadata == {**plain, "sitemap": False}
    odd = site(tmp_path, jekyll_compose=["default_front_matter"])
    assert frontmatter.load(str(write_draft(DRAFT, HABIT, odd))).metadata == plain


def _write_ten(folder: Path) -> None:
    for _ in range(10):
        write_draft(DRAFT, HABIT, site(folder))


def test_processes_never_overwrite_one_another(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=_write_ten, args=(tmp_path,)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0] * 4
    assert len(list((tmp_path / "_generated").iterdir())) == 40


def test_a_name_taken_at_the_last_instant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = site(tmp_path)
    write_draft(DRAFT, HABIT, settings)
    monkeypatch.setattr(Path, "glob", lambda *_: [])  # as if it had come after the look
    assert write_draft(DRAFT, HABIT, settings).name == "2024-05-02-why-vim-2.md"


def test_without_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on exFAT, which cannot be had here."""

    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("os.link", refuse)
    path = tmp_path / "a"
    files.write_text(path, "one", overwrite=False)
    with pytest.raises(FileExistsError):
        files.write_text(path, "two", overwrite=False)
    assert path.read_text() == "one"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"title": ""}, "not one line"),
        ({"title": "a\nb"}, "not one line"),
        ({"date": datetime(2024, 5, 1)}, "time zone"),
        ({"body": " not stripped"}, "reads something else"),
        ({"body": "carriage\rreturn"}, "reads something else"),
        ({"body": "half a \ud83d"}, "surrogates"),
        ({"provenance": {"nan": float("nan")}}, "reads something else"),
        ({"provenance": {"object": object()}}, "cannot represent"),
    ],
)
def test_what_cannot_be_read_back_is_not_written(
    tmp_path: Path, changes: dict[str, Any], reason: str
) -> None:
    with pytest.raises(DraftError, match=reason):
        write_draft(dataclasses.replace(DRAFT, **changes), HABIT, site(tmp_path))
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "_generated").write_text("a file")
    with pytest.raises(BlogGenError, match="_generated"):
        write_draft(DRAFT, HABIT, site(tmp_path))


def test_what_is_no_draft_is_noted(tmp_path: Path) -> None:
    path = write_draft(DRAFT, HABIT, site(tmp_path))
    others = {
        "binary.md": b"\xff\x00",
        "broken.md": b"---\ntitle: a: b\ndate: 2024-01-01\n---\nx",
        "mine.md": b"---\ntitle: Mine\ndate: 2024-01-01\n---\nx",
        "none.md": b"",
        "undated.md": b"---\nblog_gen: {}\n---\nx",
        ".hidden.md": b"",
        ".gitkeep": b"",
    }
    for name, data in others.items():
        (path.parent / name).write_bytes(data)
    found, notes = drafts_in(path.parent)
    assert [draft.path for draft in found] == [path]
    assert [note.path.name for note in notes] == [
        "binary.md",
        "broken.md",
        "mine.md",
        "none.md",
        "undated.md",
    ]
    assert drafts_in(tmp_path / "missing") == ([], [])


def test_what_a_person_changed_is_read(tmp_path: Path) -> None:
    """Moved, published, redated and retagged by hand, with the line ends of another system."""
    path = tmp_path / "2024-05-03-mine-now.md"
    path.write_bytes(
        b"---\r\ntitle: Mine now\r\ndate: 2024-05-03\r\ntags: a,b\r\ncategories: [C]\r\n"
        b"blog_gen: {seed: 1}\r\n---\r\nEdited.\r\n"
    )
    draft = read_draft(path)
    assert (draft.title, draft.body, draft.tags, draft.category) == ("Mine now", "Edited.", ("a", "b"), "C")
    assert (draft.published, draft.provenance, f"{draft.date:%Y-%m-%d %H:%M}") == (
        True,
        {"seed": 1},
        "2024-05-03 00:00",
    )


def test_a_draft_is_of_the_day_that_it_is_in_its_site(tmp_path: Path) -> None:
    """A time without an offset, and one whose day is another one elsewhere."""
    path, tokyo = tmp_path / "2024-05-03-mine.md", zoneinfo.ZoneInfo("Asia/Tokyo")
    for written in ('"2024-05-03 00:30"', "2024-05-02 15:30:00 +0000"):
        path.write_text(f"---\ntitle: Mine\ndate: {written}\nblog_gen: {{seed: 1}}\n---\nHi.\n")
        assert str(read_draft(path, tokyo).date) == "2024-05-03 00:30:00+09:00"
        assert str(drafts_in(tmp_path, tokyo)[0][0].date) == "2024-05-03 00:30:00+09:00"


def test_only_what_writes_needs_frontmatter() -> None:
    """It costs more than reading a folder of drafts."""
    assert "frontmatter" not in vars(composing)
