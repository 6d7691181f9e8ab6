"""The corpus index against a search that looks everywhere, and its file."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blog_gen.judge.collocations import ABOVE_CHANCE, DISTANCES
from blog_gen.judge.index import CorpusIndex
from blog_gen.judge.index_file import kept_index, load_index
from blog_gen.judge.overlap import SEVERAL, SHORTEST_SHARED, Overlap
from blog_gen.judge.suffixes import shared_lengths, suffix_array
from blog_gen.judge.words import forms_of

TEXTS = st.lists(st.sampled_from(["a", "b", "c", "\n"]), max_size=25).map(" ".join)
CORPORA = st.lists(TEXTS, max_size=4).map(lambda texts: [(f"{at}.md", text) for at, text in enumerate(texts)])


def stands(run: list[str], documents: list[tuple[str, str]]) -> int:
    """How often `run` stands in the documents, by looking everywhere."""
    forms = [forms_of(text) for _, text in documents]
    return sum(each[at : at + len(run)] == run for each in forms for at in range(len(each) - len(run) + 1))


def longest_run(forms: list[str], documents: list[tuple[str, str]]) -> int:
    runs = (forms[at:end] for at in range(len(forms)) for end in range(at + 1, len(forms) + 1))
    return max((len(run) for run in runs if stands(run, documents)), default=0)


@given(st.lists(st.integers(0, 3), max_size=40))
def test_suffix_array_is_the_sorted_suffixes(ids: list[int]) -> None:
    assert suffix_array(np.array(ids, np.int32)).tolist() == sorted(range(len(ids)), key=lambda at: ids[at:])


@given(CORPORA, TEXTS, st.integers(1, 4))
def test_overlap_is_what_looking_everywhere_finds(
    documents: list[tuple[str, str]], text: str, ngram: int
) -> None:
    overlap = CorpusIndex.build(documents).overlap(text, ngram, shortest=2)
    forms = forms_of(text)
    boilerplate, copied = set(), set()
    for at in range(len(forms)):
        for end in range(at + 1, len(forms) + 1):
            having = sum(stands(forms[at:end], [document]) > 0 for document in documents)
            if having >= SEVERAL and end - at >= SHORTEST_SHARED:
                boilerplate |= set(range(at, end))
    stretches = [
        (at, end)
        for at in range(len(forms))
        for end in range(at + 1, len(forms) + 1)
        if not boilerplate & set(range(at, end)) and stands(forms[at:end], documents)
    ]
    copied = {place for at, end in stretches if end - at >= ngram for place in range(at, end)}
    own = len(forms) - len(boilerplate)
    assert (overlap.longest.words if overlap.longest else 0) == max((b - a for a, b in stretches), default=0)
    assert overlap.share == (len(copied) / own if own else float(bool(forms)))


@pytest.mark.parametrize("length", [63, 64, 65, 4159, 4160, 4161, 9000])
def test_shared_lengths_of_long_passages(length: int) -> None:
    passage = range(10, 10 + length)
    ids = np.array([1, *passage, 2, 0, 3, *passage, 0], np.int32)
    of = np.array([0] * (length + 3) + [1] * (length + 2), np.int32)
    found, earlier = shared_lengths(ids, suffix_array(ids), of, others=1, shortest=1)
    falling = list(range(length, 0, -1))
    assert found[:, 0].tolist() == [0, *falling, 0, 0, 0, *falling, 0]
    assert earlier.tolist() == [0] * (length + 4) + [*falling, 0]


@given(CORPORA, st.integers(1, 3), st.integers(1, 4))
def test_shared_lengths_are_what_looking_everywhere_finds(
    documents: list[tuple[str, str]], others: int, shortest: int
) -> None:
    forms = [forms_of(text) for _, text in documents]
    number = {form: at for at, form in enumerate("abc", start=1)}
    ids = np.array([number[form] if form else 0 for each in forms for form in [*each, ""]], np.int32)
    of = np.array([at for at, each in enumerate(forms) for _ in [*each, ""]], np.int32)
    found, before = shared_lengths(ids, suffix_array(ids), of, others, shortest)
    wanted, earlier = [], []
    for at, each in enumerate(forms):
        rest = [document for other, document in enumerate(documents) if other != at]
        for begin in range(len(each)):
            runs = [
                max(
                    (n for n in range(len(each) - begin + 1) if n and stands(each[begin : begin + n], [one])),
                    default=0,
                )
                for one in rest
            ]
            runs = [run if run >= shortest else 0 for run in runs]
            wanted.append((sorted(runs, reverse=True) + [0] * others)[:others])
            earlier.append(max(runs[:at], default=0))
        wanted.append([0] * others)
        earlier.append(0)
    assert found.tolist() == wanted and before.tolist() == earlier


@given(CORPORA)
def test_the_rest_answers_as_an_index_of_the_earlier_documents(documents: list[tuple[str, str]]) -> None:
    index = CorpusIndex.build(documents[:SEVERAL])  # of so few nothing is boilerplate
    for at, (_, text) in enumerate(documents[:SEVERAL]):
        before = CorpusIndex.build(documents[:at])
        one, other = index.rest(at).overlap(text, 6, 6), before.overlap(text, 6, 6)
        assert one.share == other.share
        if other.longest and other.longest.words >= 6:
            assert one.longest and one.longest.words == other.longest.words
            assert one.longest.document in [name for name, _ in documents[:at]]
        without = CorpusIndex.build([*documents[:at], *documents[at + 1 : SEVERAL]])
        assert index.rest(at).in_order(forms_of(text)) == without.in_order(forms_of(text))


def test_of_two_documents_that_share_a_passage_the_later_one_copies() -> None:
    passage = " ".join(f"word{at}" for at in range(30))
    index = CorpusIndex.build([("1.md", f"Once. {passage}"), ("2.md", "No."), ("3.md", f"Again: {passage}")])
    assert index.rest(0).overlap(f"Once. {passage}", 6, 8).longest is None
    longest = index.rest(2).overlap(f"Again: {passage}", 6, 8).longest
    assert longest and (longest.words, longest.document) == (30, "1.md")


@given(CORPORA, TEXTS)
def test_runs_stand_where_they_are_said_to_stand(documents: list[tuple[str, str]], text: str) -> None:
    overlap = CorpusIndex.build(documents).overlap(text, 3, shortest=2)
    last = 0
    for run in [*overlap.runs, *([overlap.longest] if overlap.longest else [])]:
        forms = forms_of(text[run.start : run.end])
        assert len(forms) == run.words
        from_line = "\n".join(dict(documents)[run.document].split("\n")[run.line - 1 :])
        in_line = len(forms_of(from_line.split("\n")[0]))
        assert any(forms_of(from_line)[at : at + run.words] == forms for at in range(in_line))
    for run in overlap.runs:
        assert run.words >= 2 and run.start >= last
        last = run.end


@given(CORPORA, st.lists(st.sampled_from(["a", "b", "c", "d"]), max_size=9))
def test_words_in_order_are_what_looking_everywhere_finds(
    documents: list[tuple[str, str]], forms: list[str]
) -> None:
    size = sum(len(forms_of(text)) for _, text in documents)

    def bound(pairs: Iterable[tuple[str, str]]) -> list[bool]:
        return [
            stands([a, b], documents) * size > ABOVE_CHANCE * stands([a], documents) * stands([b], documents)
            for a, b in pairs
        ]

    turned = bound((b, a) for a, b in pairwise(forms))
    near = [(a, b) for far in DISTANCES for a, b in zip(forms, forms[far:], strict=False)]
    apart = bound([*near, *((b, a) for a, b in near)])
    by_chance = sum(apart) / len(apart) * (len(forms) - 1) if apart else 0.0
    found, chance = CorpusIndex.build(documents).in_order(forms)
    assert found == sum(bound(pairwise(forms)))
    assert chance == pytest.approx(max(sum(turned), by_chance))


def test_no_run_goes_from_one_document_into_the_next() -> None:
    index = CorpusIndex.build([("1.md", "one two"), ("2.md", "three four")])
    longest = index.overlap("one two three four", 2, 2).longest
    assert longest and longest.words == 2


def test_a_long_copy_is_found_whole_and_named() -> None:
    original = " ".join(f"word{at}" for at in range(500))
    index = CorpusIndex.build([("other.md", "nothing here"), ("original.md", f"# Title\n\n{original}")])
    text = f"I say: {original.upper()} – and so on"
    longest = index.overlap(text, 6, 8).longest
    assert longest and (longest.words, longest.document, longest.line) == (500, "original.md", 3)
    assert text[longest.start : longest.end] == original.upper()


DOCUMENTS = [("a.md", "the cat sat on the mat\nand slept"), ("b.md", "une chaîne “étrange” \ud800")]


def asked(index: CorpusIndex) -> Overlap:
    return index.overlap("The cat sat on a chaîne étrange and slept", 2, 2)


def test_a_saved_index_answers_the_same(tmp_path: Path) -> None:
    built = kept_index(tmp_path / "deep" / "index.npz", DOCUMENTS)
    loaded = load_index(tmp_path / "deep" / "index.npz")
    assert loaded.digest == built.digest and asked(loaded) == asked(built)


def test_an_index_is_kept_until_the_documents_change(tmp_path: Path) -> None:
    path = tmp_path / "index.npz"
    kept_index(path, DOCUMENTS)
    before = path.stat().st_ino, path.stat().st_mtime_ns
    kept_index(path, DOCUMENTS)
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == before
    changed = kept_index(path, [*DOCUMENTS, ("c.md", "brand new words")])
    assert changed.in_order(["brand", "new"]) == (1, 0)
    assert load_index(path).in_order(["brand", "new"]) == (1, 0)


def test_what_an_earlier_version_wrote_is_built_anew(tmp_path: Path) -> None:
    path, texts = tmp_path / "index.npz", np.frombuffer(b'["", [], []]', np.uint8)
    packed = io.BytesIO()
    np.savez(packed, texts=texts, ids=np.zeros(0, np.int32))
    path.write_bytes(hashlib.sha256(packed.getvalue()).digest() + packed.getvalue())
    assert asked(kept_index(path, DOCUMENTS)) == asked(CorpusIndex.build(DOCUMENTS))


@pytest.mark.parametrize("at", [0, 40, 300, -10])
def test_a_damaged_file_is_built_anew(tmp_path: Path, at: int) -> None:
    path = tmp_path / "index.npz"
    wanted = asked(kept_index(path, DOCUMENTS))
    whole = path.read_bytes()
    flipped = bytearray(whole)
    flipped[at] ^= 1
    for damaged in (bytes(flipped), whole[:at], b"", b"not an index at all"):
        path.write_bytes(damaged)
        assert asked(kept_index(path, DOCUMENTS)) == wanted
        assert path.read_bytes() == whole
