"""The vocabulary of a Hugging Face folder, as the two files that OpenAI's tokenizer reads.

What comes is a byte-level BPE: `vocab.json` with `merges.txt`, or `tokenizer.json` alone. Tokens that no
merge makes (padding, separators, words that somebody added) are dropped, with their rows of the embedding:
what they stand for is then written in pieces, as for every other model. The token that ends a text is kept,
under OpenAI's name. Word pieces and sentence pieces are refused by name.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from blog_gen.errors import ModelError
from blog_gen.model.bpe import END_OF_TEXT, merge_pairs, printable_bytes
from blog_gen.model.formats.checkpoint import BYTE_ORDER_MARK

TABLE, MERGES, TOKENIZER = "vocab.json", "merges.txt", "tokenizer.json"
ADDED = "added_tokens.json"
# What other tokenizers keep their pieces in, and how they are called.
OTHERS = {
    "vocab.txt": "BERT's word pieces",
    "spiece.model": "SentencePiece",
    "sentencepiece.bpe.model": "SentencePiece",
}
MOST_DROPPED = 1024  # tokens: with more, it is not a BPE that somebody added a few words to
SHOWN = 5
POINTER = b"version https://git-lfs"


@dataclass(frozen=True)
class Vocabulary:
    """The two files, and which rows of the embedding belong to their ids."""

    encoder: bytes  # encoder.json
    merges: bytes  # vocab.bpe
    rows: tuple[int, ...] = ()
    notes: tuple[tuple[str, str], ...] = ()  # what is not GPT-2's, and what was done about it


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in `path`.

    Raises:
        ModelError: there is none.
    """
    try:
        refuse_pointer(path)
        value = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise ModelError("the file is missing", path=path) from None
    except ValueError as error:
        raise ModelError("the file must be UTF-8 JSON", got=error, path=path) from None
    if not isinstance(value, dict):
        raise ModelError("the file must hold a JSON object", got=type(value).__name__, path=path)
    return value


def refuse_pointer(path: Path) -> None:
    """Refuse what a clone without Git LFS has in place of a large file.

    Raises:
        ModelError: says how to get the file.
    """
    with path.open("rb") as file:
        if file.read(len(POINTER)) == POINTER:
            fix = "Run `git lfs pull` in the clone, or `blog-gen models pull OWNER/NAME`"
            raise ModelError(
                "the file must be the one that its Git LFS pointer stands for", fix=fix, path=path
            )


def read_vocabulary(path: Path, end: object = None) -> Vocabulary:
    """The vocabulary of the folder `path`.

    Args:
        end: the id of the token that ends a text, by config.json; asked where no token has OpenAI's name.

    Raises:
        ModelError: files are missing or damaged, or it is no byte-level BPE.
    """
    _refuse_others(path)
    if (path / TABLE).is_file() and (path / MERGES).is_file():
        table, merges = read_json(path / TABLE), (path / MERGES).read_bytes().removeprefix(BYTE_ORDER_MARK)
        added = read_json(path / ADDED) if (path / ADDED).is_file() else {}
    else:
        table, merges, added = _of_tokenizer(path / TOKENIZER)
    ids = {token: number for token, number in (table | added).items() if type(number) is int}
    own = (path / TABLE).is_file() and ids == table
    encoder = (path / TABLE).read_bytes().removeprefix(BYTE_ORDER_MARK) if own else json.dumps(ids).encode()
    try:
        pairs = merge_pairs(merges.decode("utf-8"))
    except ValueError as error:
        raise ModelError("the merges must be pairs in UTF-8", got=error, path=path) from None
    return _plain(Vocabulary(encoder, merges), ids, pairs, _end_of(ids, end, path), path)


