"""Slugs are Jekyll's own: a golden file, recorded from Jekyll, and the real one where it is installed."""

from __future__ import annotations

import itertools
import json
import random
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blog_gen.site import descriptions, slugs

GOLDEN = json.loads(Path(__file__).with_name("slugs.json").read_text(encoding="utf-8"))
RECORDER = Path(__file__).with_name("record_slugs.rb")


@pytest.mark.parametrize("text", GOLDEN)
def test_as_jekyll_had_it(text: str) -> None:
    assert slugs.slugify(text) == GOLDEN[text]


@pytest.mark.jekyll
def test_as_jekyll_has_it(jekyll: str) -> None:
    """Letters that both know: Python and Ruby are not of the same Unicode version."""
    rng = random.Random(0)
    alphabet = [chr(code) for code in (*range(1, 0x500), *range(0x3041, 0x3097), *range(0x4E00, 0x4F00))]
    texts = [*GOLDEN, *("".join(rng.choices(alphabet, k=rng.randint(0, 30))) for _ in range(1000))]
    ruby = shutil.which("ruby") or "ruby"
    made = subprocess.run(
        [ruby, RECORDER], input=json.dumps(texts), capture_output=True, text=True, check=True
    )
    assert {text: slugs.slugify(text) for text in texts} == json.loads(made.stdout)


@given(st.text())
def test_a_slug_can_be_a_file_name(title: str) -> None:
    slug = slugs.slug_of(title)
    assert 0 < len(slug.encode()) <= slugs.LONGEST
    assert slugs.slugify(slug) == slug or slug == slugs.FALLBACK


@given(st.text(alphabet="ab é日-", min_size=90, max_size=300))
def test_a_long_slug_is_cut_between_words(title: str) -> None:
    slug, whole = slugs.slug_of(title), slugs.slugify(title)
    assert whole.startswith(slug) or slug == slugs.FALLBACK
    words = whole.split("-")
    if len(words[0].encode()) <= slugs.LONGEST and whole:
        assert slug.split("-") == words[: slug.count("-") + 1]


def test_numbers_follow_a_slug_that_is_taken() -> None:
    assert list(itertools.islice(slugs.numbered("a"), 3)) == ["a", "a-2", "a-3"]


@pytest.mark.parametrize(
    ("body", "description"),
    {
        "# Title\n\nOne *bold* claim. And more.": "One bold claim.",
        "- a list\n\n> a quote\n\n```\ncode\n```\n\nProse at last!": "Prose at last!",
        "No stop": "No stop",
        'See [it](/x/) and ![no](/i.png)`code`, &lt;b> {{ "{{" }} x }}.': "See it and code, ‹b› x .",
        "He said “Stop.” Then left.": "He said “Stop.”",
        "The U.S. team, i.e. we, won. Then left.": "The U.S. team, i.e. we, won.",
        "下雨了。我们读书。": "下雨了。",
        "word " * 60: ("word " * 32).strip() + "…",
        "```\nonly code\n```": None,
        "": None,
    }.items(),
)
def test_descriptions(body: str, description: str | None) -> None:
    assert descriptions.description_of(body) == description
