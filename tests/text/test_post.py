"""Post text: what `render` writes, `parse` reads back; what is not of the format is refused by its rule."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blog_gen.text.post import KEYS, Post, PostFormatError, keys_of, normalised, parse, prompt, render, varied

WHY_VIM = """\
title: Why Vim?
category: miscellaneous
tags: vim, linguistics
---
I've talked about Vim a lot in this blog..."""

texts = st.text(max_size=30)
filled = texts.filter(lambda text: text.strip() != "")
posts = st.builds(
    Post,
    title=filled,
    body=st.text(max_size=60).filter(lambda text: text.strip() != "")
    | st.sampled_from(
        ["a\n---\nb", "---\nx", "title: again\n---\nb", "<|endoftext|>", "a\n\n---\n\n---\n b"]
    ),
    tags=st.lists(texts | st.sampled_from(["a, b", ",", "a,"]), max_size=4).map(tuple),
    category=st.none() | texts,
)
some_keys = st.sets(st.sampled_from(KEYS)).map(lambda keys: tuple(key for key in KEYS if key in keys))


def test_the_format() -> None:
    post = Post(
        "Why Vim?", "I've talked about Vim a lot in this blog...", ("vim", "linguistics"), "miscellaneous"
    )
    assert render(post) == WHY_VIM
    assert parse(WHY_VIM) == post


@given(posts)
@settings(deadline=None)
def test_what_is_written_is_read_back(post: Post) -> None:
    assert parse(render(post)) == normalised(post)


@given(posts, some_keys)
@settings(deadline=None)
def test_only_the_keys_asked_for_are_written(post: Post, keys: tuple[str, ...]) -> None:
    whole, read = normalised(post), parse(render(post, keys))
    assert (read.title, read.body) == (whole.title, whole.body)
    assert read.tags == (whole.tags if "tags" in keys else ())
    assert read.category == (whole.category if "category" in keys else None)


@given(posts)
@settings(deadline=None)
def test_a_varied_text_is_a_post_of_the_same_names(post: Post) -> None:
    text = render(post)
    before, after = parse(text), parse(varied(text))
    assert (after.title, after.body) == (before.title, before.body)
    assert after == before or (after.category, *after.tags) == before.tags


def test_half_of_the_texts_with_tags_vary_and_no_others() -> None:
    tagged = [render(Post(f"Post {number}", "Body.", ("a", "b"))) for number in range(400)]
    assert 160 < sum(varied(text) != text for text in tagged) < 240
    for text in ["no post at all", *(text.replace("tags", "category") for text in tagged)]:
        assert varied(text) == text


@given(posts)
@settings(deadline=None)
def test_normalised_is_normal(post: Post) -> None:
    assert normalised(normalised(post)) == normalised(post)


@given(posts, some_keys)
@settings(deadline=None)
def test_a_prompt_begins_the_post_that_it_asks_for(post: Post, keys: tuple[str, ...]) -> None:
    asked = prompt(post.title, post.category, post.tags, keys)
    assert render(post, keys).startswith(asked)
    assert asked.startswith(f"title: {normalised(post).title}\n")


def test_a_prompt_ends_where_the_model_has_a_choice() -> None:
    assert prompt("A", None, (), KEYS) == "title: A\n"
    assert prompt("A", "b", (), KEYS) == "title: A\ncategory: b\n"
    assert prompt("A", None, ["x", "y"], KEYS) == "title: A\ntags: x, y\n---\n"
    assert prompt("A", "b", ["x"], ("title", "category")) == "title: A\ncategory: b\n---\n"
    assert prompt("A", "b", ["x"], ("title",)) == "title: A\n---\n"


def test_a_prompt_of_nothing_is_empty() -> None:
    assert prompt(None, None, (), KEYS) == ""
    assert prompt(" ", " ", [" "], KEYS) == ""


def test_a_prompt_needs_a_title_to_force_anything() -> None:
    with pytest.raises(PostFormatError, match="only with a title"):
        prompt(None, None, ["vim"], KEYS)


@pytest.mark.parametrize("post", [Post("", "Body"), Post(" \n", "Body"), Post("Title", " \n ")])
def test_a_post_without_title_or_body_cannot_be_written(post: Post) -> None:
    with pytest.raises(PostFormatError, match="title and a body"):
        render(post)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("", "a line `---` must end the head"),
        ("title: A\nBody", "a line `---` must end the head"),
        ("title: A\n---", "a line `---` must end the head"),
        ("title: A\n ---\nBody", "a line `---` must end the head"),
        ("title: A\n----\nBody", "a line `---` must end the head"),
        ("---\ntitle: A\n---\nBody", "not `---`"),
        ("Title: A\n---\nBody", "not `Title: A`"),
        ("\ntitle: A\n---\nBody", "not ``"),
        ("title: A\n\n---\nBody", "not ``"),
        ("title:A\n---\nBody", "not `title:A`"),
        ("title: A\nauthor: B\n---\nBody", "not `author: B`"),
        ("title: A\ntitle: B\n---\nBody", "`title` must stand only once"),
        ("title: A\ntags: a\ntags: b\n---\nBody", "`tags` must stand only once"),
        ("tags: a\ntitle: A\n---\nBody", "`title` must come first"),
        ("title:  \n---\nBody", "`title` must not be empty"),
        ("title: A\ntags:  \n---\nBody", "`tags` must not be empty"),
        ("title: A\n---\n", "the body must not be empty"),
        ("title: A\n---\n \n\n", "the body must not be empty"),
    ],
)
def test_what_is_not_of_the_format_is_refused(text: str, rule: str) -> None:
    with pytest.raises(PostFormatError) as caught:
        parse(text)
    assert rule in str(caught.value)


@given(st.text(alphabet="title: agscaory,-\n", max_size=60))
@settings(deadline=None)
def test_sampled_text_either_parses_or_is_refused(text: str) -> None:
    try:
        post = parse(text)
    except PostFormatError:
        return
    assert parse(render(post)) == post


def test_keys_that_most_posts_have() -> None:
    tagged, bare, sorted_ = Post("A", "a", ("x",)), Post("B", "b"), Post("C", "c", ("x",), "c")
    assert keys_of([tagged, bare]) == ("title",)
    assert keys_of([tagged, bare, sorted_]) == ("title", "tags")
    assert keys_of([sorted_]) == ("title", "category", "tags")
