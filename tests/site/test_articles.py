"""Reading a site's posts: each case is real files in a real folder, and what is said of them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from blog_gen.config.loading import load_settings
from blog_gen.config.settings import Settings
from blog_gen.errors import ArticleError, ConfigError
from blog_gen.site.articles import Article, Reading, namesakes, read_articles
from blog_gen.site.fingerprint import fingerprint
from blog_gen.site.setup.scaffold import plan

GOOD = "---\ntitle: Good\n---\nA good post.\n"


def site_of(tmp_path: Path, files: Mapping[str, str | bytes], **settings: Any) -> Settings:
    for name, content in files.items():
        path = tmp_path / "_articles" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return Settings(site=tmp_path, jekyll={"timezone": "Europe/London"}, **settings)


def read_one(
    tmp_path: Path, content: str | bytes, name: str = "a-post.md"
) -> tuple[Article | None, list[str]]:
    """What becomes of one file beside a good one, and the notes on it."""
    reading = read_articles(site_of(tmp_path, {"zz-good.md": GOOD, name: content}))
    assert reading.articles[-1].title == "Good"
    return (reading.articles[0] if len(reading.articles) == 2 else None), [
        str(note) for note in reading.notes
    ]


def titles(reading: Reading) -> list[str]:
    return [article.title for article in reading.articles]


def test_an_article_as_it_should_be(tmp_path: Path) -> None:
    front = "title: Why Vim?\ncategory: misc\ndate: 2019-07-05\ntags: [vim, linguistics]\n"
    article, notes = read_one(tmp_path, f"---\n{front}---\n\nHello\n\nthere.\n\n", "sub/why-vim.md")
    assert notes == []
    assert article is not None
    assert article.path == Path("_articles/sub/why-vim.md")
    assert (article.title, article.body) == ("Why Vim?", "Hello\n\nthere.")
    assert (article.tags, article.categories) == (("vim", "linguistics"), ("misc",))
    assert str(article.date) == "2019-07-05 00:00:00+01:00"
    assert list(article.front_matter) == ["title", "category", "date", "tags"]
    assert article.raw == front


def test_every_markdown_extension_and_folder_in_order(tmp_path: Path) -> None:
    names = [
        "b.md",
        "a.markdown",
        "c/d/e.mkd",
        "c/2019-01-02-f.mkdn",
        "Z.MKDOWN",
        "no.txt",
        "no.html",
        "p.png",
    ]
    hidden = [".x.md", "_x.md", "#x.md", "~x.md", "_drafts/x.md", ".git/x.md", "x.md~"]
    files = {name: f"---\n---\n{name}" for name in names + hidden}
    reading = read_articles(site_of(tmp_path, files))
    assert [article.body for article in reading.articles] == [
        *("Z.MKDOWN", "a.markdown", "b.md", "c/2019-01-02-f.mkdn", "c/d/e.mkd")
    ]
    assert reading.notes == ()


@pytest.mark.parametrize(
    "front",
    [
        "published: false",
        "published: off",
        "published:",
        "blog_gen: {model: mini}",
        "blog_gen:\n  seed: 1",
        '"blog_gen": {}',
        "blog_gen:",
        "{title: A, blog_gen: {}}",
        "title: A: B\nblog_gen: {}",
    ],
)
def test_what_the_blogger_did_not_publish_is_left_out_in_silence(tmp_path: Path, front: str) -> None:
    for text in (f"---\n{front}\n---\nText", f"\ufeff---\r\n{front}\r\n---\r\nText"):
        assert read_one(tmp_path, text) == (None, [])


def test_published_or_draft_in_other_words_is_read(tmp_path: Path) -> None:
    for front in (
        "published: true",
        "published: 'false'",
        "draft: true",
        "title: blog_gen",
        "a: {blog_gen: 1}",
    ):
        article, notes = read_one(tmp_path, f"---\n{front}\n---\nblog_gen: in the text")
        assert article is not None and notes == []


@pytest.mark.parametrize(
    ("front", "tags", "categories"),
    [
        ("tags: [vim, command line]", ("vim", "command line"), ()),
        ("tags:\n- vim\n- 2019\n- yes\n-\n- {a: b}", ("vim", "2019", "true"), ()),
        ("tags: vim linguistics", ("vim", "linguistics"), ()),
        ("tags: vim,command line, ,vim", ("vim", "command line"), ()),
        ("tag: command line", ("command line",), ()),
        ("tag: one\ntags: [two]", ("one",), ()),
        ("tags:", (), ()),
        ("tags: 2019", ("2019",), ()),
        ("category: Big Things", (), ("Big Things",)),
        ("categories: big things", (), ("big", "things")),
        ("categories: [a, b]\ncategory: c", (), ("c",)),
        ("category: [a, b]", (), ("a", "b")),
    ],
)
def test_tags_and_categories_in_every_form(
    tmp_path: Path, front: str, tags: tuple[str, ...], categories: tuple[str, ...]
) -> None:
    article, notes = read_one(tmp_path, f"---\n{front}\n---\nText")
    assert article is not None and notes == []
    assert (article.tags, article.categories) == (tags, categories)


@pytest.mark.parametrize(
    ("front", "name", "title"),
    [
        ("title: 'A  b'", "x.md", "A b"),
        ("title: |\n  Two\n  lines", "x.md", "Two lines"),
        ("title: 1984", "x.md", "1984"),
        ("title: 2019-01-02", "x.md", "2019-01-02"),
        ("title:", "why-vIM-again.md", "Why Vim Again"),
        ("title: ''", "2019-01-02-why-vim.md", "Why Vim"),
        ("layout: post", "how_to_cook-RICE.md", "How_to_cook Rice"),
        ("layout: post", "move your body  every day.md", "Move your body every day"),
        ("layout: post", "x--y..md", "X Y"),
        ("title: No", "it-is-false.md", "It Is False"),
        ("title: [a, b]", "a-list.md", "A List"),
        ("x: y", "---.md", "---"),
    ],
)
def test_a_title_as_the_site_shows_it(tmp_path: Path, front: str, name: str, title: str) -> None:
    article, _ = read_one(tmp_path, f"---\n{front}\n---\nText", name)
    assert article is not None and article.title == title


@pytest.mark.parametrize(
    ("front", "name", "moment"),
    [
        ("date: 2020-01-02", "x.md", "2020-01-02 00:00:00+00:00"),
        ("date: 2020-07-02 10:00:00", "x.md", "2020-07-02 11:00:00+01:00"),
        ("date: '2020-07-02 10:00:00'", "x.md", "2020-07-02 10:00:00+01:00"),
        ("date: 2020-07-02", "2019-01-01-x.md", "2020-07-02 00:00:00+01:00"),
        ("x: y", "2019-07-01-x.md", "2019-07-01 00:00:00+01:00"),
        ("date:", "2019-07-01-x.md", "2019-07-01 00:00:00+01:00"),
        ("x: y", "x.md", "None"),
    ],
)
def test_dates(tmp_path: Path, front: str, name: str, moment: str) -> None:
    article, notes = read_one(tmp_path, f"---\n{front}\n---\nText", name)
    assert article is not None and notes == []
    assert str(article.date) == moment


def test_a_date_that_is_none_is_noted_and_the_post_kept(tmp_path: Path) -> None:
    article, notes = read_one(tmp_path, "---\ndate: soon\n---\nText")
    assert article is not None and article.date is None
    assert notes == ["_articles/a-post.md: `soon` is not a date; read without"]
    article, notes = read_one(tmp_path, "---\ndate: 2020-13-01\n---\nText", "2019-07-01-a-post.md")
    assert article is not None and article.date is not None and article.date.year == 2019
    assert "_articles/2019-07-01-a-post.md: `2020-13-01` is not a date; dated by its file name" in notes
    article, notes = read_one(tmp_path, "---\nx: y\n---\nText", "2019-13-01-a-post.md")
    assert "_articles/2019-13-01-a-post.md: `2019-13-01` is not a date; read without" in notes


def test_an_unknown_time_zone_is_one_error_not_a_note_a_post(tmp_path: Path) -> None:
    settings = site_of(tmp_path, {"a.md": GOOD})
    with pytest.raises(ConfigError, match="Europe/Berlin"):
        read_articles(Settings(site=settings.site, jekyll={"timezone": "Europe/Berlinn"}))


@pytest.mark.parametrize(
    ("content", "title", "body", "note"),
    [
        ("---\ntitle: A: B\n---\nText", "A: B", "Text", "must be quoted; read as `title: 'A: B'`"),
        (
            "---\ntitle: A\nimage:b.png\n---\nText",
            "A",
            "Text",
            "must follow the colon; read as `image: b.png`",
        ),
        (
            "Text only",
            "A Post",
            "Text only",
            "or Jekyll does not build it; learned from, titled by its file name",
        ),
        ("\n\n---\ntitle: A\n---\nText", "A", "Text", "must begin on the first line; read as if it did"),
        (
            "\ufeff---\ntitle: Ä\n---\nText",
            "Ä",
            "Text",
            "byte-order mark: in a collection Jekyll skips it; read without",
        ),
        ("---\rtitle: A\r---\ra\rb", "A", "a\nb", "end in LF, and these end in CR; read as LF"),
        (
            "---\ntitle: Café\n---\n“Déjà vu” là".encode("cp1252"),
            "Café",
            "“Déjà vu” là",
            "read as Windows-1252",
        ),
    ],
)
def test_what_can_mean_only_one_thing_is_mended(
    tmp_path: Path, content: str | bytes, title: str, body: str, note: str
) -> None:
    article, notes = read_one(tmp_path, content)
    assert article is not None and (article.title, article.body) == (title, body)
    assert len(notes) == 1
    assert notes[0].startswith("_articles/a-post.md: ") and notes[0].endswith(note)


def test_a_byte_order_mark_in_posts_is_nothing_to_speak_of(tmp_path: Path) -> None:
    (tmp_path / "_posts").mkdir()
    (tmp_path / "_posts" / "2020-01-01-a.md").write_text("\ufeff---\ntitle: Ä\n---\nText", "utf-8")
    reading = read_articles(Settings(site=tmp_path, articles="_posts"))
    assert titles(reading) == ["Ä"] and not reading.notes


@pytest.mark.parametrize("hides", ["published: false", "date: 2999-01-01"])
def test_a_hidden_post_without_text_is_hidden(tmp_path: Path, hides: str) -> None:
    (tmp_path / "_posts").mkdir()
    (tmp_path / "_posts" / "2020-01-01-a.md").write_text(GOOD)
    (tmp_path / "_posts" / "2020-01-02-b.md").write_text(f"---\n{hides}\n---\n")
    reading = read_articles(Settings(site=tmp_path, articles="_posts", strict=True))
    assert [post.path.name for post in reading.hidden] == ["2020-01-02-b.md"] and not reading.notes


def test_lines_that_end_as_on_windows_are_nothing_to_speak_of(tmp_path: Path) -> None:
    article, notes = read_one(tmp_path, "---\r\ntitle: A\r\n---\r\na\r\n\r\nb\r\n")
    assert article is not None and (article.title, article.body, notes) == ("A", "a\n\nb", [])


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        ("", "must not be empty"),
        ("\ufeff\n \n", "must not be empty"),
        ("---\ntitle: A\n---\n\n", "must have text after its front matter"),
        ("---\ntitle: [x] y\n---\nText", "is not valid YAML"),
        ("---\ntitle: A: B\nx: [\n---\nText", "is not valid YAML"),
        ("---\n- a\n- b\n---\nText", "must be lines of `key: value`"),
        ("---\ntitle: A\n\nText", "never closed"),
        ("---\na: !!int x\n---\nText", "`x` is not of the type `int`"),
        ("---\na: " + "[" * 50_000 + "\n---\nText", "not valid YAML"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "NUL"),
        ("Text".encode("utf-16"), "NUL"),
        ("---\ntitle: Привет\n---\nПривет, как дела".encode("koi8-r"), "is unknown"),
        ("Здравствуй".encode("cp1251"), "is unknown"),
        ("Some café, cut in the mid".encode() + b"dle \xc3", "is unknown"),
        (b"plain text\x81 but for one byte that Windows-1252 lacks", "not Windows-1252 either"),
        (b"a" * (20 * 1024 * 1024), "must not be over 5 MB, and this has 20.0"),
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) < 50 else "",
)
def test_what_cannot_be_used_is_left_out(tmp_path: Path, content: str | bytes, rule: str) -> None:
    article, [note] = read_one(tmp_path, content)
    assert article is None
    assert note.startswith("_articles/a-post.md: ") and rule in note and note.endswith("; left out")
    assert "\n" not in note
    settings = site_of(tmp_path, {}, strict=True)
    with pytest.raises(ArticleError) as caught:
        read_articles(settings)
    assert str(caught.value).startswith("_articles/a-post.md: ") and rule in str(caught.value)


def test_what_is_only_mended_is_no_failure_when_strict(tmp_path: Path) -> None:
    reading = read_articles(site_of(tmp_path, {"a.md": "---\ntitle: A: B\n---\nText"}, strict=True))
    assert titles(reading) == ["A: B"] and len(reading.notes) == 1


def test_text_that_looks_special_is_ordinary(tmp_path: Path) -> None:
    body = "One <|endoftext|> two.\n\n---\n\n{{ page.title }} {% raw %} `blog_gen:`\n\nblog_gen:\n  seed: 1"
    article, notes = read_one(tmp_path, f"---\ntitle: A\n---\n{body}\n")
    assert article is not None and article.body == body and notes == []


def test_a_link_out_of_the_site_is_left_out(tmp_path: Path) -> None:
    secret = tmp_path / "secret.md"
    secret.write_text(GOOD.replace("good", "secret"))
    site = tmp_path / "site"
    settings = site_of(site, {"good.md": GOOD, "sub/inside.md": "---\ntitle: Inside\n---\nInside."})
    (site / "notes.md").write_text("---\ntitle: Linked\n---\nLinked.")
    articles = site / "_articles"
    (articles / "out.md").symlink_to(secret)
    (articles / "linked.md").symlink_to("../notes.md")
    (articles / "loop.md").symlink_to("loop.md")
    (articles / "nowhere.md").symlink_to("missing.md")
    (articles / "folder").symlink_to(tmp_path)
    reading = read_articles(settings)
    assert titles(reading) == ["Good", "Linked", "Inside"]
    assert [str(note) for note in reading.notes] == [
        "_articles/loop.md: a link must lead to a file; left out",
        "_articles/nowhere.md: a link must lead to a file; left out",
        "_articles/out.md: a link must not lead out of the site; left out",
    ]


def test_the_articles_folder_itself_may_be_elsewhere(tmp_path: Path) -> None:
    site_of(tmp_path / "vault", {"good.md": GOOD})
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "_articles").symlink_to(tmp_path / "vault" / "_articles")
    assert titles(read_articles(Settings(site=tmp_path / "site"))) == ["Good"]
    [article] = read_articles(Settings(site=tmp_path / "site", articles="../vault/_articles")).articles
    assert article.path == Path("../vault/_articles/good.md")


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    settings = site_of(tmp_path, {"good.md": GOOD})
    os.mkfifo(tmp_path / "_articles" / "pipe.md")
    (tmp_path / "_articles" / "folder.md").mkdir()
    reading = read_articles(settings)
    assert titles(reading) == ["Good"]
    assert [note.rule for note in reading.notes] == ["a post must be a regular file"]


@pytest.mark.skipif(os.name == "nt", reason="names are Unicode there")
def test_a_file_name_that_is_no_utf8_can_be_printed(tmp_path: Path) -> None:
    settings = site_of(tmp_path, {"good.md": GOOD})
    with open(os.fsencode(tmp_path) + b"/_articles/caf\xe9.md", "w") as file:
        file.write("---\nx: y\n---\nText")
    reading = read_articles(settings)
    assert str(reading.articles[0].path).encode() == b"_articles/caf\\udce9.md"
    fingerprint(settings)


def test_posts_that_are_the_same(tmp_path: Path) -> None:
    files = {
        "a.md": "---\ntitle: Tea\n---\nOne.",
        "b.md": "---\ntitle: tea\n---\nTwo.",
        "c.md": "---\ntitle: Other\n---\n\nOne.\n",
    }
    reading = read_articles(site_of(tmp_path, files))
    assert titles(reading) == ["Tea", "tea"]
    assert [str(note) for note in namesakes(reading.articles)] == [
        "_articles/b.md: two posts have the same title, and `_articles/a.md` has it; both kept",
    ]
    assert [str(note) for note in reading.notes] == [
        "_articles/c.md: two posts must not have the same text, and `_articles/a.md` has it; left out",
    ]
    with pytest.raises(ArticleError, match=r"c\.md: two posts must not have the same text"):
        read_articles(site_of(tmp_path, {}, strict=True))


def test_a_missing_folder_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "_config.yml").touch()
    for use in (read_articles, fingerprint):
        with pytest.raises(ArticleError) as caught:
            use(Settings(site=tmp_path))
        assert str(caught.value) == (
            f"{tmp_path}/_articles: the folder with your posts is missing. "
            "Make it, or name the right one: `blog_gen.articles` in _config.yml"
        )


def test_a_missing_source_is_said_as_init_says_it(tmp_path: Path) -> None:
    (tmp_path / "_config.yml").write_text("source: .tmp/src\n")
    settings = load_settings(tmp_path)
    with pytest.raises(ConfigError) as by_init:
        plan(tmp_path)
    for use in (read_articles, fingerprint):
        with pytest.raises(ArticleError) as caught:
            use(settings)
        assert str(caught.value) == str(by_init.value)
        assert "`source` must be there; got `.tmp/src`" in str(caught.value)


def test_a_folder_that_jekyll_does_not_enter_is_read_where_it_is_named(tmp_path: Path) -> None:
    (tmp_path / "_config.yml").write_text("exclude: [old/, out]\n")
    for folder in ("_i18n/fr/_posts", "old/_posts", "out/_posts", "_posts"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "2020-01-01-a.md").write_text(f"---\ntitle: {folder}\n---\nTea, in {folder}.")
    reading = read_articles(load_settings(tmp_path, {"articles": "_i18n/fr/_posts"}))
    assert titles(reading) == ["_i18n/fr/_posts"] and not reading.notes
    assert titles(read_articles(load_settings(tmp_path, {"articles": "**/_posts"}))) == ["_posts"]
    for folder in ("old/_posts", "out/_posts"):
        with pytest.raises(ArticleError, match=r"got 1 that Jekyll .* \(1 in a folder that Jekyll does not"):
            read_articles(load_settings(tmp_path, {"articles": folder}))


def test_an_empty_folder_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "_articles").mkdir()
    with pytest.raises(ArticleError) as caught:
        read_articles(Settings(site=tmp_path))
    assert str(caught.value) == (
        f"{tmp_path}/_articles: there must be a published post to learn from; got none. "
        "Put Markdown files with a `title:` there, or set `blog_gen.articles`"
    )


def test_a_folder_of_nothing_but_faults_says_which(tmp_path: Path) -> None:
    with pytest.raises(ArticleError) as caught:
        read_articles(site_of(tmp_path, {"a.md": "", "b.md": "\0"}))
    assert "got 2 that had to be left out. _articles/a.md: a post must not be empty" in str(caught.value)


def test_the_fingerprint_changes_with_the_posts_and_with_nothing_else(tmp_path: Path) -> None:
    settings = site_of(tmp_path, {"a.md": GOOD, "b/c.md": GOOD})
    before = fingerprint(settings)
    assert len(before) == 64
    site_of(
        tmp_path, {"note.txt": "x", "mine.md": "---\nblog_gen: {seed: 1}\n---\nx", "big.md": "x" * 6_000_000}
    )
    os.utime(tmp_path / "_articles" / "a.md", (0, 0))
    assert fingerprint(settings) == before
    seen = {before}
    for name, content in (("a.md", GOOD + " "), ("d.md", GOOD), ("e.md", ""), ("b/c.md", "x")):
        seen.add(fingerprint(site_of(tmp_path, {name: content})))
    (tmp_path / "_articles" / "d.md").rename(tmp_path / "_articles" / "f.md")
    seen.add(fingerprint(settings))
    assert len(seen) == 6
