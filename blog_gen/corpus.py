"""The site's posts as what a model learns from: each article rendered as one post text.

Joins the blog's two rooms, `site` and `text`. Has never heard of a tensor.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property

from blog_gen.config.settings import Settings, articles_named
from blog_gen.errors import ArticleError, Note
from blog_gen.site.articles import LEFT_OUT, Article, HiddenPost, namesakes, read_articles
from blog_gen.site.habit import Habit, habit_of
from blog_gen.text.language import languages_of, main_language
from blog_gen.text.plain import to_plain
from blog_gen.text.post import Post, keys_of, render
from blog_gen.text.wrapping import joined, wrapped_at
from blog_gen.text.writable import one_line, writable

LANGUAGES_FILE = "languages.json"  # in the state folder: what was found, so that it is found once


@dataclass(frozen=True)
class Corpus:
    """The site's posts, and the texts that the model learns from."""

    articles: tuple[Article, ...]
    texts: Mapping[str, str]  # by the post's path in the site
    keys: tuple[str, ...]  # of the post text's head
    habit: Habit
    notes: tuple[Note, ...]
    hidden: tuple[HiddenPost, ...] = ()  # posts that no visitor may see
    language: str | None = None  # of the posts, ISO 639-1; None where it cannot be told
    others: Mapping[str, int] = field(default_factory=dict)  # posts in other languages, left alone
    changes_at: datetime | None = None  # when the next post becomes visible by itself

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


def read_corpus(settings: Settings, now: datetime | None = None) -> Corpus:
    """Read the articles in one language that a visitor may see at `now`; render each as post text.

    Raises:
        ArticleError: there is nothing to learn from.
    """
    reading = read_articles(settings, now)
    articles, language, others = _of_one_language(reading.articles, settings)
    articles, without_text = _as_drafts_may_be(articles)
    left_alone = _left_alone(language, others, settings)
    notes = (*reading.notes, *without_text, *namesakes(articles), *left_alone)
    if not articles:
        rule = "there must be a post with text to learn from"
        raise ArticleError(rule, got=str(without_text[0]), path=settings.articles_folder)
    posts = _posts(articles, settings)
    keys = keys_of(posts)
    texts = {
        article.path.as_posix(): render(post, keys) for article, post in zip(articles, posts, strict=True)
    }
    habit = habit_of(articles, settings)
    return Corpus(articles, texts, keys, habit, notes, reading.hidden, language, others, reading.changes_at)


def _of_one_language(
    articles: tuple[Article, ...], settings: Settings
) -> tuple[tuple[Article, ...], str | None, Counter[str]]:
    """The posts in the language to learn, that language, and how many posts are in each of the others.

    A post of which the language is neither said nor can be told is kept.

    Raises:
        ArticleError: none is in the language that the settings name.
    """
    from blog_gen.model.zoo.languages import code_of, name_of

    spoken = _languages(articles, settings)
    wanted = code_of(settings.language) or settings.language or main_language(spoken)
    kept = tuple(
        article for article, language in zip(articles, spoken, strict=True) if language in (wanted, None)
    )
    if not kept or (settings.language and wanted not in spoken):
        got = ", ".join(sorted(map(name_of, set(filter(None, spoken))))) or "none that can be told"
        rule = f"there must be posts in `{wanted}` to learn from, as `language` says"
        raise ArticleError(rule, got=got, path=settings.articles_folder)
    return kept, wanted, Counter(language for language in spoken if language and language != wanted)


def _languages(articles: tuple[Article, ...], settings: Settings) -> list[str | None]:
    """The language of each post: what its author says in it, else what its text is told to be in, else what
    the site's `defaults:` say; None where none of these knows.

    A short text may be in any language, and then only its author knows. But themes come with a `lang: en`
    in their `defaults:` or in what a new post begins with, and a blog in Chinese keeps it. So what is said
    for a folder or for all posts counts less than a text; and a language that most posts are said to be in,
    though hardly a text is, was nobody's word: there the texts alone decide.
    """
    told = languages_of([article.body for article in articles], settings.state_folder / LANGUAGES_FILE)
    own = [_said(article.front_matter) for article in articles]
    given = [_said(article.defaults) for article in articles]
    said = [by_author or by_site for by_author, by_site in zip(own, given, strict=True)]
    nobodys = {language for language in set(filter(None, said)) if _is_nobodys_word(language, said, told)}
    own, given = ([None if word in nobodys else word for word in words] for words in (own, given))
    return [next(filter(None, each), None) for each in zip(own, told, given, strict=True)]


def _said(values: Mapping[str, object]) -> str | None:
    """The language that a post's values name: themes have three words for it."""
    from blog_gen.model.zoo.languages import code_of

    return next(filter(None, (code_of(values.get(key)) for key in ("lang", "locale", "language"))), None)


def _is_nobodys_word(language: str, said: Sequence[str | None], told: Sequence[str | None]) -> bool:
    """Whether most posts are said to be in `language`, and less than one in ten of their texts is."""
    texts = [by_text for by_text, word in zip(told, said, strict=True) if by_text and word == language]
    return 2 * said.count(language) > len(said) and 10 * texts.count(language) < len(texts)


def _left_alone(language: str | None, others: Counter[str], settings: Settings) -> list[Note]:
    """What there is to say of posts in other languages."""
    if not others or not language:
        return []
    from blog_gen.model.zoo.languages import name_of

    listed = ", ".join(f"{name_of(other)} ({count})" for other, count in others.most_common())
    rule = f"the model learns one language, here {name_of(language)}, and not the posts in {listed}"
    ((commonest, _),) = others.most_common(1)
    action = f"`blog_gen: {{language: {commonest}}}` chooses another"
    return [Note(settings.site / articles_named(settings.articles)[0], rule, action)]


def _as_drafts_may_be(articles: Iterable[Article]) -> tuple[tuple[Article, ...], list[Note]]:
    """The articles as what a draft is like, is measured by and is not to copy: no HTML, no Liquid."""
    kept: list[Article] = []
    notes: list[Note] = []
    for article in articles:
        title = one_line(article.title)
        if body := writable(article.body, title).strip():
            kept.append(replace(article, title=title, body=body))
        else:
            notes.append(Note(article.path, "a post must have text besides HTML and Liquid", LEFT_OUT))
    return tuple(kept), notes


def _posts(articles: Sequence[Article], settings: Settings) -> list[Post]:
    """The articles in the style that is learned; line breaks that nobody sees are learned in none."""
    if settings.style == "plain":
        return [_post(article, to_plain(article.body)) for article in articles]
    width = None if _breaks_show(settings) else wrapped_at(article.body for article in articles)
    return [_post(article, joined(article.body, width) if width else article.body) for article in articles]


def _breaks_show(settings: Settings) -> bool:
    """Whether kramdown makes each line of a paragraph a line of the page."""
    kramdown = settings.jekyll.get("kramdown")
    return isinstance(kramdown, Mapping) and bool(kramdown.get("hard_wrap"))


def _post(article: Article, body: str) -> Post:
    category = article.categories[0] if article.categories else None
    return Post(article.title, body or article.body, article.tags, category)
