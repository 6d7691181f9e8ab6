"""Files to texts: a post is read as the corpus reads it, mended or not, and one bad file stops nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from blog_gen.config.settings import Settings
from blog_gen.corpus import read_corpus
from blog_gen.errors import ArticleError, Note
from blog_gen.learning.corpus_export import texts_of

HEAD = b"---\ntitle: Tea\ntags: [cup, pot]\ncategory: kitchen\n---\n"
MENDED = {
    "nothing": HEAD + b"It was cold.\n",
    "a colon": HEAD.replace(b"Tea", b"Tea: a story") + b"It was cold.\n",
    "no space": HEAD.replace(b"title: ", b"title:") + b"It was cold.\n",
    "a mark": b"\xef\xbb\xbf" + HEAD + b"It was cold.\n",
    "line ends": HEAD.replace(b"\n", b"\r\n") + b"It was cold.\r\n",
    "old encoding": HEAD + b"It was in the caf\xe9.\n",
    "a blank line": b"\n" + HEAD + b"\n\nIt was cold.\n\n",
    "an impossible day": HEAD.replace(b"title", b"date: 2020-02-30\ntitle") + b"It was cold.\n",
}
LEFT_OUT = {
    "empty": b"",
    "no body": HEAD,
    "no text": b"\x89PNG\0",
    "no YAML": b"---\ntitle: [\n---\nText",
    "a number without end": b"---\ntitle: 0x" + 4000 * b"f" + b"\n---\nText",
    "never closed": b"---\ntitle: A\n",
}


@pytest.mark.parametrize("what", MENDED)
def test_a_post_is_read_as_the_corpus_reads_it(what: str, tmp_path: Path) -> None:
    path = tmp_path / "_articles" / "tea.md"
    path.parent.mkdir()
    path.write_bytes(MENDED[what])
    corpus = read_corpus(Settings(site=tmp_path))
    notes: list[Note] = []
    assert texts_of([path], notes.append) == list(corpus.texts.values())
    assert [note.rule for note in notes] == [note.rule for note in corpus.notes]


@pytest.mark.parametrize("what", LEFT_OUT)
def test_a_file_that_cannot_be_used_stops_nothing(what: str, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.txt", tmp_path / "bad.md"
    good.write_text("Plain text.\n")
    bad.write_bytes(LEFT_OUT[what])
    notes: list[Note] = []
    assert texts_of([bad, good], notes.append) == ["Plain text.\n"]
    assert [(note.path, note.action) for note in notes] == [(bad, "left out")]
    with pytest.raises(ArticleError, match="nothing to measure"):
        texts_of([bad], notes.append)
