"""The proof of "safe to build": hostile texts through the writer, then what the real Jekyll made of them.

`BLOG_GEN_HOSTILE=5000 pytest tests/text/safety` tries that many; `BLOG_GEN_SEED` other ones.
"""

from __future__ import annotations

import os
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from hostile_pages import Page
from hostile_texts import hostile_texts

from blog_gen.config.settings import Settings
from blog_gen.site.composing import Draft
from blog_gen.site.drafts import drafts_in, write_draft
from blog_gen.site.habit import Habit
from blog_gen.text.safety.safe import SiteFacts, make_safe, safe_line, typographic

NUMBER = int(os.environ.get("BLOG_GEN_HOSTILE", "300"))  # texts, over all of the configurations
SEED = int(os.environ.get("BLOG_GEN_SEED", "0"))
LIQUID_RAN = ("1337", "LIQRAN")  # what the Liquid in the texts would print
SENTINEL = "qzxend"  # stands at the end of each text: nothing may hide it
# All that a page prints without escaping, as many themes do.
LAYOUT = """<!DOCTYPE html>
<html><head><title>{{ page.title | escape }}</title>
<meta name="path" content="{{ page.path | escape }}"></head>
<body><h1 title="{{ page.title }}">{{ page.title }}</h1>
<p title='{{ page.description }}'></p>{{ page.title | markdownify }}<p>{{ page.description }}</p>
{{ page.description | markdownify }}{{ page.excerpt }}
<p>{{ page.tags | join: " " }}</p><main>{{ content }}</main></body></html>
"""
CONFIGURATIONS: dict[str, dict[str, Any]] = {
    "default": {},
    "plain kramdown": {"kramdown": {"input": "kramdown", "math_engine": None}},
    "separator": {
        "excerpt_separator": "<!--more-->",
        "kramdown": {"math_engine": None, "parse_block_html": True},
    },
}
FACTS = SiteFacts(hosts=frozenset({"known.example"}), files=frozenset({"assets/cat.png"}))
HABIT = Habit(
    keys=("layout", "title", "date", "tags", "description"),
    constants={},
    layout="post",
    tags_key="tags",
    tags_style="flow",
    category_key=None,
    category_style="flow",
    description_key="description",
    date_pattern=None,
    date_quoted=False,
    tags=(),
    categories=(),
    words=(0, 999),
)


def write_site(
    site: Path, configuration: dict[str, Any], facts: SiteFacts, texts: list[str]
) -> dict[str, Draft]:
    """A Jekyll site with a draft for each text; the drafts by their paths in the site."""
    collection = {"output": True, "permalink": "/:collection/:year/:month/:day/:title/"}
    config = {"timezone": "Europe/Berlin", "collections": {"generated": collection}, **configuration}
    site.joinpath("_config.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
    layouts = site / "_layouts"
    layouts.mkdir()
    layouts.joinpath("post.html").write_text(LAYOUT, encoding="utf-8")
    settings = Settings(site=site, jekyll=config)
    start = datetime(2024, 3, 1, 12, tzinfo=UTC)
    written = {}
    for number, text in enumerate(texts):
        draft = Draft(
            title=typographic(safe_line(text))[:70].strip() or "Nothing left",
            body=make_safe(f"{text}\n\n{SENTINEL}", facts).body,
            date=start + timedelta(days=number % 50),
            tags=tuple(filter(None, (safe_line(text[-20:]), "a, b"))),
            provenance={"version": "0", "text": text.encode("utf-8", "replace").decode()},
        )
        path = write_draft(draft, HABIT, settings)
        written[path.relative_to(site).as_posix()] = draft
    return written


@pytest.mark.jekyll
@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_nothing_hostile_reaches_a_page(name: str, tmp_path: Path, jekyll: str) -> None:
    configuration = CONFIGURATIONS[name]
    number = -(-NUMBER // len(CONFIGURATIONS))
    texts = list(hostile_texts(SEED + list(CONFIGURATIONS).index(name), number))
    facts = SiteFacts(
        FACTS.hosts,
        FACTS.files,
        configuration.get("excerpt_separator", "\n\n"),
        backtick_fences=configuration.get("kramdown", {}).get("input") != "kramdown",
    )
    written = write_site(tmp_path, configuration, facts, texts)
    assert len(written) == number
    drafts, notes = drafts_in(tmp_path / "_generated")
    assert (len(drafts), notes) == (number, [])

    command = [jekyll, "build", "--unpublished", "--quiet"]
    build = subprocess.run(command, capture_output=True, text=True, timeout=900, cwd=tmp_path)
    assert build.returncode == 0, build.stderr[-2000:]
    assert not {"Error", "Liquid", "Exception"} & set((build.stderr + build.stdout).split())

    pages = {}
    for path in (tmp_path / "_site" / "generated").rglob("*.html"):
        source = path.read_text(encoding="utf-8")
        page = Page.of(source)
        pages[page.path] = page
        where = f"{page.path}\n{written[page.path].provenance['text']!r}\n{written[page.path].body!r}"
        assert not page.faults, f"{page.faults}\n{where}"
        assert page.title == written[page.path].title, where
        assert not any(trace in source for trace in LIQUID_RAN), where
        assert SENTINEL in "".join(page.text), where
    assert pages.keys() == written.keys()
