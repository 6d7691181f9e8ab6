"""Packing loses no token, counts none twice, and held-out posts stay held out."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from blog_gen.model.training.dataset import ENOUGH, epoch_order, held_out, pack

END = 99
TEXTS = st.lists(st.lists(st.integers(0, 98), min_size=1, max_size=300), min_size=1, max_size=12)


@given(TEXTS, st.sampled_from([64, 128]))
def test_every_target_is_learned_from_exactly_once(texts: list[list[int]], n_ctx: int) -> None:
    rows = pack(texts, END, n_ctx)
    learned = sorted(rows.targets[rows.counted > 0].tolist())
    assert learned == sorted(token for text in texts for token in [*text, END])
    assert rows.tokens.shape[1] <= n_ctx


@given(TEXTS)
def test_a_target_is_the_token_that_comes_next(texts: list[list[int]]) -> None:
    rows = pack(texts, END, 128)
    follows = (rows.segments[:, 1:] == rows.segments[:, :-1]) & (rows.segments[:, 1:] > 0)
    assert (rows.tokens[:, 1:][follows] == rows.targets[:, :-1][follows]).all()
    begins = rows.positions == 0
    assert (rows.positions[:, 1:][follows] == rows.positions[:, :-1][follows] + 1).all()
    assert begins[:, 0].all()


@given(TEXTS)
def test_the_order_of_texts_does_not_matter(texts: list[list[int]]) -> None:
    one, other = pack(texts, END, 128), pack(texts[::-1], END, 128)
    assert (one.tokens == other.tokens).all() and (one.counted == other.counted).all()


@given(TEXTS)
def test_a_text_goes_into_the_first_row_that_has_room(texts: list[list[int]]) -> None:
    rows = pack([[1] * 61, *(text[:60] for text in texts)], END, 64)
    room: list[int] = []
    for size in sorted((62, *(len(text[:60]) + 1 for text in texts)), reverse=True):
        place = next((row for row, free in enumerate(room) if free >= size), len(room))
        room += [64] * (place == len(room))
        room[place] -= size
    assert (rows.segments == 0).sum(axis=1).tolist() == room


def test_a_long_text_goes_on_with_a_quarter_context_seen_again() -> None:
    rows = pack([list(range(90))], END, 64)
    seen_again = (rows.segments > 0) & (rows.counted == 0)
    assert rows.segments.astype(bool).sum(axis=1).tolist() == [64, 43]
    assert seen_again.sum(axis=1).tolist() == [0, 16]
    assert rows.tokens[1, :16].tolist() == rows.tokens[0, 48:].tolist()


def test_one_short_text_makes_one_short_row() -> None:
    rows = pack([[1, 2, 3]], END, 1024)
    assert rows.tokens.shape == (1, 64) and rows.count == 4
    assert rows.tokens[0, :4].tolist() == [END, 1, 2, 3]
    assert rows.targets[0, :4].tolist() == [1, 2, 3, END]


def test_a_batch_that_is_not_full_is_filled_with_padding() -> None:
    rows = pack([[1] * 60, [2] * 60], END, 64)
    batch = rows.batch(epoch_order(2, 0, 0)[:1], 4)
    assert batch["tokens"].shape == (4, 64) and batch["share"][1:].sum() == 0


@given(st.sets(st.text(min_size=1), min_size=2, max_size=60), st.text(min_size=1))
def test_adding_a_post_moves_no_other_post_once_there_are_enough(names: set[str], new: str) -> None:
    before, after = (held_out(dict.fromkeys(sorted(each), "text"), 0.5) for each in (names, names | {new}))
    assert before and before < names
    natural = {name for name in names if name in after}
    if len(before) > 1 and len(before) < len(names) - 1:  # not the rule for very few posts
        assert natural == before


def test_a_single_text_is_learned_from_not_held_out() -> None:
    assert held_out({"only": "text"}, 0.1) == set()


def test_of_a_large_blog_no_more_is_held_out_than_it_takes_to_measure() -> None:
    names = [f"post {number}" for number in range(1000)]
    few, many = (held_out(dict.fromkeys(names, "x" * (size * ENOUGH)), 0.1) for size in (0, 1))
    some = held_out(dict.fromkeys(names, "x" * (ENOUGH // 10)), 0.1)
    assert 70 < len(few) < 130 and len(some) == 10 and len(many) == 1
    assert many < some < few, "the first by their hashes"
