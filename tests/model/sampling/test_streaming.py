"""However a text is cut into tokens, the same characters come out, and never a part of a stop string."""

from __future__ import annotations

import itertools

from hypothesis import example, given
from hypothesis import strategies as st

from blog_gen.model.sampling.streaming import TextStream

letters = st.text(alphabet="abé🙂 ", max_size=40)


def pieces_of(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({cut % (len(data) + 1) for cut in cuts} | {0, len(data)})
    return [data[start:end] for start, end in itertools.pairwise(places)]


def run(pieces: list[bytes], stop: list[str]) -> tuple[list[str], TextStream]:
    stream = TextStream(stop)
    given_out = [stream.push(piece) for piece in pieces] + [stream.close()]
    assert stream.text == "".join(given_out)
    return given_out, stream


@given(letters, st.lists(st.integers(0, 200)))
def test_characters_come_whole(text: str, cuts: list[int]) -> None:
    given_out, _ = run(pieces_of(text.encode(), cuts), [])
    assert "".join(given_out) == text
    assert "\ufffd" not in "".join(given_out)


@given(
    letters,
    st.lists(st.integers(0, 200)),
    st.lists(st.text(alphabet="abé🙂 ", min_size=1, max_size=4), max_size=3),
)
@example("aab", [1, 2], ["ab"])
@example("aaab", [1, 2, 3], ["aab", "b"])
def test_a_stop_string_never_leaks(text: str, cuts: list[int], stop: list[str]) -> None:
    given_out, stream = run(pieces_of(text.encode(), cuts), stop)
    out = "".join(given_out)
    assert text.startswith(out)
    assert not any(word in out for word in stop)
    if stream.stopped_by is None:
        assert out == text
    else:
        assert text[len(out) :].startswith(stream.stopped_by)


def test_a_false_beginning_of_a_stop_string_is_given_out_late() -> None:
    stream = TextStream(["\n\n---"])
    assert stream.push(b"one\n\n-") == "one"
    assert stream.push(b"two") == "\n\n-two"


def test_nothing_comes_after_a_stop_string() -> None:
    stream = TextStream(["."])
    assert [stream.push(b"a.b"), stream.push(b"c"), stream.close()] == ["a", "", ""]


def test_a_character_cut_in_two_is_dropped_at_the_end() -> None:
    given_out, _ = run(["é".encode(), "🙂".encode()[:3]], [])
    assert "".join(given_out) == "é"


def test_bytes_that_are_no_text_become_the_replacement_character() -> None:
    given_out, _ = run([b"a\xff", b"b"], [])
    assert "".join(given_out) == "a\ufffdb"
