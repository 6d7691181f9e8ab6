"""A `CorpusIndex` on disk: written whole, read back, built anew when its documents changed or it is damaged.

Knows the file's format; nothing of what an index answers.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

import numpy as np

from blog_gen.files import parse_json, replacing
from blog_gen.judge.index import Arrays, CorpusIndex, Document, digest_of


def kept_index(path: Path, documents: Sequence[Document]) -> CorpusIndex:
    """The index of exactly these documents: read from `path`, or built and written there."""
    try:
        index = load_index(path)
        if index.digest == digest_of(documents):
            return index
    except (OSError, ValueError):
        pass  # there is none yet, or a damaged one: it takes a second to make anew
    index = CorpusIndex.build(documents)
    save_index(index, path)
    return index


def save_index(index: CorpusIndex, path: Path) -> None:
    """Write `index` to `path`, whole or not at all: a SHA-256, and the arrays that it is of."""
    texts = json.dumps([index.digest, index.names, index.vocabulary]).encode()
    packed = io.BytesIO()
    np.savez(packed, texts=np.frombuffer(texts, np.uint8), **vars(index.arrays))
    with replacing(path) as file:
        file.write(hashlib.sha256(packed.getvalue()).digest() + packed.getvalue())


def load_index(path: Path) -> CorpusIndex:
    """Read what `save_index` wrote.

    Raises:
        OSError, ValueError: there is no such file, or it is damaged.
    """
    content = path.read_bytes()
    digest, packed = content[:32], content[32:]
    if hashlib.sha256(packed).digest() != digest:
        raise ValueError("the file is damaged")
    with np.load(io.BytesIO(packed), allow_pickle=False) as stored:
        of_documents, names, vocabulary = parse_json(stored["texts"].tobytes())
        wanted = [field.name for field in fields(Arrays)]
        if missing := set(wanted) - set(stored.files):
            raise ValueError(f"another version wrote the file, without {', '.join(missing)}")
        arrays = Arrays(**{name: stored[name] for name in wanted})
    return CorpusIndex(of_documents, names, vocabulary, arrays)
