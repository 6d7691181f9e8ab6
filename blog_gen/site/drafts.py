"""Generated posts on disk: written, read back, listed. Knows files; `composing` makes the texts in them.

It has never heard of a model, never reads the clock, and trusts its caller that a body is safe to build.
A draft is written under a name that is free, or not at all: nothing is ever overwritten.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import tzinfo
from pathlib import Path

from blog_gen import files
from blog_gen.config.settings import CONFIG_KEY, Settings
from blog_gen.errors import DraftError, Note
from blog_gen.site import dates, front_matter, slugs
from blog_gen.site.composing import UNDATED, Draft, composed
from blog_gen.site.days import our_files
from blog_gen.site.habit import Habit
from blog_gen.site.jekyll.places import MARKDOWN
from blog_gen.site.jekyll.values import names_of

EXTENSION = ".md"


def write_draft(draft: Draft, habit: Habit, settings: Settings) -> Path:
    """Write `draft` as a new file `YYYY-MM-DD-slug.md` in the output folder and give its path.

    In `_drafts` the name has no day. The day is that of the draft's date in the site's time zone. Where the
    slug is taken on that day, by this process or by another one, `-2`, `-3` and so on follows.

    Raises:
        DraftError: a parser would read something else than was meant; nothing is written then.
        BlogGenError: the file cannot be written.
    """
    if draft.date.utcoffset() is None:
        raise DraftError("the date of a draft must have a time zone", got=draft.date)
    draft = replace(draft, date=draft.date.astimezone(dates.zone_of(settings)))
    text = composed(draft, habit, settings)
    free = _free_paths(settings.output_folder, f"{draft.date:%Y-%m-%d}", draft.title)
    while True:
        path = next(free)
        with suppress(FileExistsError):  # another process was quicker
            files.write_text(path, text, overwrite=False)
            return path


def _free_paths(folder: Path, day: str, title: str) -> Iterator[Path]:
    """Names that no post has yet, with any extension: Jekyll gives both the same address."""
    begin = "" if folder.name == UNDATED else f"{day}-"
    taken = {path.stem for path in folder.glob(f"{begin}*")}
    for slug in slugs.numbered(_nameable(slugs.slug_of(title))):
        if f"{begin}{slug}" not in taken:
            yield folder / f"{begin}{slug}{EXTENSION}"


def _nameable(slug: str) -> str:
    """`slug`, unless the locale of this process can name no such file."""
    try:
        os.fsencode(slug)
    except UnicodeEncodeError:
        return slugs.FALLBACK
    return slug


def read_draft(path: Path, zone: tzinfo | None = None) -> Draft:
    """The draft in the file at `path`, wherever it was moved and whatever its author changed in it.

    Its date is in `zone`, the site's (None: the machine's), so that its day is the day there.

    Raises:
        DraftError: it cannot be read, or blog-gen did not write it.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
        raw, body = front_matter.split(text)
        values = front_matter.parse(raw or "")
        date = dates.parse_date(values.get("date", dates.split_name(path.stem)[0]), zone)
    except OSError as error:
        raise DraftError("a draft must be a file that can be read", got=error.strerror, path=path) from error
    except UnicodeDecodeError as error:
        raise DraftError("a draft must be in UTF-8", got=error.reason, path=path) from error
    except ValueError as error:
        raise DraftError("a draft must have front matter with a date", got=error, path=path) from error
    provenance = values.get(CONFIG_KEY)
    if not isinstance(provenance, dict):
        raise DraftError(
            f"a draft must have the key `{CONFIG_KEY}`", got="a post that blog-gen did not write", path=path
        )
    return Draft(
        title=str(values.get("title") or ""),
        body=body.strip(),
        date=date,
        tags=names_of(values, "tag", "tags"),
        category=next(iter(names_of(values, "category", "categories")), None),
        provenance=provenance,
        published=values.get("published") is not False,
        path=path,
    )


def all_drafts(settings: Settings) -> list[Draft]:
    """Every draft that can be read, wherever review has moved it: published and rejected ones too."""
    zone, found = dates.zone_of(settings), []
    for path in our_files(settings):
        with suppress(DraftError):
            found.append(read_draft(path, zone))
    return found


def drafts_in(folder: Path, zone: tzinfo | None = None) -> tuple[list[Draft], list[Note]]:
    """The drafts in `folder`, by file name, and a note for each post in it that is none; dates in `zone`."""
    drafts, notes = [], []
    paths = sorted(folder.iterdir()) if folder.is_dir() else []
    for path in paths:
        if path.suffix.lower() in MARKDOWN and not path.name.startswith("."):
            try:
                drafts.append(read_draft(path, zone))
            except DraftError as error:
                notes.append(Note(path, error.rule, "left out"))
    return drafts, notes
