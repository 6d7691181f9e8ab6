"""The drafts of a site as a reviewer sees them: where each one is, and so how it stands.

Nothing is kept in step: a file in the state folder's `rejected` is rejected, one with `published: false`
waits, any other that blog-gen wrote is approved. Knows nothing of pages or terminals, and writes nothing.
"""

from __future__ import annotations

import difflib
import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from blog_gen.config.settings import Settings
from blog_gen.errors import DraftError
from blog_gen.site import dates, front_matter
from blog_gen.site.composing import Draft
from blog_gen.site.days import REJECTED_FOLDER, draft_folders
from blog_gen.site.drafts import read_draft
from blog_gen.site.folder import LARGEST, Homes, LeftOut, content_of
from blog_gen.site.jekyll.places import MARKDOWN
from blog_gen.site.scores import scores_of

State = Literal["waiting", "approved", "rejected"]
# Characters of a body that are compared, marked and rendered: ten times a long post, and a second's work.
LONGEST_SHOWN = 100_000
ORDER: tuple[State, ...] = ("waiting", "approved", "rejected")


@dataclass(frozen=True)
class Entry:
    """One draft's file as it was when it was read."""

    path: Path
    state: State
    text: str  # the whole file, LF line ends; empty where it is no text that can be shown
    version: str  # SHA-256 of the bytes: who changes a file must have seen this one
    draft: Draft | None  # None: it has a fault
    fault: str | None = None  # why it cannot be approved as it is
    scores: Mapping[str, Any] = field(default_factory=dict)  # what the judge measured; empty: not known

    @property
    def id(self) -> str:
        """What a page calls it; the path itself never leaves this process."""
        return hashlib.sha256(os.fsencode(os.path.abspath(self.path))).hexdigest()[:16]

    @property
    def title(self) -> str:
        return (self.draft and self.draft.title) or self.slug

    @property
    def name(self) -> str:
        """The file's name, printable whatever its bytes are."""
        return os.fsencode(self.path.name).decode("utf-8", "backslashreplace")

    @property
    def slug(self) -> str:
        return dates.split_name(Path(self.name).stem)[1]

    @property
    def day(self) -> str:
        """The day it was written for, as the site counts days; empty where that cannot be told."""
        given = self.draft.provenance.get("day") if self.draft else None
        day = dates.split_name(self.path.stem)[0] or given or (self.draft and self.draft.date.date())
        return str(day or "")

    @property
    def body(self) -> str:
        """The text after the front matter, or the whole where that cannot be told."""
        try:
            return front_matter.split(self.text)[1].strip()
        except front_matter.FrontMatterError:
            return self.text


def places(settings: Settings) -> dict[str, Path]:
    """Where approved drafts may be, by what `publish:` calls it; `site.days` counts drafts in all of them."""
    return {
        "in place": settings.output_folder,
        "_articles": settings.articles_folder,
        "_posts": settings.collections_folder / "_posts",
        "_drafts": settings.collections_folder / "_drafts",
    }


def rejected_folder(settings: Settings) -> Path:
    return settings.state_folder / REJECTED_FOLDER


def entries_of(settings: Settings) -> list[Entry]:
    """All drafts: those that wait first, then the newest."""
    entries = [read_entry(path, settings) for path in _files(settings)]
    entries.sort(key=lambda entry: (entry.day, entry.name), reverse=True)
    return sorted(entries, key=lambda entry: ORDER.index(entry.state))


def _files(settings: Settings) -> Iterator[Path]:
    """Each file once, though two folders may be the same one. A link is no draft: it may lead anywhere."""
    own = (settings.output_folder, rejected_folder(settings))
    seen: set[Path] = set()
    homes = Homes(settings)
    for folder in (*own, *draft_folders(settings)):
        for path in sorted(folder.rglob("*")):
            name = path.name
            if path in seen or not name.lower().endswith(MARKDOWN) or name.startswith((".", "#", "~")):
                continue
            if path.is_file() and not path.is_symlink() and (folder in own or _ours(path, homes)):
                seen.add(path)
                yield path


def _ours(path: Path, homes: Homes) -> bool:
    """Among articles, a draft is told by its provenance."""
    try:
        return content_of(path, homes) is None
    except LeftOut:
        return False


def read_entry(path: Path, settings: Settings) -> Entry:
    """The draft at `path`, with its fault if it has one.

    Raises:
        DraftError: there is no such file any more.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DraftError(
            "the draft is no longer there", fix="Look at `blog-gen review list`", path=path
        ) from error
    draft, fault, text = None, None, ""
    try:
        if len(data) > LARGEST:
            raise DraftError(f"a post must not be over {LARGEST >> 20} MB", got=f"{len(data):,} bytes")
        text = data.decode("utf-8-sig", "replace").replace("\r\n", "\n")
        draft = read_draft(path, dates.zone_of(settings))
    except DraftError as error:
        fault = f"{error.rule}; got {error.got}"
    scores = scores_of(draft.provenance, settings) if draft else {}
    version = hashlib.sha256(data).hexdigest()
    return Entry(path, _state(path, draft, settings), text, version, draft, fault, scores)


def _state(path: Path, draft: Draft | None, settings: Settings) -> State:
    if path.is_relative_to(rejected_folder(settings)):
        return "rejected"
    return "approved" if draft and draft.published else "waiting"


def find(name: str, entries: Sequence[Entry]) -> Entry:
    """The draft that a person calls `name`: its path, file name or slug, one that waits before any other.

    A path is only compared with those of `entries`, never opened.

    Raises:
        DraftError: none, or several, are called so.
    """
    found = [entry for entry in entries if name in _names(entry) or os.path.abspath(name) == _absolute(entry)]
    if not found:
        known = {each: entry.name for entry in entries for each in _names(entry)}
        close = difflib.get_close_matches(Path(name).name, known, n=1, cutoff=0.5)
        fix = f"Did you mean `{known[close[0]]}`?" if close else "See `blog-gen review list`"
        raise DraftError("there must be a draft with that name", got=repr(name), fix=fix)
    best = [entry for entry in found if entry.state == found[0].state]
    if len(best) > 1:
        raise DraftError(
            "the name must match only one draft",
            got=repr(name),
            fix=f"Give a file: {', '.join(str(entry.path) for entry in best)}",
        )
    return best[0]


def _names(entry: Entry) -> tuple[str, ...]:
    return (entry.name, Path(entry.name).stem, entry.slug)


def _absolute(entry: Entry) -> str:
    return os.path.abspath(entry.path)
