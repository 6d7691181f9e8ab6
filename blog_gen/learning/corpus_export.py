"""The training texts for other eyes and other tools: as text, JSON lines or token ids; and files to texts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from blog_gen.config.settings import Settings
from blog_gen.corpus import Corpus
from blog_gen.errors import ArticleError, CorpusError, Note
from blog_gen.files import replacing, write_text
from blog_gen.model.training.dataset import held_out
from blog_gen.site import front_matter
from blog_gen.site.articles import names_of, title_of
from blog_gen.site.decoding import decode
from blog_gen.text.post import KEYS, Post, render


def shown(corpus: Corpus, settings: Settings, kind: str) -> str:
    """All texts as one string: readable (`text`) or one JSON object a line (`json`)."""
    kept = held_out(list(corpus.texts), settings.training.held_out)
    if kind == "json":
        rows = ({"path": name, "held_out": name in kept, "text": text} for name, text in corpus.texts.items())
        return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    pieces = []
    for name, text in corpus.texts.items():
        mark = " (held out)" if name in kept else ""
        pieces.append(f"===== {name}{mark}\n{text}\n\n")
    return "".join(pieces)


def write(corpus: Corpus, settings: Settings, kind: str, path: Path) -> None:
    """The same in a file; `npz` holds the token ids of each post by its path, end-of-text included."""
    if kind != "npz":
        write_text(path, shown(corpus, settings, kind))
        return
    import numpy as np

    from blog_gen.model.bpe import Tokenizer
    from blog_gen.model.zoo import zoo

    tokenizer = Tokenizer.load(zoo.resolve(settings.model, settings.state_folder / "runs"))
    arrays: dict[str, Any] = {
        name: np.array([*tokenizer.encode(text), tokenizer.end_of_text], np.int32)
        for name, text in corpus.texts.items()
    }
    with replacing(path) as file:
        np.savez_compressed(file, **arrays)


def texts_of(files: Iterable[Path], note: Callable[[Note], None] = lambda note: None) -> list[str]:
    """Post texts of Markdown posts, of plain text, and of every line of JSON-lines files.

    A file without text is left out, with a note.

    Raises:
        ArticleError: a post cannot be read, or there is no text in all the files.
        CorpusError: a JSON-lines file has no text.
    """
    texts: list[str] = []
    for path in files:
        if path.name.endswith((".jsonl", ".jsonl.xz")):
            texts += _lines_of(path)
        elif text := _text_of(path):
            texts.append(text)
        else:
            note(Note(path, "there must be text to measure", "left out"))
    if not texts:
        raise ArticleError("there is nothing to measure in these files")
    return texts


def _lines_of(path: Path) -> Sequence[str]:
    from blog_gen.model.pretraining.shards import read_documents

    notes: list[Note] = []
    texts = [document.text for document in read_documents([path], notes)]
    if not texts:
        raise CorpusError("a corpus needs at least one line with `text`", path=path)
    return texts


def _text_of(path: Path) -> str:
    """A post with front matter as post text; other text as it is; empty where there is none."""
    try:
        text, _ = decode(path.read_bytes(), path)
        raw, body = front_matter.split(text)
        if raw is None:
            return text if text.strip() else ""
        if not body.strip():
            return ""
        values = front_matter.parse(raw)
    except ValueError as error:
        raise ArticleError("a post must be readable text", got=error, path=path) from None
    tags = names_of(values, "tag", "tags")
    category = next(iter(names_of(values, "category", "categories")), None)
    return render(Post(title_of(values, path), body, tags, category), KEYS)
