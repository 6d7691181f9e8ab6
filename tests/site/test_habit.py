"""The site's habit: what most posts do, whatever the rest does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from blog_gen.config.settings import Settings
from blog_gen.site.articles import read_articles
from blog_gen.site.habit import Habit, habit_of


def habit_from(tmp_path: Path, *fronts: str, jekyll: dict[str, Any] | None = None, words: int = 3) -> Habit:
    """The habit of a site with one post for each front matter given."""
    (tmp_path / "_articles").mkdir(exist_ok=True)
    for number, front in enumerate(fronts):
        text = f"---\n{front}\n---\nPost {number} " + "word " * (words * (number + 1) - 2)
        (tmp_path / "_articles" / f"{number:02}.md").write_text(text)
    settings = Settings(site=tmp_path, jekyll=jekyll or {})
    return habit_of(read_articles(settings).articles, settings)


def test_keys_of_most_posts_in_their_usual_order(tmp_path: Path) -> None:
    habit = habit_from(
        tmp_path,
        "title: A\ncategory: x\ndate: 2020-01-01\nthumbnail: a.png",
        "title: B\ncategory: y\nupdated: 2020-01-02\ndate: 2020-01-01\nthumbnail: b.png",
        "date: 2020-01-01\ntitle: C\nrare: 1",
    )
    assert habit.keys == ("title", "category", "date", "thumbnail")


def test_one_odd_post_does_not_set_the_order(tmp_path: Path) -> None:
    assert habit_from(tmp_path, "b: 1\na: 1", "a: 1\nb: 1", "a: 1\nb: 1").keys == ("a", "b")


def test_half_the_posts_are_not_most(tmp_path: Path) -> None:
    habit = habit_from(tmp_path, "title: A\ntags: [x]", "title: B")
    assert habit.keys == ("title",)
    assert habit.tags_key is None
    assert habit.tags == ("x",)


@pytest.mark.parametrize(
    ("tags", "style"),
    [
        ("tags: [a, b]", "flow"),
        ("tags:  [a]  # note", "flow"),
        ("tags:\n  - a\n  - b", "block"),
        ("tags:\n- a", "block"),
        ("tags: a b", "blanks"),
        ("tags: a,b", "commas"),
    ],
)
def test_how_tags_are_written(tmp_path: Path, tags: str, style: str) -> None:
    habit = habit_from(tmp_path, tags, tags, "tags: [z]", "tags:", "title: A")
    assert (habit.tags_key, habit.tags_style) == ("tags", style)


def test_how_categories_are_written(tmp_path: Path) -> None:
    habit = habit_from(tmp_path, "categories: [a, b]", "categories: [c]", "category: d")
    assert (habit.category_key, habit.category_style) == ("categories", "flow")
    habit = habit_from(tmp_path, "category: a", "category: b", "category: c")
    assert (habit.category_key, habit.category_style) == ("category", "blanks")


@pytest.mark.parametrize(
    ("date", "pattern", "quoted"),
    [
        ("2020-01-02", "%Y-%m-%d", False),
        ("'2020-01-02'", "%Y-%m-%d", True),
        ("2020-01-02 10:00", "%Y-%m-%d %H:%M %z", False),
        ('"2020-01-02 10:00:00 +0100"', "%Y-%m-%d %H:%M:%S %z", True),
        ("2020-01-02T10:00:00Z", "%Y-%m-%d %H:%M:%S %z", False),
    ],
)
def test_how_dates_are_written(tmp_path: Path, date: str, pattern: str, quoted: bool) -> None:
    habit = habit_from(tmp_path, f"date: {date}", f"date: {date}", "date: 2020-01-02 at noon")
    assert (habit.date_pattern, habit.date_quoted) == (pattern, quoted)


def test_a_site_without_dates_in_its_front_matter(tmp_path: Path) -> None:
    habit = habit_from(tmp_path, "title: A", "title: B")
    assert (habit.date_pattern, habit.date_quoted) == (None, False)


def test_what_is_the_same_in_most_posts(tmp_path: Path) -> None:
    fronts = ["layout: post\ntitle: A\nauthor: Me\ncomments: true\nx: {a: b}"] * 2
    habit = habit_from(tmp_path, *fronts, "layout: post\ntitle: C\nauthor: You")
    assert habit.layout == "post"
    assert dict(habit.constants) == {"author": "Me", "comments": True}


def test_what_one_post_says_is_no_habit(tmp_path: Path) -> None:
    assert habit_from(tmp_path, "title: A\npinned: true").constants == {}


@pytest.mark.parametrize(
    "line",
    [
        "permalink: /about/",
        "permalink: /:year/:month/",
        "slug: about-me",
        "uuid: 7f3c",
        "id: 7",
        "wordpress_id: 7",
        "postId: 7",
        "guid: https://me.example/?p=7",
        "redirect_from: /old/",
        "redirect-to: https://me.example/",
        "ref: about",
        "lang-ref: about",
        "canonical_url: https://me.example/about",
        "canonicalUrl: https://me.example/about",
        "last_modified_at: 2020-01-02",
        "lastmod: '2020-01-02'",
        "updated: 2020-01-02 10:00:00",
        "when: 2020-01-02",
        "aliases: /a",
    ],
)
def test_no_post_gets_the_address_the_identity_or_the_day_of_another(tmp_path: Path, line: str) -> None:
    habit = habit_from(tmp_path, *[f"title: A\nauthor: Me\n{line}"] * 6)
    assert dict(habit.constants) == {"author": "Me"}


def test_a_permalink_made_of_placeholders_is_a_habit(tmp_path: Path) -> None:
    habit = habit_from(tmp_path, *["title: A\npermalink: /notes/:title/\nidea: x\nreference: y"] * 3)
    assert dict(habit.constants) == {"permalink": "/notes/:title/", "idea": "x", "reference": "y"}


@pytest.mark.parametrize(("posts", "constants"), [(4, {}), (5, {"header_image": "a.png"})])
def test_a_picture_is_a_habit_only_of_several_posts(
    tmp_path: Path, posts: int, constants: dict[str, str]
) -> None:
    habit = habit_from(tmp_path, *["title: A\nheader_image: a.png"] * posts, "title: B\nheader_image: b.png")
    assert dict(habit.constants) == constants


@pytest.mark.parametrize(
    ("scopes", "layout"),
    [
        ([({"path": ""}, "post")], None),
        ([({"path": "", "type": "articles"}, "post")], "post"),
        ([({"path": "_articles"}, "post")], "post"),
        ([({"path": "_articles/*.md"}, "post")], "post"),
        ([({"path": "_art"}, "post")], "post"),  # Jekyll compares letters
        ([({"path": "_articles/00.md"}, "post")], None),  # one post of three
        ([({"path": "_articles/00.md"}, "wide"), ({"path": "", "type": "articles"}, "post")], "post"),
        ([({"path": "", "type": "articles"}, "post"), ({"path": "", "type": "generated"}, "post")], None),
        ([({"path": "", "type": "articles"}, "post"), ({"path": "", "type": "generated"}, "draft")], "post"),
        ([({"path": ""}, "page"), ({"path": "", "type": "articles"}, "post")], "post"),
        ([("nonsense", "post")], None),
    ],
)
def test_a_layout_that_defaults_give_to_posts_and_not_to_drafts(
    tmp_path: Path, scopes: list[tuple[Any, str]], layout: str | None
) -> None:
    defaults = [{"scope": scope, "values": {"layout": name}} for scope, name in scopes]
    collections = {"articles": {"output": True}, "generated": {"output": True}}
    jekyll = {"defaults": defaults, "collections": collections}
    assert habit_from(tmp_path, "title: A", "title: B", "title: C", jekyll=jekyll).layout == layout


def test_a_description_is_a_habit_only_with_text(tmp_path: Path) -> None:
    assert habit_from(tmp_path, "description:", "description:", "description: x").description_key is None
    assert habit_from(tmp_path, "excerpt: a", "excerpt: b", "x: y").description_key == "excerpt"


def test_the_taxonomy_has_the_most_used_first_in_the_usual_spelling(tmp_path: Path) -> None:
    habit = habit_from(
        tmp_path,
        "tags: [vim, tea]\ncategory: Code",
        "tags: [Vim]",
        "tags: [Vim, Tea]",
        "tags: [tea, Zen, tea]",
    )
    assert habit.tags == ("Vim", "tea", "Zen")
    assert habit.categories == ("Code",)


def test_the_range_of_words(tmp_path: Path) -> None:
    assert habit_from(tmp_path, "a: b", words=12).words == (12, 12)
    assert habit_from(tmp_path, *["a: b"] * 41, words=10).words == (30, 390)
