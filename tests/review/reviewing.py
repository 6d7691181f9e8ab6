"""A small site with drafts of every state, written as blog-gen writes them, for tests of the review."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from blog_gen.config.loading import load_settings
from blog_gen.config.settings import Settings
from blog_gen.review.store import Store
from blog_gen.site.articles import read_articles
from blog_gen.site.composing import Draft
from blog_gen.site.drafts import write_draft
from blog_gen.site.habit import habit_of

COPIED = "A script is a letter to somebody who will be you and will have forgotten everything"
SCORES = {"score": 0.812, "longest_copy": 12, "copied_share": 0.041, "title_likeness": 0.2}

_LAYOUT = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{{ page.title | escape }}</title>
<link rel="stylesheet" href="/assets/site.css"></head>
<body><main class="the-site"><h1>{{ page.title | escape }}</h1>{{ content }}</main></body></html>
"""
_FILES = {
    "_config.yml": "title: A small site\ntimezone: Europe/London\ncollections: {generated: {output: true, "
    "permalink: '/:collection/:year/:month/:day/:title/'}, articles: {output: true}}\n"
    "defaults:\n  - scope: {path: ''}\n    values: {layout: post}\nexclude: [.blog_gen/]\n",
    "_layouts/post.html": _LAYOUT,
    "assets/site.css": ".the-site { border-left: 6px solid green; padding: 1rem; }\n",
    "_articles/letters.md": "---\ntitle: Letters\ncategory: programs\ntags: [shell, patience]\n"
    f"description: On scripts.\n---\nOne line first.\n\n{COPIED}. So be kind to that person.\n",
    "_articles/bread.md": "---\ntitle: Bread\ncategory: cooking\ntags: [bread]\ndescription: On bread.\n---\n"
    "Flour and water and time. Nobody hurries it.\n",
}
BODY = f"""It rained on Tuesday, and so I stayed at the bench.

{COPIED}, which is what I told the drawer.

## The drawer

It had *opinions*. Write to me@example.org if yours has them too.
"""


def make_site(folder: Path) -> Settings:
    for name, text in _FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return load_settings(folder)


def add_draft(settings: Settings, title: str, day: int = 5, body: str = BODY) -> Path:
    """A draft as the pipeline writes it."""
    provenance = {
        "version": "0.1.0",
        "day": f"2026-03-{day:02}",
        "model": "mini",
        "seed": 7,
        "scores": SCORES,
    }
    moment = datetime(2026, 3, day, 9, 0, tzinfo=UTC)
    draft = Draft(title, body.strip(), moment, ("shell",), "programs", provenance)
    return write_draft(draft, habit_of(read_articles(settings).articles, settings), settings)


def make_store(folder: Path) -> Store:
    """A site with three drafts that wait."""
    settings = make_site(folder)
    for day, title in enumerate(("The drawer of rain", "A bolt, late", "Soup: a method"), 5):
        add_draft(settings, title, day)
    return Store(settings)
