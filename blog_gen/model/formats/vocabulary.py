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
from blog_gen.files import parse_json, write_json
from blog_gen.model.bpe import END_OF_TEXT, merge_pairs, printable_bytes
from blog_gen.model.formats.checkpoint import BYTE_ORDER_MARK, Checkpoint

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
    split_digits: bool = False  # digits are taken one by one
    notes: tuple[tuple[str, str], ...] = ()  # what is not GPT-2's, and what was done about it


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in `path`.

    Raises:
        ModelError: there is none.
    """
    try:
        refuse_pointer(path)
        value = parse_json(path.read_bytes().removeprefix(BYTE_ORDER_MARK))
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
    given = Vocabulary(encoder, merges, split_digits=_splits_digits(path))
    return without_added(given, ids, pairs, _end_of(ids, end, path), path)


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
    steps = _steps(before)
    splits = [step.get("type") for step in steps]
    if splits not in (["ByteLevel"], ["Digits", "ByteLevel"]) or not steps[-1].get("use_regex", True):
        return f"a BPE whose text is first split by {', '.join(map(str, splits))}"
    return None


def _steps(before: object) -> list[dict[str, Any]]:
    """How text is split before bytes are merged, step by step."""
    if not isinstance(before, dict):
        return [{"type": before}]
    return list(before.get("pretokenizers") or [before])


def _splits_digits(path: Path) -> bool:
    """Whether the tokenizer.json in the folder `path`, if there is one, takes digits one by one."""
    before = read_json(path / TOKENIZER).get("pre_tokenizer") if (path / TOKENIZER).is_file() else None
    first = _steps(before)[0]
    return first.get("type") == "Digits" and bool(first.get("individual_digits"))


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


def without_added(
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
    notes = tuple(_notes(dropped, end))
    return replace(given, encoder=json.dumps(table).encode(), merges=merges.encode(), rows=rows, notes=notes)


def _notes(dropped: Sequence[str], end: str) -> Iterator[tuple[str, str]]:
    if dropped:
        more = f" and {len(dropped) - SHOWN} more" if len(dropped) > SHOWN else ""
        yield f"no merge makes the tokens {', '.join(dropped[:SHOWN])}{more}", "they are left out"
    if end != END_OF_TEXT:
        yield f"the token that ends a text is called {end}", f"it is kept as {END_OF_TEXT}"


def write_vocabulary(checkpoint: Checkpoint, folder: Path) -> None:
    """Write what `AutoTokenizer` opens."""
    special = {f"{use}_token": END_OF_TEXT for use in ("bos", "eos", "unk")}
    hparams = checkpoint.hparams
    # GPT2Tokenizer would split as GPT-2 does, whatever tokenizer.json says.
    kind = "PreTrainedTokenizerFast" if hparams.split_digits else "GPT2Tokenizer"
    usual = {"tokenizer_class": kind, "model_max_length": hparams.n_ctx, "add_prefix_space": False}
    write_json(folder / "tokenizer_config.json", usual | special)
    (folder / TABLE).write_bytes(checkpoint.encoder)
    (folder / MERGES).write_bytes(checkpoint.merges)
    if hparams.split_digits:
        write_json(folder / TOKENIZER, _with_split_digits(checkpoint))


def _with_split_digits(checkpoint: Checkpoint) -> dict[str, Any]:
    """tokenizer.json, where the two other files cannot say that digits are taken one by one."""
    pairs = merge_pairs(checkpoint.merges.decode("utf-8"))
    by_bytes = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    steps = [{"type": "Digits", "individual_digits": True}, by_bytes]
    flags = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
    end = {"id": checkpoint.tokenizer.end_of_text, "content": END_OF_TEXT, **flags, "special": True}
    return {
        "version": "1.0",
        "added_tokens": [end],
        "normalizer": None,
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": steps},
        "post_processor": None,
        "decoder": by_bytes,
        "model": {
            "type": "BPE",
            "vocab": json.loads(checkpoint.encoder),
            "merges": [" ".join(pair) for pair in pairs],
        },
    }
