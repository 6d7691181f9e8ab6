"""What a reviewer changed: a draft beside what was generated. Knows git and reproduction, no views."""

from __future__ import annotations

import difflib
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

from blog_gen.config.settings import Settings
from blog_gen.errors import BlogGenError, DraftError
from blog_gen.review.entries import Entry
from blog_gen.site import front_matter


@dataclass(frozen=True)
class Difference:
    """A unified diff of the bodies, no lines where they are the same, and what it is against."""

    lines: tuple[str, ...]
    against: str


def difference(entry: Entry, settings: Settings) -> Difference:
    """Compare with the first version that git has, else with the body written again from the provenance.

    Raises:
        DraftError: neither can be had.
    """
    committed = _first_committed(entry)
    if committed is not None:
        return Difference(_unified(committed, entry.body), "the version that git had first")
    from blog_gen.drafting.reproducing import reproduce  # imports NumPy

    try:
        again = reproduce(entry.path, settings)
    except BlogGenError as error:
        fix = "Commit drafts to git before you edit them, and this always works"
        raise DraftError(
            "the generated text cannot be recovered", got=error, fix=fix, path=entry.path
        ) from error
    changed = [line for line in again.differences if ": then " in line]
    against = "the same post written again" + (f", though {'; '.join(changed)}" if changed else "")
    return Difference(_unified(again.body, entry.body), against)


def _unified(before: str, after: str) -> tuple[str, ...]:
    pair: tuple[Sequence[str], Sequence[str]] = (before.splitlines(), after.splitlines())
    return tuple(difflib.unified_diff(*pair, "generated", "now", lineterm=""))


def _first_committed(entry: Entry) -> str | None:
    """The body in the commit that added the file, under this name or an earlier one."""
    log = _git(
        entry, "log", "--follow", "--diff-filter=A", "--format=%H", "--name-only", "-z", "--", entry.path.name
    )
    parts = [part for part in (log or "").replace("\n", "\0").split("\0") if part]
    if len(parts) < 2:
        return None
    commit, name = parts[-2:]
    text = _git(entry, "show", f"{commit}:{name}")
    try:
        return None if text is None else front_matter.split(text.replace("\r\n", "\n"))[1].strip()
    except front_matter.FrontMatterError:
        return None


def _git(entry: Entry, *words: str) -> str | None:
    if shutil.which("git") is None:
        return None
    done = subprocess.run(
        ["git", "--no-pager", *words], cwd=entry.path.parent, capture_output=True, check=False
    )
    return done.stdout.decode("utf-8", "surrogateescape") if done.returncode == 0 else None
