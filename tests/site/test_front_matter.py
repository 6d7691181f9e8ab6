"""Front matter: split off, parsed strictly, mended where unambiguous; what `dump` writes, all read back."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
from datetime import date, datetime
from pathlib import Path
from typing import Any

import frontmatter
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from blog_gen.site.front_matter import FlowList, FrontMatterError, dump, mended, parse, split

HERE = Path("a.md")
# What YAML 1.1 (Ruby's or Python's) would not read as the text that it is, were it not quoted.
EMOJI = (
    "\U0001f389 Party",
    "It's \U0001f389: #1",
    '\U0001f469\u200d\U0001f4bb at "work"',
    "\U0001d4b3 = yes",
)
TRAPS = [
    *EMOJI,
    *(
        "a: b",
        "[x] y",
        "@x",
        "- x",
        "No",
        "no",
        "y",
        "Yes",
        "on",
        "OFF",
        "oFF",
        "tRUE",
        "true",
        "2019-01-01",
        "#x",
        "x #y",
    ),
    *(
        "null",
        "Null",
        "~",
        "1e3",
        "1_000",
        "1,000",
        "0x10",
        "0o7",
        "010",
        "1:30",
        ".5",
        "5.",
        ".inf",
        "-",
        "?",
    ),
    *(
        "",
        " ",
        " a",
        "a ",
        "a\nb",
        "a\n",
        "\ta",
        "a\tb",
        "a:",
        ":a",
        "::",
        "!x",
        "&x",
        "*x",
        "|",
        ">",
        "%x",
        "`x`",
    ),
    *(
        "{a}",
        "a]",
        "'a'",
        '"a"',
        "it's",
        'say "a"',
        "\\",
        "=",
        "<<",
        "---",
        "...",
        "a, b",
        "{{ x }}",
        "{% x %}",
    ),
    *("Café — déjà vu!", "日本語", "🙂", "a\u2028b", "a\x85b", "\ufeffa", "a\xa0b", "\x07", "\x7f", "\u200b"),
    *("2019-01-01 10:00:00 +0100", "http://a.b/c", "C++ & C#", "Why?", "50% off", "a:b", "None", "nan"),
]
texts = st.sampled_from(TRAPS) | st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
scalars = texts | st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.dates(date(1000, 1, 1))
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(FlowList)
        | st.dictionaries(texts, inner)
    ),
    max_leaves=6,
)
mappings = st.dictionaries(texts.filter(lambda key: key != "<<"), values, max_size=5)


@pytest.mark.parametrize(
    ("text", "raw", "body"),
    [
        ("---\ntitle: A\n---\nBody\n", "title: A\n", "Body\n"),
        ("---\ntitle: A\n...\nBody\n", "title: A\n", "Body\n"),
        ("--- \t\ntitle: A\n---  \n\nBody", "title: A\n", "\nBody"),
        ("---\n---\nBody", "", "Body"),
        ("---\ntitle: A\n---", "title: A\n", ""),
        ("---\na: |\n  ---\n---\nBody\n---\nmore", "a: |\n  ---\n", "Body\n---\nmore"),
        ("---\na: b\n----\nc: d\n---\n", "a: b\n----\nc: d\n", ""),
        ("Body\n---\nmore", None, "Body\n---\nmore"),
        (" ---\ntitle: A\n---\n", None, " ---\ntitle: A\n---\n"),
        ("----\nBody", None, "----\nBody"),
        ("", None, ""),
    ],
)
def test_split(text: str, raw: str | None, body: str) -> None:
    assert split(text) == (raw, body)


@pytest.mark.parametrize("text", ["---\ntitle: A\n\nBody", "---", "---\n", "---\ntitle: A\n ---\n"])
def test_front_matter_that_is_never_closed(text: str) -> None:
    with pytest.raises(FrontMatterError, match="never closed"):
        split(text)


def test_five_megabytes_are_split() -> None:
    for filling in ("\n", "---x\n", "a: b\n", " "):
        with pytest.raises(FrontMatterError):
            split("---\n" + filling * (5_000_000 // len(filling)))


def test_values_are_read_in_order() -> None:
    read = parse("title: B\ndate: 2019-01-02\npublished: false\ntags: [a, b]\n2019: x\ndescription:\n")
    assert list(read.items()) == [
        ("title", "B"),
        ("date", date(2019, 1, 2)),
        ("published", False),
        ("tags", ["a", "b"]),
        ("2019", "x"),
        ("description", None),
    ]


@pytest.mark.parametrize("raw", ["", "\n\n", "# only a comment\n"])
def test_empty_front_matter_is_an_empty_mapping(raw: str) -> None:
    assert parse(raw) == {}


def test_a_date_that_is_none_stays_text() -> None:
    assert parse("date: 2020-02-30")["date"] == "2020-02-30"
    assert parse("date: 2020-01-02 25:00:00")["date"] == "2020-01-02 25:00:00"
    assert parse("date: 2020-01-02 10:00:00")["date"] == datetime(2020, 1, 2, 10)


@pytest.mark.parametrize(
    "raw",
    [
        *("title: A: B", "title: [x] y", "title: @x", "title: 'a", "a: b\n c: d", "\ttitle: a", "title: `a`"),
        *(
            "- a\n- b",
            "just text",
            "a: b\n---\nc: d",
            "a: *nowhere",
            "a: !!int x",
            "a: !!bool x",
            "a: !!float x",
        ),
        *(
            "a: =",
            "<<: 3",
            "? [a]\n: b",
            "a: " + "9" * 5000,
            "a: \x1b",
            "a: !ruby/object:Foo {}",
        ),
    ],
)
def test_what_is_no_mapping_in_yaml_is_refused_in_one_line(raw: str) -> None:
    with pytest.raises(FrontMatterError) as caught:
        parse(raw)
    assert "front matter" in str(caught.value) and "\n" not in str(caught.value)


def test_nothing_is_executed(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    for tag in ("!!python/object/apply:os.mkdir", "!!python/object/new:os.mkdir"):
        with pytest.raises(FrontMatterError):
            parse(f"a: {tag} ['{mark}']")
    assert not mark.exists()


NINES = "".join(
    f"{key}: &{key} [{','.join([f'*{of}'] * 9)}]\n" for of, key in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    "raw",
    [f"a: &a [x,x]\n{NINES}", f"a: &a {'x' * 10_000}\nb: [{','.join(['*a'] * 1000)}]", "a: &a {k: [*a]}"],
    ids=["of aliases", "of long text", "of itself"],
)
def test_aliases_cannot_fill_the_memory(raw: str) -> None:
    with pytest.raises(FrontMatterError, match=r"aliases are written out|contains itself"):
        parse(raw)


def test_an_alias_is_what_it_names() -> None:
    assert parse("a: &x [b, &y c]\nd: *x\ne: *y") == {"a": ["b", "c"], "d": ["b", "c"], "e": "c"}


@pytest.mark.parametrize("opening", ["[", "{a: ", "- "])
def test_nesting_cannot_crash_the_process(opening: str) -> None:
    with pytest.raises(FrontMatterError, match="the front matter is not valid"):
        parse(("a: " if opening != "- " else "") + opening * 60_000)


@given(st.text(st.sampled_from("ab01:-?[]{},#&*!|>'\"%@` \n\t.~<=_xeT+"), max_size=40))
@settings(deadline=None)
def test_any_text_is_read_or_refused(raw: str) -> None:
    with contextlib.suppress(FrontMatterError):
        assert isinstance(parse(raw), dict)
    mended(raw, HERE)


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("title: A: B", "title: 'A: B'"),
        ("title:   It's: B  ", "title: 'It''s: B'"),
        ("title: Retro: Cross Site (XST)", "title: 'Retro: Cross Site (XST)'"),
        ("title: A:", "title: 'A:'"),
        ("image:b.png", "image: b.png"),
    ],
)
def test_two_slips_are_mended(wrong: str, right: str) -> None:
    lines = ["layout: post", wrong, "tags: [a, b]"]
    with pytest.raises(FrontMatterError):
        parse("\n".join(lines))
    better, notes = mended("\n".join(lines), HERE)
    assert better.split("\n") == ["layout: post", right, "tags: [a, b]"]
    assert list(parse(better)) == ["layout", wrong.partition(":")[0], "tags"]
    [note] = notes
    assert str(note).startswith(f"a.md: `{wrong.strip()}` is not valid YAML: ")
    assert note.action == f"read as `{right}`"


@pytest.mark.parametrize(
    "line",
    [
        *(
            "title: 'A: B'",
            'title: "A: B"',
            "title: [a: b]",
            "title: {a: b}",
            "title: A: B # why",
            "- a: b: c",
        ),
        *(
            "  nested: a: b",
            "http://a.b",
            "# note: a: b",
            "title: |",
            "title: A",
            "title:",
            "a: *b",
            "url: http://x",
        ),
    ],
)
def test_what_is_right_or_ambiguous_is_left_alone(line: str) -> None:
    assert mended(line, HERE) == (line, [])


@pytest.mark.parametrize("trap", TRAPS)
def test_a_trap_is_read_back_as_text(trap: str) -> None:
    front = {"title": trap, "tags": FlowList([trap, "x"]), "list": [trap], "inner": {"key": trap}}
    assert parse(dump(front)) == front


@given(mappings)
@settings(deadline=None)
def test_what_is_dumped_is_read_back(front: dict[str, Any]) -> None:
    written = dump(front)
    assert parse(written) == front
    assert list(parse(written)) == list(front)
    assert yaml.load(written, Loader=yaml.SafeLoader) == front
    assert (yaml.load(written, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)) or {}) == front


@given(mappings, st.sampled_from(["Body", "a\n---\nb", "---\nx: y\n---"]))
@settings(deadline=None)
def test_a_dumped_post_is_split_and_read_back(front: dict[str, Any], body: str) -> None:
    text = f"---\n{dump(front)}---\n{body}"
    raw, rest = split(text)
    assert raw is not None and parse(raw) == front and rest == body
    post = frontmatter.loads(text)
    assert post.metadata == front and post.content == body


def test_dump_looks_as_a_blogger_writes() -> None:
    front = {
        "layout": "post",
        "title": "Bread, Slowly",
        "subtitle": "A: B",
        "date": date(2019, 1, 2),
        "tags": FlowList(["vim", "command line"]),
        "categories": ["notes", "It's late"],
        "blog_gen": {"seed": 7, "scores": {"novelty": 0.5}},
    }
    assert dump(front) == (
        "layout: post\n"
        "title: Bread, Slowly\n"
        'subtitle: "A: B"\n'
        "date: 2019-01-02\n"
        "tags: [vim, command line]\n"
        "categories:\n"
        "  - notes\n"
        "  - It's late\n"
        "blog_gen:\n"
        "  seed: 7\n"
        "  scores:\n"
        "    novelty: 0.5\n"
    )


@pytest.mark.parametrize("title", EMOJI)
def test_an_emoji_is_written_as_it_is(title: str) -> None:
    assert title.replace("'", "''") in dump({"title": title})


def test_a_shared_value_is_written_twice_not_linked() -> None:
    tags = ["a"]
    assert "&" not in dump({"x": tags, "y": tags})


@pytest.mark.jekyll
def test_jekyll_reads_back_what_is_dumped(jekyll: str, tmp_path: Path) -> None:
    """The parser of Debian's Jekyll is Ruby's own, which differs from Python's on many a bare word."""
    front = {f"k{at}": FlowList([trap, [trap]]) for at, trap in enumerate(TRAPS)} | {
        f"t{at}": trap for at, trap in enumerate(TRAPS)
    }
    (tmp_path / "front.yml").write_text(dump(front), encoding="utf-8")
    script = (
        'require "jekyll"; require "json"; puts JSON.generate(Jekyll::Utils.safe_load_yaml_file("front.yml"))'
    )
    ruby = shutil.which("ruby")
    assert ruby, f"{jekyll} runs on Ruby"
    done = subprocess.run(
        [ruby, "-E", "UTF-8:UTF-8", "-e", script],
        cwd=tmp_path,
        capture_output=True,
        check=True,
        encoding="utf-8",
    )
    assert json.loads(done.stdout) == front


def test_a_list_of_a_million_is_refused_at_once() -> None:
    with pytest.raises(FrontMatterError, match="values"):
        parse(f"tags: [{'a, ' * 1_000_000}]")
