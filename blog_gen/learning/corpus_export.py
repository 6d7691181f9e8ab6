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
from blog_gen.site.articles import LEFT_OUT
from blog_gen.site.folder import LeftOut
from blog_gen.site.jekyll.values import names_of, title_of
from blog_gen.site.parts import parts_of, seen
from blog_gen.text.post import KEYS, Post, render


def shown(corpus: Corpus, settings: Settings, kind: str) -> str:
    """All texts as one string: readable (`text`) or one JSON object a line (`json`)."""
    kept = held_out(corpus.texts, settings.training.held_out)
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

    tokenizer = Tokenizer.load(zoo.resolve(settings.model, settings.state_folder / "runs", settings.site))
    arrays: dict[str, Any] = {
        name: np.array([*tokenizer.encode(text), tokenizer.end_of_text], np.int32)
        for name, text in corpus.texts.items()
    }
    with replacing(path) as file:
        np.savez_compressed(file, **arrays)


def texts_of(files: Iterable[Path], note: Callable[[Note], None]) -> list[str]:
    """Post texts of Markdown posts, of plain text, and of every line of JSON-lines files.

    What was mended, and a file that must be left out, goes to `note`.

    Raises:
        ArticleError: there is no text in all the files.
        CorpusError: a JSON-lines file has no text.
    """
    texts: list[str] = []
    for path in files:
        if path.name.endswith((".jsonl", ".jsonl.xz")):
            texts += _lines_of(path)
            continue
        try:
            texts.append(_text_of(path, note))
        except LeftOut as reason:
            note(Note(path, str(reason), LEFT_OUT))
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


def _text_of(path: Path, note: Callable[[Note], None]) -> str:
    """A post with front matter as post text; other text as it is."""
    try:
        post = parts_of(path.read_bytes(), path)
    except OSError as error:
        raise LeftOut(f"the file cannot be read ({error.strerror})") from error
    if post.raw is None:
        return post.body
    for each in post.notes:
        note(each)
    tags = names_of(post.values, "tag", "tags")
    category = next(iter(names_of(post.values, "category", "categories")), None)
    return render(
        Post(title_of(post.values, path), seen(post.body, path) or post.body.strip(), tags, category), KEYS
    )
