"""The corpus index against a search that looks everywhere, and its file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blog_gen.judge.index import CorpusIndex, Overlap, kept_index, suffix_array
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
    assert (overlap.longest.words if overlap.longest else 0) == longest_run(forms, documents)
    grams = [forms[at : at + ngram] for at in range(len(forms) - ngram + 1)]
    known = sum(stands(gram, documents) > 0 for gram in grams)
    assert overlap.share == (known / len(grams) if grams else 0.0)


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


@given(CORPORA, st.lists(st.sampled_from(["a", "b", "c", "d"]), min_size=1, max_size=3))
def test_count_is_what_looking_everywhere_finds(documents: list[tuple[str, str]], run: list[str]) -> None:
    assert CorpusIndex.build(documents).count(run) == stands(run, documents)


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
    loaded = CorpusIndex.load(tmp_path / "deep" / "index.npz")
    assert loaded.digest == built.digest and asked(loaded) == asked(built)


def test_an_index_is_kept_until_the_documents_change(tmp_path: Path) -> None:
    path = tmp_path / "index.npz"
    kept_index(path, DOCUMENTS)
    before = path.stat().st_ino, path.stat().st_mtime_ns
    kept_index(path, DOCUMENTS)
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == before
    changed = kept_index(path, [*DOCUMENTS, ("c.md", "brand new words")])
    assert changed.count(["brand", "new"]) == 1
    assert CorpusIndex.load(path).count(["brand", "new"]) == 1


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
