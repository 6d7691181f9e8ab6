"""Where this blog_gen was installed from, and the words that install it from there again.

Source: PEP 610 (`direct_url.json`), which pip writes for a folder, a file or a repository. No package index
has blog_gen, so its bare name would install whatever takes it: it is never named.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

NAME = "blog_gen"


@dataclass(frozen=True)
class Origin:
    """The address that pip was given: a folder or file of this machine as a path, all others as a URL."""

    path: Path | None = None
    url: str = ""  # as pip takes it, with the commit where it is a repository
    editable: bool = False

    def requirement(self, extra: str) -> str:
        """What pip installs, with one of the package's extras.

        >>> Origin(url="git+https://code.example/blog_gen@1f2e").requirement("train")
        'blog_gen[train] @ git+https://code.example/blog_gen@1f2e'
        """
        return f"{self.path}[{extra}]" if self.path else f"{NAME}[{extra}] @ {self.url}"

    @property
    def is_local(self) -> bool:
        """Whether no other machine can reach it."""
        return self.path is not None or urlsplit(self.url.partition("+")[2] or self.url).scheme == "file"

    def command(self, extra: str) -> str:
        """What a person types."""
        return f"pip install {'-e ' if self.editable else ''}{_quoted(self.requirement(extra))}"


def installed_from() -> Origin | None:
    """The origin of the distribution that runs; None where nothing tells."""
    return _recorded() or _around(Path(__file__).parents[1])


def how_to_install(extra: str) -> str:
    """A sentence for an error: what to type to have `extra`, too."""
    origin = installed_from()
    if origin is None:
        return f"Install blog_gen again from where you had it, with its extra: [{extra}]"
    return f"Install it: {origin.command(extra)}"


def _recorded() -> Origin | None:
    """What pip wrote down when it installed."""
    from importlib import metadata  # here: it takes longer than all that `run` does on a day without news

    for distribution in metadata.distributions(name=NAME):
        text = distribution.read_text("direct_url.json")
        if text:
            return origin_of(json.loads(text))
    return None


def origin_of(record: Mapping[str, Any]) -> Origin:
    """The origin that a `direct_url.json` tells.

    >>> vcs = {"vcs": "git", "commit_id": "1f2e"}
    >>> origin_of({"url": "https://code.example/all", "vcs_info": vcs, "subdirectory": "a"}).url
    'git+https://code.example/all@1f2e#subdirectory=a'
    """
    from urllib.request import url2pathname

    url, vcs = str(record["url"]), record.get("vcs_info")
    below = f"#subdirectory={record['subdirectory']}" if record.get("subdirectory") else ""
    if vcs:
        return Origin(url=f"{vcs['vcs']}+{url}@{vcs['commit_id']}{below}")
    parts = urlsplit(url)
    if parts.scheme != "file" or below:
        return Origin(url=url + below)
    editable = bool(record.get("dir_info", {}).get("editable"))
    return Origin(Path(url2pathname(parts.path)), editable=editable)


def _around(folder: Path) -> Origin | None:
    """The clone that the package stands in, for one that was never installed."""
    return Origin(folder, editable=True) if (folder / "pyproject.toml").is_file() else None


def _quoted(words: str) -> str:
    """For a shell, in double quotes where they suffice, which every shell knows."""
    return shlex.quote(words) if set('"$`\\!') & set(words) else f'"{words}"'
