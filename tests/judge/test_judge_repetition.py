"""Loops and repetition, on texts one can read aloud."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from blog_gen.config.settings import Limits
from blog_gen.judge.repetition import distinct, longest_loop, repetition_checks, said_again

WORDS = st.lists(st.sampled_from("abcd"), max_size=30).map(tuple)
PROSE = "The kettle was new in May and has not boiled since, which is nobody's fault but the fuse's own."


def failed(body: str) -> set[str]:
    return {check.name for check in repetition_checks("A title", body, Limits()) if not check.passed}


@given(WORDS, WORDS.filter(bool), st.integers(3, 6))
def test_a_phrase_said_over_and_over_is_found(
    before: tuple[str, ...], phrase: tuple[str, ...], times: int
) -> None:
    words, _ = longest_loop(before + phrase * times)
    assert words >= len(phrase) * (times - 1)


@given(WORDS)
def test_what_is_found_is_a_loop(words: tuple[str, ...]) -> None:
    said, phrase = longest_loop(words)
    repeated = phrase * (2 + said // max(len(phrase), 1))
    loop = repeated[: said + len(phrase)]
    assert any(words[at : at + len(loop)] == loop for at in range(len(words) + 1))
    assert said == 0 or said >= 2 * len(phrase) > 0


@given(WORDS, st.integers(1, 3))
def test_distinct_is_a_share_and_falls_when_a_text_is_doubled(words: tuple[str, ...], n: int) -> None:
    value, _ = distinct(words, n)
    assert 0 < value <= 1
    assert distinct(words + words, n)[0] <= value + 1 / max(len(words), 1)


def test_a_loop_late_in_a_long_text_counts_as_much() -> None:
    new = tuple(f"word{at}" for at in range(1000))
    assert distinct(new, 1) == (1.0, 0)
    value, where = distinct(new + ("again",) * 100, 1)
    assert value == 0.01 and where == 1000


def test_said_again_names_the_most_frequent() -> None:
    assert said_again([("a",), ("b",)]) == (0.0, ())
    assert said_again([("a",), ("b",), ("b",), ("a",), ("b",)]) == (0.6, ("b",))


def test_prose_that_goes_on_passes() -> None:
    assert failed(PROSE) == set()


def test_a_loop_at_the_end_is_found() -> None:
    assert "loop_words" in failed(PROSE + " And then we left." * 5)


def test_a_paragraph_that_comes_again_is_found() -> None:
    other = (
        "Between the two there stands something else entirely, about ducks, bread and a canal in December."
    )
    long = f"{PROSE} {PROSE}"
    assert "repeated_paragraphs" in failed(f"{long}\n\n{other}\n\n{long.upper()}")


def test_a_sentence_may_come_again_further_on_but_not_at_once() -> None:
    refrain = "To see how I did it, look at what I wrote of the shed, the ladder and the hen in May."
    assert "repeated_paragraphs" not in failed(f"{refrain}\n\n{PROSE}\n\n{refrain}")
    assert "repeated_paragraphs" in failed(f"{PROSE}\n\n{refrain}\n\n{refrain}")
    path = "It is [here](https://example.org): ~/.a/b/c/d/e, and there: /home/me/.a/b/c/d/e."
    assert "repeated_paragraphs" not in failed(f"{PROSE}\n\n{path}\n\n{path}")


def test_lines_that_come_again_are_found_in_code_too() -> None:
    assert "repeated_lines" in failed(PROSE + "\n\n```\n" + "print the same thing\n" * 5 + "```")


def test_code_may_repeat_small_lines_and_words() -> None:
    code = "\n".join(f"if x{at}:\n    return {at}\nend" for at in range(20))
    assert failed(f"{PROSE}\n\n```\n{code}\n```") == set()
