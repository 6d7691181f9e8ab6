"""Whether a file that blog-gen wrote was edited since: a last line with the hash of what stands above it.

Knows nothing of what the files are for. Line ends do not count, since git may change them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Sequence

from blog_gen import __version__

_STAMP = re.compile(r"# Written by blog-gen \S+; unedited while the lines above have the hash ([0-9a-f]{32})")


def stamped(text: str) -> str:
    r"""`text`, a file whose comments begin with `#`, with its stamp.

    >>> unedited(stamped("a: 1\n")), unedited(stamped("a: 1\n").replace("1", "2"))
    (True, False)
    """
    kept = f"unedited while the lines above have the hash {digest(text)}"
    return f"{text}# Written by blog-gen {__version__}; {kept}\n"


def unedited(text: str, earlier: Collection[str] = ()) -> bool:
    """Whether `text` is as it was written: by its stamp, or since it has one of the hashes `earlier`."""
    above, last = "\n".join(text.splitlines()[:-1]) + "\n", (text.splitlines() or [""])[-1]
    found = _STAMP.fullmatch(last)
    return digest(above) == found[1] if found else digest(text) in earlier


def digest(text: str) -> str:
    """The hash of a text, whatever its line ends."""
    return hashlib.sha256("\n".join(text.splitlines()).encode()).hexdigest()[:32]


def lacking(text: str, today: str) -> Sequence[str]:
    """The lines of `today` that `text` does not have, without comments: what is out of date in it."""
    there = {line.strip() for line in text.splitlines()}
    lines = (line.strip() for line in today.splitlines())
    return [line for line in lines if line and not line.startswith("#") and line not in there]
