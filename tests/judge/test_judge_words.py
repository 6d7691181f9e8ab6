"""What a reader would call the same words."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blog_gen.judge.words import forms_of, length_in_words, words_of


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Don’t PANIC!", "don't panic"),
        ("a well-known *trick*", "A well known trick."),
        ("see [the docs](https://example.org/a/b_(c)) now", "see the docs now"),
        ("more at https://example.org/2020/01/a-b", "more at"),
        ("cafe\u0301", "caf\u00e9"),
        ("_so_ it **goes**", "so it goes"),
        ("“Why?” — he said…", '"Why?" - he said...'),
        ("STRASSE", "straße"),
    ],
)
def test_typography_makes_no_difference(one: str, other: str) -> None:
    assert forms_of(one) == forms_of(other)


@pytest.mark.parametrize(
    ("text", "forms"),
    [
        ("我爱Vim", ["我", "爱", "vim"]),
        ("ไปน้ำ ๒๕", ["ไ", "ป", "น้", "\u0e4d\u0e32", "๒๕"]),
        ("ខ្មែរ", ["ខ្", "មែ", "រ"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("it's its", ["it's", "its"]),
        ("snake_case 3.14", ["snake", "case", "3", "14"]),
        ("", []),
    ],
)
def test_what_a_word_is(text: str, forms: list[str]) -> None:
    assert forms_of(text) == forms


def test_a_character_is_less_than_a_word_where_no_blanks_are_written() -> None:
    assert [length_in_words(text) for text in ("水壶是新的水壶是新的", "ไปซื้อน้ำ" * 3, "ten words", "")] == [
        6,
        6,
        2,
        0,
    ]
    assert length_in_words("用 Vim 写") == 3  # each by its own script


@given(st.text())
def test_places_are_those_of_the_words(text: str) -> None:
    words = words_of(text)
    assert [word.form for word in words] == forms_of(text)
    assert all(forms_of(text[word.start : word.end]) == [word.form] for word in words)
    assert all(one.end <= other.start for one, other in pairwise(words))
