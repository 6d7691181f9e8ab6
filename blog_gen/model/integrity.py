"""Whether a model folder is as it was written: `meta.json` holds the SHA-256 of each file. Without NumPy.

To hash what no one touched would make the check of every day slow. So a file's size and time of change, as
they were when its hash was last found right, are kept beside it, and it is hashed again when they differ.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from blog_gen.errors import BlogGenError, ModelError
from blog_gen.files import read_json, sha256_of, write_json

META_FILE = "meta.json"
WEIGHTS_FILE = "model.safetensors"
ADAPTER_FILE = "adapter.safetensors"  # of a run of adapters, which has no weights of its own
HASHED = (
    "hparams.json",
    "encoder.json",
    "vocab.bpe",
    "words.txt",
    "characters.txt",
    WEIGHTS_FILE,
    ADAPTER_FILE,
)
VERIFIED_FILE = "verified.json"  # only saves work: whoever copies the folder may leave it behind


def weights_file(folder: Path) -> Path:
    """The file that a model's weights are known by; it need not be there."""
    alone = (folder / ADAPTER_FILE).exists() and not (folder / WEIGHTS_FILE).exists()
    return folder / (ADAPTER_FILE if alone else WEIGHTS_FILE)


def hashes_of(folder: Path) -> dict[str, str]:
    """SHA-256 of each file that a model consists of, by its name."""
    return {name: sha256_of(folder / name) for name in HASHED if (folder / name).exists()}


def written_hashes(folder: Path) -> Mapping[str, str]:
    """What `meta.json` says they must be; empty where it says nothing, or is none."""
    try:
        meta = read_json(folder / META_FILE)
    except (OSError, ValueError):
        return {}
    hashes = meta.get("files") if isinstance(meta, dict) else None
    return hashes if isinstance(hashes, dict) else {}


def damaged(folder: Path, hashes: Mapping[str, str], thorough: bool = False) -> list[str]:
    """The names in `hashes` whose files are missing or not what they were.

    Args:
        thorough: hash every file, even if its size and time are those of the last time.
    """
    known, now = _verified(folder), {name: _stamp(folder / name) for name in hashes}
    changed = [name for name in hashes if thorough or now[name] is None or known.get(name) != now[name]]
    wrong = [name for name in changed if _hash(folder / name) != hashes[name]]
    if changed and not wrong and known != now:
        with suppress(BlogGenError):  # a folder that is read-only is hashed each time
            write_json(folder / VERIFIED_FILE, now)
    return wrong


def require_whole(folder: Path, weights: str | None = None) -> None:
    """Refuse a model folder of which a file is not what `meta.json` says; each is hashed.

    Args:
        weights: SHA-256 of the weights file, from a caller who has hashed it.

    Raises:
        ModelError: names the files.
    """
    hashes, name = dict(written_hashes(folder)), weights_file(folder).name
    if weights is not None and hashes.get(name) == weights:
        del hashes[name]
    if names := damaged(folder, hashes, thorough=True):
        raise damage_error(folder, names)


def damage_error(folder: Path, names: Sequence[str]) -> ModelError:
    """The one sentence for files that are not what was written."""
    return ModelError(
        "the trained model is damaged",
        got=f"{', '.join(names)} that is missing or not as it was written",
        fix="Learn it again with `blog-gen train`, or restore a copy of the folder",
        path=folder,
    )


def _verified(folder: Path) -> dict[str, Any]:
    try:
        found = read_json(folder / VERIFIED_FILE)
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _stamp(path: Path) -> list[int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return [status.st_size, status.st_mtime_ns]


def _hash(path: Path) -> str | None:
    try:
        return sha256_of(path)
    except OSError:
        return None
