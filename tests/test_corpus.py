"""What the model learns from: posts as a draft may be."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest
import yaml

from blog_gen.config.loading import load_settings
from blog_gen.corpus import read_corpus
from blog_gen.errors import ArticleError

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
