"""What the model learns from: posts as a draft may be."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest
import yaml

from blog_gen.config.loading import load_settings
from blog_gen.corpus import read_corpus
from blog_gen.errors import ArticleError, ModelError
from blog_gen.learning.rehearsal import require_language

STUB = '<meta http-equiv="refresh" content="0; url=/elsewhere/">'


def write_posts(site: Path, *bodies: str) -> Path:
    (site / "_posts").mkdir()
    for number, body in enumerate(bodies):
        text = f"---\ntitle: Salt &#038; tea {number}\n---\n{body}\n"
        (site / "_posts" / f"2021-01-0{number + 1}-a.md").write_text(text)
    (site / "_config.yml").write_text(yaml.safe_dump({"blog_gen": {"articles": "_posts"}}))
    return site


def test_a_post_is_learned_as_a_draft_may_be(tmp_path: Path) -> None:
    corpus = read_corpus(load_settings(write_posts(tmp_path, "<p>One <b>cup</b>.</p>{{ x }}", STUB)))
    assert [*corpus.texts.values()] == ["title: Salt & tea 0\n---\nOne **cup**."]
    [note] = corpus.notes
    assert note.path.name == "2021-01-02-a.md" and "text besides HTML" in str(note)


def test_posts_that_only_lead_elsewhere_are_no_posts_to_learn_from(tmp_path: Path) -> None:
    with pytest.raises(ArticleError, match=r"with text to learn from; got .*2021-01-01-a\.md"):
        read_corpus(load_settings(write_posts(tmp_path, STUB)))


@pytest.mark.parametrize(("settings", "joined"), [({}, True), ({"kramdown": {"hard_wrap": True}}, False)])
def test_lines_broken_at_a_width_are_learned_as_one(
    tmp_path: Path, settings: dict[str, object], joined: bool
) -> None:
    words = "the tap drips and we count the drops until the bucket is full and somebody carries it out " * 3
    site = write_posts(tmp_path, textwrap.fill(words, 72))
    config = yaml.safe_load((site / "_config.yml").read_text())
    (site / "_config.yml").write_text(yaml.safe_dump(config | settings))
    [text] = read_corpus(load_settings(site)).texts.values()
    assert text.endswith(f"---\n{words.strip()}") == joined


GERMAN = (
    "Am Morgen lag Schnee auf dem Dach, und wir gingen trotzdem hinaus, weil das Brot ausgegangen war. " * 3
)


def write_spoken(site: Path, posts: dict[str, str], defaults: dict[str, str]) -> Path:
    """Posts by their paths in `_posts`, each from within its front matter on; languages by folder."""
    for number, (name, text) in enumerate(posts.items()):
        path = site / "_posts" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"---\ntitle: The tap {number}\n{text} ({number})\n")
    said = [{"scope": {"path": path}, "values": {"lang": word}} for path, word in defaults.items()]
    config = {"blog_gen": {"articles": "_posts"}, "defaults": said}
    (site / "_config.yml").write_text(yaml.safe_dump(config))
    return site


SHORT = "\n---\nTea, again."
LONG = f"\n---\n{GERMAN}"


@pytest.mark.parametrize(
    ("posts", "defaults", "learned", "others"),
    [
        # A short text is in the language that its author says, in whatever words.
        (
            ["lang: en-GB" + SHORT, "locale: en_US" + SHORT, "lang: de" + SHORT, "language: italian" + SHORT],
            {},
            "en",
            {"de": 1, "it": 1},
        ),
        # So is a long one; and what names no language is nothing.
        (["lang: la" + LONG, "language: python" + LONG, "lang: 5" + LONG], {}, "de", {"la": 1}),
        # What a theme says of all posts, in them or in `defaults:`, is not so where texts are otherwise.
        (["lang: en" + LONG] * 3 + ["lang: en" + SHORT], {}, "de", {}),
        ([LONG] * 3 + [SHORT], {"": "en"}, "de", {}),
        (["lang: en" + LONG] * 2 + ["lang: fr" + LONG], {}, "de", {"fr": 1}),
        # Said for a folder, it counts where the text says nothing.
        ([SHORT, *[LONG] * 3], {"_posts/2021-01-01": "fr", "_posts/2021-01-02": "fr"}, "de", {"fr": 1}),
    ],
)
def test_a_post_is_in_the_language_that_its_author_says(
    posts: list[str], defaults: dict[str, str], learned: str, others: dict[str, int], tmp_path: Path
) -> None:
    names = {f"2021-01-0{number + 1}-a.md": text for number, text in enumerate(posts)}
    corpus = read_corpus(load_settings(write_spoken(tmp_path, names, defaults)))
    assert (corpus.language, corpus.others) == (learned, others)


def test_the_language_to_learn_may_be_named_in_any_of_these_ways(tmp_path: Path) -> None:
    site = write_spoken(tmp_path, {"2021-01-01-a.md": LONG, "2021-01-02-a.md": "lang: en" + SHORT}, {})
    for word in ("en_US", "eng", "English"):
        corpus = read_corpus(load_settings(site, {"language": word}))
        assert (corpus.language, corpus.others) == ("en", {"de": 1})


def test_one_post_is_one_post(tmp_path: Path) -> None:
    settings = load_settings(write_spoken(tmp_path, {"2021-01-01-a.md": LONG}, {}))
    with pytest.raises(ModelError, match="; got 1 post in German"):
        require_language(settings, read_corpus(settings))


def test_that_posts_have_the_same_title_is_said_of_those_that_are_learned(tmp_path: Path) -> None:
    names = {f"2021-01-0{number}-a.md": f"lang: {word}" for number, word in enumerate(["de", "en", "en"], 1)}
    site = write_spoken(tmp_path, {name: f"{word}{SHORT}" for name, word in names.items()}, {})
    for path in site.glob("_posts/*"):
        path.write_text(path.read_text().replace("title: The tap", "title: The tap #"))
    corpus = read_corpus(load_settings(site))
    [note] = [note for note in corpus.notes if "same title" in note.rule]
    assert note.path.name == "2021-01-03-a.md" and "2021-01-02-a.md" in note.rule
