"""The language is found before anything is learned, and only one is learned."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from blog_gen.config.loading import load_settings
from blog_gen.corpus import LANGUAGES_FILE, read_corpus
from blog_gen.errors import ArticleError, ModelError
from blog_gen.learning.rehearsal import require_language
from blog_gen.text import language
from blog_gen.text.language import language_of

SITES = Path(__file__).parents[1] / "sites"


@pytest.mark.parametrize(
    ("name", "spoken"), [("german", "de"), ("posts-dir", "en"), ("html-only", "en"), ("source", "en")]
)
def test_the_language_of_a_site(name: str, spoken: str) -> None:
    settings = load_settings(SITES / name, {"articles": "**/_posts"})
    corpus = read_corpus(settings)
    assert corpus.language == spoken and not corpus.notes
    assert {language_of(article.body) for article in corpus.articles} <= {spoken, None}


def test_the_main_language_is_learned_or_the_one_that_is_asked_for() -> None:
    settings = load_settings(SITES / "multilingual", {"articles": "_posts"})
    corpus = read_corpus(settings)
    assert corpus.language == "en" and len(corpus.texts) == 4
    [note] = corpus.notes
    assert "here English" in str(note) and "German (2)" in str(note)
    other = read_corpus(load_settings(SITES / "multilingual", {"articles": "_posts", "language": "de"}))
    assert len(other.texts) == 2 and all("/de/" in name for name in other.texts)
    with pytest.raises(ArticleError, match=r"`fr`.*; got English, German"):
        read_corpus(load_settings(SITES / "multilingual", {"articles": "_posts", "language": "fr"}))


def test_code_and_short_texts_have_no_language() -> None:
    assert language_of("Hello there.") is None
    assert language_of("a1 b2 c3 d4 " * 30) is None
    assert language_of("```\n" + "for each in range(10): print(each)\n" * 40 + "```\n") is None


def test_the_embedded_base_refuses_what_it_does_not_know_unless_told() -> None:
    settings = load_settings(SITES / "german", {"articles": "_posts"})
    with pytest.raises(ModelError, match=r"German.*benjamin/gerpt2"):
        require_language(settings, read_corpus(settings))
    by_hand = load_settings(SITES / "german", {"articles": "_posts", "model": "mini"})
    require_language(by_hand, read_corpus(by_hand))
    english = load_settings(SITES / "posts-dir", {"articles": "_posts"})
    require_language(english, read_corpus(english))


def test_a_language_is_looked_for_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = Path(shutil.copytree(SITES / "german", tmp_path / "site"))
    settings = load_settings(site, {"articles": "_posts"})
    read_corpus(settings)
    assert not settings.state_folder.exists(), "reading leaves a site as it is"
    settings.state_folder.mkdir()
    read_corpus(settings)
    monkeypatch.setattr(language, "language_of", lambda text: pytest.fail("it was looked for again"))
    assert read_corpus(settings).language == "de"
    (settings.state_folder / LANGUAGES_FILE).write_text("[")
    monkeypatch.undo()
    assert read_corpus(settings).language == "de"