def _refuse_others(path: Path) -> None:
    """What is said of a tokenizer that is no byte-level BPE, by its files or by tokenizer.json."""
    bpe = (path / TABLE).is_file() and (path / MERGES).is_file()
    other = next((kind for name, kind in OTHERS.items() if (path / name).is_file()), None)
    if (path / TOKENIZER).is_file():
        other = _kind(read_json(path / TOKENIZER))
    elif bpe:
        other = None
    if other:
        raise ModelError(
            "the tokenizer must be GPT-2's byte-level BPE", got=other, fix="Choose another model", path=path
        )
    if not bpe and not (path / TOKENIZER).is_file():
        raise ModelError(f"the model needs {TABLE} and {MERGES}, or {TOKENIZER}", path=path)


def _kind(tokenizer: Mapping[str, Any]) -> str | None:
    """The name of what a tokenizer.json describes; None if it is GPT-2's kind.

    >>> _kind({"model": {"type": "WordPiece"}})
    'WordPiece'
    """
    model, before = tokenizer.get("model"), tokenizer.get("pre_tokenizer")
    kind = model.get("type", "BPE") if isinstance(model, dict) else "nothing"
    if kind != "BPE":
        return str(kind)
    if before is None:  # older files leave it to the class that reads them
        return None
    split = before.get("type") if isinstance(before, dict) else before
    if split != "ByteLevel" or not before.get("use_regex", True):
        return f"a BPE whose text is first split by {split}"
    return None


def _of_tokenizer(path: Path) -> tuple[dict[str, int], bytes, dict[str, int]]:
    """The pieces, the merges, and the tokens added to them, of a tokenizer.json."""
    tokenizer = read_json(path)
    try:
        model = tokenizer["model"]
        added = {token["content"]: token["id"] for token in tokenizer.get("added_tokens") or []}
        pairs = [pair if isinstance(pair, str) else " ".join(pair) for pair in model["merges"]]
        return dict(model["vocab"]), "\n".join(["#version: 0.2", *pairs, ""]).encode(), added
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{TOKENIZER} must hold a BPE", got=repr(error), path=path) from None


def _end_of(ids: Mapping[str, int], end: object, path: Path) -> str:
    """The token that ends a text."""
    if END_OF_TEXT in ids:
        return END_OF_TEXT
    named = next((token for token, number in ids.items() if number == end), None)
    if named is None:
        raise ModelError(
            f"the vocabulary must hold {END_OF_TEXT}, or config.json name an eos_token_id", path=path
        )
    return named


def _plain(
    given: Vocabulary, ids: Mapping[str, int], pairs: Sequence[tuple[str, str]], end: str, path: Path
) -> Vocabulary:
    """`given` less what no merge makes; to the byte as it came where all is in its place."""
    # Two pairs may make the same token: it is the first that tells its rank.
    makers = {"".join(pair): pair for pair in reversed(pairs)}
    made = {*printable_bytes(), *makers, end}
    dropped = [token for token in ids if token not in made]
    if len(dropped) > MOST_DROPPED:
        got = f"{len(dropped)} tokens that no merge makes, such as {dropped[0]!r}"
        raise ModelError("the tokenizer must be a byte-level BPE", got=got, path=path)
    kept = sorted((token for token in ids if token in made), key=lambda token: ids[token])
    rows = tuple(ids[token] for token in kept)
    if not dropped and rows == tuple(range(len(rows))) and end == END_OF_TEXT and len(makers) == len(pairs):
        return replace(given, rows=rows)
    table = {END_OF_TEXT if token == end else token: number for number, token in enumerate(kept)}
    lines = [" ".join(pair) for pair in pairs if makers["".join(pair)] == pair]
    merges = "\n".join(["#version: 0.2", *lines, ""])
    return Vocabulary(json.dumps(table).encode(), merges.encode(), rows, tuple(_notes(dropped, end)))


def _notes(dropped: Sequence[str], end: str) -> Iterator[tuple[str, str]]:
    if dropped:
        more = f" and {len(dropped) - SHOWN} more" if len(dropped) > SHOWN else ""
        yield f"no merge makes the tokens {', '.join(dropped[:SHOWN])}{more}", "they are left out"
    if end != END_OF_TEXT:
        yield f"the token that ends a text is called {end}", f"it is kept as {END_OF_TEXT}"
