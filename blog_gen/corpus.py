"""The site's posts as what a model learns from: each article rendered as one post text.

Joins the blog's two rooms, `site` and `text`. Has never heard of a tensor.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from blog_gen.config.settings import Settings
from blog_gen.errors import Note
from blog_gen.site.articles import Article, read_articles
from blog_gen.site.habit import Habit, habit_of
from blog_gen.text.plain import to_plain
from blog_gen.text.post import Post, keys_of, render


@dataclass(frozen=True)
class Corpus:
    """The site's posts, and the texts that the model learns from."""

    articles: tuple[Article, ...]
    texts: Mapping[str, str]  # by the post's path in the site
    keys: tuple[str, ...]  # of the post text's head
    habit: Habit
    notes: tuple[Note, ...]

    @cached_property
    def sha256(self) -> str:
        digest = hashlib.sha256()
        for name, text in self.texts.items():
            digest.update(f"{name}\0{len(text)}\0{text}".encode())
        return digest.hexdigest()

    @cached_property
    def hashes(self) -> dict[str, str]:
        """SHA-256 of each text, by the post's path."""
        return {name: hashlib.sha256(text.encode()).hexdigest() for name, text in self.texts.items()}


def read_corpus(settings: Settings) -> Corpus:
    """Read the articles and render each as post text.

    Raises:
        ArticleError: there is nothing to learn from.
    """
    reading = read_articles(settings)
    plain = settings.style == "plain"
    posts = [_post(article, plain) for article in reading.articles]
    keys = keys_of(posts)
    texts = {
        article.path.as_posix(): render(post, keys)
        for article, post in zip(reading.articles, posts, strict=True)
    }
    return Corpus(reading.articles, texts, keys, habit_of(reading.articles, settings), reading.notes)


def _post(article: Article, plain: bool) -> Post:
    body = to_plain(article.body) if plain else article.body
    category = article.categories[0] if article.categories else None
    return Post(article.title, body or article.body, article.tags, category)
