"""What the writer of a safetensors file said about it. Without NumPy: the check of every day reads it.

Source: the format's own description, https://github.com/huggingface/safetensors#format.
"""

from __future__ import annotations

from pathlib import Path

from blog_gen.files import parse_json

LONGEST_HEADER = 100_000_000  # bytes; the library's own limit


def read_metadata(path: Path) -> dict[str, str]:
    """The metadata in the header: eight bytes of length, then JSON; empty where nothing was said.

    Raises:
        OSError, ValueError: there is no such file, or it is no safetensors file.
    """
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = parse_json(file.read(min(length, LONGEST_HEADER)))
    if not isinstance(header, dict) or not isinstance(about := header.get("__metadata__", {}), dict):
        raise ValueError("no header")
    return about
